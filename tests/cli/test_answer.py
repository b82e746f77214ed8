"""`biobert answer`, and what it needs: a recipe that trains, a folder that others open."""

import json
from pathlib import Path

import numpy as np
import pytest

from biobert.core.questions import question_document
from biobert.core.task import Window
from biobert.data.reading import write_documents
from biobert.pipeline.answerer import Answerer
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.qa import HEAD
from tests.cli.calling import call, trained
from tests.tiny import write_tiny_encoder_folder, write_tiny_model_folder

EXACT = RuntimeSettings(precision="float32")
CONTEXT = "The aspirin was given. Then lithium caused cardiac arrest! All was well."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt to name the drug of a text, and that a text may have none."""
    folder = tmp_path_factory.mktemp("qa")
    documents = []
    for number in range(24):
        drug = ("aspirin", "lithium", "cancer")[number % 3]
        context = " ".join(["the"] * (number % 5) + [drug, "and", "the"])
        start = context.index(drug)
        answers = [] if drug == "cancer" else [(start, start + 7)]
        documents.append(question_document(f"q{number}", "which?", context, answers=answers))
    write_documents(documents, folder / "train.squad.json")
    encoder = write_tiny_encoder_folder(folder / "encoder", dropout=0.0)
    trained(
        folder,
        f"""name = "toy-qa"
        [task]
        name = "qa"
        maximum_answer_tokens = 4
        no_answer_margin = 0.0
        windows = {{ maximum_tokens = 64, overlap_tokens = 8 }}
        [model]
        encoder = "{encoder}"
        dropout = 0.0
        [data]
        train = [{{ corpus = "{folder / "train.squad.json"}", times = 6 }}]
        devel = [{{ corpus = "{folder / "train.squad.json"}" }}]
        [optimizer]
        learning_rate = 5e-3
        [batches]
        tokens = 256
        [run]
        epochs = 5
        """,
    )
    return folder / "model"


def test_a_recipe_learns_questions_and_their_margin(model: Path) -> None:
    manifest = json.loads((model / "biobert.json").read_text())
    assert manifest["metrics"]["devel"] == 1.0
    assert manifest["task_settings"]["no_answer_margin"] != 0.0
    answerer = Answerer(model, settings=EXACT)
    for drug in ("aspirin", "lithium"):
        answers = answerer.answer("which?", f"the the {drug} and the")
        assert answers.answerable
        assert answers.found[0].text == drug
    assert not answerer.answer("which?", "the the cancer and the").answerable


def test_evaluation_reports_squads_measures(model: Path) -> None:
    found = call("evaluate", model, model.with_name("train.squad.json"), "--json")
    assert found.code == 0, found.err
    scores = found.json["data"]["scores"]
    assert scores["exact_match"] == scores["answerable_f1"] == 1.0


def test_answers_come_with_the_sentence_around(model: Path, tmp_path: Path) -> None:
    (tmp_path / "context.txt").write_text(f"\ufeff{CONTEXT}", encoding="utf-8")
    found = call(
        "answer", "which?", "--context", tmp_path / "context.txt", "--model", model, "--json",
        "--top", 4,
    )  # fmt: skip
    assert found.code == 0, found.err
    data = found.json["data"]
    assert data["question"] == "which?"
    answers = data["found"]
    assert 1 <= len(answers) <= 4
    probabilities = [one["probability"] for one in answers]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) + data["no_answer_probability"] <= 1.0 + 1e-5
    for one in answers:
        assert CONTEXT[one["start"] : one["end"]] == one["text"]
        assert CONTEXT[one["sentence_start"] :].startswith(one["sentence"])
        assert one["text"] in one["sentence"]


def test_a_context_that_is_no_utf8_is_told(model: Path, tmp_path: Path) -> None:
    (tmp_path / "wide.txt").write_bytes(CONTEXT.encode("utf-16"))
    (tmp_path / "latin.txt").write_bytes(f"Ménière. {CONTEXT}".encode("latin-1"))
    wanted = ("answer", "which?", "--model", model, "--context")
    found = call(*wanted, tmp_path / "wide.txt", "--json").json["data"]
    assert found["lost_characters"] == 0
    assert all(one["text"] in CONTEXT for one in found["found"])
    assert call(*wanted, tmp_path / "latin.txt", "--json").json["data"]["lost_characters"] == 2
    assert "not UTF-8: 2 of its characters" in call(*wanted, tmp_path / "latin.txt").err


def test_a_context_comes_from_standard_input_too(model: Path) -> None:
    found = call("answer", "which?", "--context", "-", "--model", model, "--top", 1, stdin=CONTEXT)
    assert found.code == 0, found.err
    assert "%" in found.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["What?", "--context", "missing.txt", "--model", "MODEL"], "no such file"),
        (["What?", "--context", "-", "--model", "MODEL"], "context is empty"),
        ([" ", "--context", "-", "--model", "MODEL"], "question is empty"),
        (["What?", "--context", "-", "--model", "embedded"], "'qa'"),
        (["What?", "--context", "-", "--model", "nowhere"], "nowhere"),
    ],
)
def test_wrong_calls_say_what_to_do(model: Path, arguments: list[str], word: str) -> None:
    given = [model if one == "MODEL" else one for one in arguments]
    stdin = "text" if word == "question is empty" else ""
    found = call("answer", *given, "--json", stdin=stdin)
    assert found.code in (1, 2)
    assert word in found.json["error"]["message"]


def test_a_question_that_is_too_long_beside_its_text_is_refused(
    model: Path, tmp_path: Path
) -> None:
    (tmp_path / "long.txt").write_text("lithium " * 4000)
    asked = ("--context", tmp_path / "long.txt", "--model", model)
    found = call("answer", "which " * 400, *asked)
    assert found.code == 1
    assert "shorten the shorter text: up to 30 tokens it is read whole" in found.err
    assert call("answer", "which " * 6, *asked).code == 0


def windows_of(answerer: Answerer) -> list[Window]:
    task, tokenizer = answerer.model.task, answerer.model.tokenizer
    documents = [
        question_document("1", "What caused it, naïve?", CONTEXT),
        question_document("2", "which?", "β"),
        question_document("3", "which?", " ".join(["lithium"] * 70)),
    ]
    examples = [example for document in documents for example in task.examples(document)]
    return [window for parts in task.encode(examples, tokenizer) for window in parts]


def test_transformers_opens_the_folder_with_the_same_logits(model: Path) -> None:
    import torch
    import transformers

    answerer = Answerer(model, settings=EXACT)
    windows = windows_of(answerer)
    outputs = answerer.model.predictor.predict(windows)
    other = transformers.AutoModelForQuestionAnswering.from_pretrained(model).eval()
    for window, output in zip(windows, outputs, strict=True):
        with torch.no_grad():
            found = other(
                input_ids=torch.from_numpy(window.token_ids)[None],
                token_type_ids=torch.from_numpy(window.segment_ids)[None],
            )
        expected = np.stack([found.start_logits[0].numpy(), found.end_logits[0].numpy()], axis=1)
        assert np.abs(output[HEAD] - expected).max() < 1e-4


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_an_exported_model_gives_the_same_answers(model: Path, engine: str, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    found = call("export", model, "--output", exported, "--weights", "float32", "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["difference_float32"] < 1e-4
    own = Answerer(model, settings=EXACT)
    other = Answerer(exported, settings=RuntimeSettings(engine=engine, precision="float32"))
    windows = windows_of(own)
    for one, two in zip(
        own.model.predictor.predict(windows), other.model.predictor.predict(windows), strict=True
    ):
        assert np.abs(one[HEAD] - two[HEAD]).max() < 1e-3
    assert [one.text for one in own.answer("which?", CONTEXT).found] == [
        one.text for one in other.answer("which?", CONTEXT).found
    ]


@pytest.fixture
def bioasq(tmp_path: Path) -> Path:
    """Four questions with their gold answers."""
    answers = {"factoid": [["x", "y"]], "list": [["x"], ["y"]], "yesno": "yes", "summary": None}
    questions = [
        {
            "id": f"q-{kind}",
            "type": kind,
            "body": "which?",
            "snippets": [{"text": CONTEXT}],
            **({} if answer is None else {"exact_answer": answer}),
        }
        for kind, answer in answers.items()
    ]
    (tmp_path / "gold.bioasq.json").write_text(json.dumps({"questions": questions}))
    return tmp_path / "gold.bioasq.json"


@pytest.fixture
def yes_or_no(tmp_path: Path) -> Path:
    """A model that says yes or no."""
    settings = {"labels": ["yes", "no"], "passages": ["question", "context"]}
    return write_tiny_model_folder(tmp_path / "yesno", task="classification", others=settings)


def test_two_models_answer_one_file_of_bioasq(
    model: Path, bioasq: Path, yes_or_no: Path, tmp_path: Path
) -> None:
    first, both = tmp_path / "first.jsonl", tmp_path / "both.bioasq.json"
    found = call("annotate", bioasq, "--model", model, "--output", first, "--json")
    assert found.code == 0, found.err
    # What is gold in the input and not answered is no answer.
    assert "yes" not in found.out
    assert call("annotate", first, "--model", yes_or_no, "--output", both).code == 0
    questions = {one["type"]: one for one in json.loads(both.read_text())["questions"]}
    assert questions["yesno"]["exact_answer"] in ("yes", "no")
    for kind in ("factoid", "list"):
        found_answers = [text for (text,) in questions[kind]["exact_answer"]]
        assert found_answers and all(text in CONTEXT for text in found_answers)
    assert "exact_answer" not in questions["summary"]


def test_a_model_is_scored_on_questions_of_its_type(bioasq: Path, yes_or_no: Path) -> None:
    found = call("evaluate", yes_or_no, bioasq, "--where", "type=yesno", "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["documents"] == 1
    found = call("evaluate", yes_or_no, bioasq, "--json")
    assert "take documents of one kind by `where`" in found.json["error"]["message"]
    found = call("evaluate", yes_or_no, bioasq, "--where", "yesno", "--json")
    assert "--where yesno: write it as KEY=VALUE" in found.json["error"]["message"]
    kind = ("--where", "type=yesno", "--json")
    same = call("compare", yes_or_no, yes_or_no, bioasq, "--samples", 9, *kind)
    assert same.json["data"]["units"] == 1, same.err
    found = call("diagnose", yes_or_no, bioasq, *kind)
    assert found.json["data"]["judged"] == 1, found.err


def test_a_model_that_answers_may_go_on_with_its_head(model: Path) -> None:
    import torch

    from biobert.model.weights import read_tensors
    from biobert.training.recipe import read_recipe
    from biobert.training.start import build_learner

    tables = {
        "name": "on",
        "task": {"name": "qa"},
        "model": {"encoder": str(model), "heads": "kept"},
        "data": {"train": [{"corpus": "none"}]},
    }
    learner = build_learner(read_recipe(tables, place="on.toml"), print)
    own = learner.network.heads[HEAD].classifier.weight
    assert torch.equal(own, read_tensors(model)["qa_outputs.weight"])
