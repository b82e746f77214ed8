"""Similarity of sentence pairs, from a table to a trained model."""

from pathlib import Path

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.passages import pair_document
from biobert.data.reading import read_documents, write_documents
from biobert.pipeline.annotator import Annotator
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.similarity import HEAD, Similarity, number_of, scored_pair
from biobert.text.windows import WindowSettings
from tests.cli.calling import call, trained
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder

TOKENIZER = tiny_tokenizer()


def test_targets_are_places_on_the_scale() -> None:
    task = Similarity.from_settings({"lowest": 1.0, "highest": 5.0})
    document = scored_pair("1", "a b", "c d", 2.0)
    (example,) = task.examples(document)
    ((window,),) = task.encode([example], TOKENIZER)
    (targets,) = task.targets(example, [window])
    assert targets[HEAD].tolist() == [0.25]
    assert targets[HEAD].dtype == np.float32
    assert window.segment_ids.tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_predictions_stay_on_the_scale() -> None:
    task = Similarity.from_settings({})
    document = scored_pair("1", "a b", "c d", 1.0)
    windows = task.encode(task.examples(document), TOKENIZER)
    for logit, number, place in ((0.5, 2.0, 0.5), (-3.0, 0.0, 0.0), (7.0, 4.0, 1.0)):
        outputs = [[{HEAD: np.array([logit], dtype=np.float32)}]]
        found = task.decode(document, windows, outputs)
        assert number_of(found) == pytest.approx(number)
        assert found.label_scores == pytest.approx({"similarity": place})


def test_a_long_pair_is_the_mean_of_its_windows() -> None:
    task = Similarity.from_settings({"windows": {"maximum_tokens": 32, "overlap_tokens": 4}})
    document = pair_document("1", "a", " ".join(["lithium"] * 90))
    windows = task.encode(task.examples(document), TOKENIZER)
    assert len(windows[0]) > 3
    outputs = [{HEAD: np.array([n % 2], dtype=np.float32)} for n in range(len(windows[0]))]
    place = task.decode(document, windows, [outputs]).label_scores["similarity"]
    assert place == pytest.approx(np.mean([n % 2 for n in range(len(outputs))]))
    assert task.settings()["windows"] == {"maximum_tokens": 32, "overlap_tokens": 4}
    assert WindowSettings(32, 4)


def test_what_is_no_number_names_the_document() -> None:
    task = Similarity.from_settings({})
    for document in (
        pair_document("7", "a", "b"),
        Document("7", "a\nb", metadata={"similarity": "alike"}),
        Document("7", "a\nb", metadata={"similarity": "nan"}),
    ):
        with pytest.raises(BadInputError, match="'7'"):
            task.score([document], [document])
    with pytest.raises(BadInputError, match="differ in text"):
        task.score([Similarity.toy_documents()[0]], [Similarity.toy_documents()[1]])
    with pytest.raises(BadInputError, match="a scale rises"):
        Similarity.from_settings({"lowest": 4.0})
    with pytest.raises(BadInputError, match="a scale rises"):
        Similarity.from_settings({"highest": float("inf")})
    with pytest.raises(BadInputError, match="name two kinds"):
        Similarity.from_settings({"passages": ["first"]})


@pytest.mark.parametrize(("number", "end"), [(5.0, "highest"), (-1.0, "lowest")])
def test_gold_outside_the_scale_is_no_gold(number: float, end: str) -> None:
    task = Similarity.from_settings({})
    document = scored_pair("7", "a b", "c d", number)
    (example,) = task.examples(document)
    (windows,) = task.encode([example], TOKENIZER)
    words = f"'7': similarity {number:g} is outside the scale from 0 to 4; set task.{end} "
    with pytest.raises(BadInputError, match=words):
        task.targets(example, windows)
    answer = scored_pair("7", "a b", "c d", 4.0)
    with pytest.raises(BadInputError, match=words):
        task.score([document], [answer])
    # What another system says may be on any scale.
    gold = [answer, scored_pair("8", "a", "b", 0.0)]
    assert task.score(gold, [document, scored_pair("8", "a", "b", 2.0)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt that pairs with `cancer` in them are alike."""
    folder = tmp_path_factory.mktemp("similarity")
    documents = [
        scored_pair(
            str(number),
            " ".join(["the"] * (number % 4) + ["cancer" if number % 2 else "lithium"]),
            " ".join(["and"] * (number % 3 + 1)),
            4.0 * (number % 2),
        )
        for number in range(24)
    ]
    write_documents(documents, folder / "train.sts.tsv", "sts")
    encoder = write_tiny_encoder_folder(folder / "encoder", dropout=0.0)
    write_documents(documents, folder / "train.jsonl")
    trained(
        folder,
        f"""name = "toy-similarity"
        [task]
        name = "similarity"
        [model]
        encoder = "{encoder}"
        dropout = 0.0
        [data]
        train = [{{ corpus = "{folder / "train.jsonl"}", times = 4 }}]
        devel = [{{ corpus = "{folder / "train.jsonl"}" }}]
        [optimizer]
        learning_rate = 5e-3
        [batches]
        tokens = 128
        [run]
        epochs = 8
        """,
    )
    return folder / "model"


def test_a_recipe_learns_similarity(model: Path) -> None:
    found = call("evaluate", model, model.with_name("train.jsonl"), "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["scores"]["pearson"] > 0.95


def test_pairs_are_annotated_and_written(model: Path, tmp_path: Path) -> None:
    found = call(
        "annotate", model.with_name("train.sts.tsv"), "--model", model,
        "--output", tmp_path / "out", "--to", "sts", "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    (output,) = found.json["data"]["outputs"]
    numbers = [number_of(document) for document in read_documents(output, "sts")]
    assert len(numbers) == 24
    assert min(numbers[1::2]) > max(numbers[::2])


def test_transformers_opens_the_folder_with_the_same_numbers(model: Path) -> None:
    import torch
    import transformers

    annotator = Annotator(model, settings=RuntimeSettings(precision="float32"))
    task = annotator.model.task
    windows = [
        window
        for document in task.toy_documents()
        for parts in task.encode(task.examples(document), annotator.model.tokenizer)
        for window in parts
    ]
    outputs = annotator.model.predictor.predict(windows)
    other = transformers.AutoModelForSequenceClassification.from_pretrained(model).eval()
    assert other.config.problem_type == "regression"
    for window, output in zip(windows, outputs, strict=True):
        with torch.no_grad():
            found = other(
                input_ids=torch.from_numpy(window.token_ids)[None],
                token_type_ids=torch.from_numpy(window.segment_ids)[None],
            ).logits
        assert abs(float(found) - float(output[HEAD][0])) < 1e-4


def test_an_exported_model_gives_the_same_numbers(model: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    found = call("export", model, "--output", exported, "--weights", "float32", "--json")
    assert found.code == 0, found.err
    settings = RuntimeSettings(precision="float32")
    document = pair_document("1", "the cancer", "and")
    own, other = (
        number_of(Annotator(folder, settings=settings).annotate(document))
        for folder in (model, exported)
    )
    assert own == pytest.approx(other, abs=1e-3)
