"""Cloze from training to every engine: it begins with a language model and goes on with it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tokenizers.models import WordPiece

from biobert.compression.folder import export_folder
from biobert.core.batching import window_arrays
from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.task import Task, Window
from biobert.data.reading import write_documents
from biobert.model.predictor import TorchPredictor
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.load import load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.cloze import HEAD
from biobert.text.tokenizer import Tokenizer
from biobert.training.recipe import Recipe, read_recipe
from biobert.training.start import build_learner
from tests.cli.calling import call
from tests.eight_bits import export_in_eight_bits
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder
from tests.training.conftest import Recorder

FLOAT32 = RuntimeSettings(precision="float32", engine="torch")
TASK = {
    "name": "cloze",
    "labels": ["heart", "cancer"],
    "pattern": "{text} the [MASK].",
    "verbalisers": {"heart": ["cardiac", "arrest"], "cancer": ["breast"]},
}
TEXTS = {
    "lithium and aspirin": "heart",
    "the diabetes": "cancer",
    "aspirin": "heart",
    "diabetes and diabetes": "cancer",
}


def documents() -> list[Document]:
    return [
        Document(str(number), text, labels=(label,))
        for number, (text, label) in enumerate(TEXTS.items())
    ]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT that carries a masked language model."""
    folder = tmp_path_factory.mktemp("encoder")
    return write_tiny_encoder_folder(folder, kind="BertForMaskedLM")


@pytest.fixture
def trained(run: Callable[..., Recorder], encoder: Path, tmp_path: Path) -> Callable[..., Path]:
    """Train on some documents until they are known."""

    def go(**changes: Any) -> Path:
        corpus = tmp_path / "corpus.jsonl"
        write_documents(documents(), corpus, "jsonl")
        own = {"train": [{"corpus": str(corpus)}], "devel": [{"corpus": str(corpus)}]}
        tables = {
            "task": TASK,
            "data": own,
            "model": {"encoder": str(encoder)},
            "run": {"epochs": 25},
        }
        run("model", **{**tables, **changes})
        return tmp_path / "model"

    return go


def recipe(**model: Any) -> Recipe:
    tables = {"name": "toy", "task": TASK, "model": model, "data": {"train": []}}
    return read_recipe(tables, place="toy")


def windows_of(task: Task, tokenizer: Tokenizer) -> list[Window]:
    examples = [one for document in documents() for one in task.examples(document)]
    return [one for some in task.encode(examples, tokenizer) for one in some]


def scores_of_transformers(folder: Path, windows: list[Window]) -> np.ndarray:
    """log(sum of exp) of the words at the mask, by the masked language model of a folder."""
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    arrays = {name: torch.from_numpy(one) for name, one in window_arrays(windows).items()}
    with torch.no_grad():
        logits = model(arrays["token_ids"], attention_mask=arrays["mask"].long()).logits
    at_mask = logits[torch.arange(len(windows)), arrays["marks"][:, 0]]
    vocabulary = tiny_tokenizer().backend.get_vocab()
    columns = [
        at_mask[:, [vocabulary[word] for word in TASK["verbalisers"][label]]].logsumexp(-1)  # type: ignore[index]
        for label in TASK["labels"]
    ]
    return torch.stack(columns, dim=1).numpy()


def found_scores(folder: Path, settings: RuntimeSettings, windows: list[Window]) -> np.ndarray:
    outputs = load_model(folder, settings).predictor.predict(windows)
    return np.stack([output[HEAD] for output in outputs])


def answers(folder: Path) -> list[str]:
    annotator = Annotator(folder, settings=FLOAT32)
    return [one.labels[0] for one in annotator.annotate_many(documents())]


def test_it_begins_with_the_language_model_of_the_checkpoint(encoder: Path) -> None:
    notes: list[str] = []
    learner = build_learner(recipe(encoder=str(encoder)), notes.append)
    windows = windows_of(learner.task, learner.tokenizer)
    outputs = TorchPredictor(learner.network, device=torch.device("cpu")).predict(windows)
    found = np.stack([output[HEAD] for output in outputs])
    expected = scores_of_transformers(encoder, windows)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not notes


def test_it_learns_and_gives_the_same_scores_everywhere(
    trained: Callable[..., Path], tmp_path: Path
) -> None:
    folder = trained()
    assert answers(folder) == list(TEXTS.values())
    config = transformers.AutoConfig.from_pretrained(folder)
    assert config.architectures == ["BertForMaskedLM"]
    model = load_model(folder, FLOAT32)
    windows = windows_of(model.task, model.tokenizer)
    expected = found_scores(folder, FLOAT32, windows)
    np.testing.assert_allclose(scores_of_transformers(folder, windows), expected, atol=1e-4)
    report = export_folder(folder, tmp_path / "exported")
    assert report.difference < 1e-4
    for engine in ("openvino", "onnxruntime"):
        found = found_scores(tmp_path / "exported", replace(FLOAT32, engine=engine), windows)
        np.testing.assert_allclose(found, expected, atol=1e-4)
    export_in_eight_bits(folder, tmp_path / "rounded")
    assert answers_of_exported(tmp_path / "rounded") == list(TEXTS.values())


def answers_of_exported(folder: Path) -> list[str]:
    annotator = Annotator(folder, settings=replace(FLOAT32, engine="onnxruntime"))
    return [one.labels[0] for one in annotator.annotate_many(documents())]


def test_the_verbs_serve_it(trained: Callable[..., Path], tmp_path: Path) -> None:
    folder = trained()
    corpus = tmp_path / "corpus.jsonl"
    scored = call("evaluate", folder, corpus, "--json")
    assert scored.code == 0, scored.err
    assert scored.json["data"]["scores"]["main"] == 1.0
    shown = call("annotate", corpus, "--model", folder)
    assert shown.code == 0, shown.err
    assert "labels: " in shown.out


@pytest.mark.slow
def test_it_goes_on_from_a_trained_cloze_with_other_words(
    trained: Callable[..., Path], encoder: Path
) -> None:
    folder = trained()
    again = {**TASK, "verbalisers": {"heart": ["cardiac"], "cancer": ["cancer"]}}
    tables = {"name": "toy", "task": again, "model": {"encoder": str(folder)}}
    learner = build_learner(read_recipe({**tables, "data": {"train": []}}, place="toy"), print)
    before = build_learner(recipe(encoder=str(encoder)), print)
    state, old = learner.network.heads[HEAD].state_dict(), before.network.heads[HEAD].state_dict()
    assert not torch.equal(state["dense.weight"], old["dense.weight"])
    saved = load_model(folder, FLOAT32).predictor.network.heads[HEAD].state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(state[name], saved[name]) for name in saved)
    vocabulary = tiny_tokenizer().backend.get_vocab()
    assert learner.task.heads()[0].pieces == ((vocabulary["cardiac"],), (vocabulary["cancer"],))


@pytest.mark.slow
def test_an_adapter_holds_what_was_learnt(trained: Callable[..., Path]) -> None:
    rates = {"learning_rate": 2e-2}
    folder = trained(adapter={"kind": "lora"}, optimizer=rates)
    assert not (folder / "model.safetensors").exists()
    assert read_manifest(folder).metrics["devel"] == 1.0
    assert answers(folder) == list(TEXTS.values())


def test_of_another_vocabulary_the_pieces_are_those_of_that(encoder: Path, tmp_path: Path) -> None:
    backend = tiny_tokenizer().backend
    names = sorted(backend.get_vocab(), key=lambda name: backend.get_vocab()[name])
    specials, others = names[:5], names[5:]
    ids = {name: number for number, name in enumerate([*specials, *reversed(others)])}
    backend.model = WordPiece(ids, unk_token="[UNK]")
    tmp_path.mkdir(exist_ok=True)
    Tokenizer(backend).save(tmp_path)
    plain = build_learner(recipe(encoder=str(encoder)), print)
    other = build_learner(recipe(encoder=str(encoder), vocabulary=str(tmp_path)), print)
    assert other.task.heads()[0].pieces == ((ids["cardiac"], ids["arrest"]), (ids["breast"],))
    scores = [
        np.stack(
            [
                output[HEAD]
                for output in TorchPredictor(one.network, device=torch.device("cpu")).predict(
                    windows_of(one.task, one.tokenizer)
                )
            ]
        )
        for one in (plain, other)
    ]
    # All pieces are kept under other numbers, so nothing else changes.
    np.testing.assert_allclose(*scores, atol=1e-5)


def test_a_checkpoint_without_a_language_model_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_encoder_folder(tmp_path / "plain")
    words = r"plain: this checkpoint has no masked language model \(no 'cls\.predictions.*name a"
    with pytest.raises(BadInputError, match=words):
        build_learner(recipe(encoder=str(folder)), print)
    scratch = recipe(shape={"layers": 1}, vocabulary=str(folder))
    with pytest.raises(BadInputError, match="a cloze begins from a masked language model"):
        build_learner(scratch, print)
