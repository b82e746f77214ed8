"""Gaps are filled by a model's weights, or by what it was exported to."""

import json
import shutil
import sys
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertForPreTraining

from biobert import Annotator, Document
from biobert.compression.folder import export_folder
from biobert.core.errors import BadInputError
from biobert.pipeline.annotator import Refused
from biobert.pipeline.embedder import Embedder
from biobert.pipeline.gap_filler import GapFiller
from biobert.runtime.settings import RuntimeSettings
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder, write_tiny_model_folder

TEXT = "the [MASK] and the cardiac arrest"
FLOAT32 = RuntimeSettings(precision="float32")


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language") / "model"
    return write_tiny_model_folder(folder, task="pretraining", others={"pairs": "order"})


@pytest.fixture(scope="module")
def exported(language_model: Path) -> Path:
    export_folder(language_model, language_model.with_name("exported"))
    return language_model.with_name("exported")


def test_an_exported_model_fills_gaps_without_torch(
    language_model: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (expected,) = GapFiller(language_model).fill(TEXT)
    monkeypatch.setitem(sys.modules, "torch", None)
    filler = GapFiller(exported, settings=FLOAT32)
    (found,) = filler.fill(TEXT)
    assert [one.piece for one in found.candidates] == [one.piece for one in expected.candidates]
    assert found.candidates[0].probability == pytest.approx(
        expected.candidates[0].probability, abs=1e-4
    )
    with pytest.raises(BadInputError, match="the model reads 512; shorten it"):
        filler.fill(TEXT + " cancer" * 600)


def test_a_graph_answers_for_its_own_task_alone(exported: Path, exported_model: Path) -> None:
    for use, folder in ((Embedder, exported), (GapFiller, exported_model)):
        with pytest.raises(BadInputError, match="name the folder that it was made of"):
            use(folder)


def test_rows_of_the_table_that_are_no_piece_are_never_proposed(tmp_path: Path) -> None:
    """Many checkpoints pad their table of embeddings to a round number of rows."""
    pieces = tiny_tokenizer().vocabulary_size
    folder = write_tiny_encoder_folder(tmp_path / "padded", kind="BertForPreTraining")
    model = BertForPreTraining.from_pretrained(folder)
    model.resize_token_embeddings(pieces + 40, mean_resizing=False)
    with torch.no_grad():
        model.cls.predictions.bias[pieces:] = 20.0
    model.save_pretrained(folder)
    (gap,) = GapFiller(folder).fill(TEXT, top=pieces + 40)
    assert "None" not in [one.piece for one in gap.candidates]
    assert len(gap.candidates) == pieces
    assert sum(one.probability for one in gap.candidates) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("kind", ["torch", "auto"])
def test_a_text_that_is_too_long_is_refused_and_the_others_are_annotated(
    language_model: Path, exported: Path, kind: Literal["torch", "auto"]
) -> None:
    folder = language_model if kind == "torch" else exported
    annotator = Annotator(folder, settings=RuntimeSettings(engine=kind, precision="float32"))
    long = Document("long", TEXT + " cancer" * 600)
    (found,) = annotator.annotate_chunks([Document("1", TEXT), long, Document("3", TEXT)])
    assert isinstance(found[0], Document) and found[0].entities
    assert isinstance(found[1], Refused)
    assert str(found[1].problem) == (
        "document 'long' has 608 tokens, the model reads 512; shorten it around the gap"
    )
    assert isinstance(found[2], Document) and found[2].entities == found[0].entities
    with pytest.raises(BadInputError, match="'long' has 608 tokens"):
        annotator.model.answered([long])


def test_a_gap_is_filled_with_a_piece_that_there_is(language_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "padded"
    shutil.copytree(language_model, folder)
    weights = load_file(folder / "model.safetensors")
    pieces = tiny_tokenizer().vocabulary_size
    padded = 0
    for name, values in weights.items():
        if values.shape[:1] == (pieces,):
            more = torch.full((40, *values.shape[1:]), 20.0 if values.ndim == 1 else 0.0)
            weights[name] = torch.cat([values, more])
            padded += 1
    assert padded >= 2
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": pieces + 40}))
    (entity,) = Annotator(folder).annotate(TEXT).entities
    (piece,) = entity.concept_ids
    assert int(piece.removeprefix("piece:")) < pieces


def test_a_model_of_the_repository_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (gap,) = GapFiller("models/biobert-mini").fill("Aspirin [MASK] pain.", top=1)
    assert gap.candidates[0].piece.isalpha()


def test_what_is_shipped_fills_no_gaps() -> None:
    with pytest.raises(BadInputError, match="take models/biobert-mini"):
        GapFiller("embedded")
