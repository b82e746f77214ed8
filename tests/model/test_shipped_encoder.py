"""The compact encoders in `models/` open everywhere and have learnt something."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from biobert.core.model_folder import read_manifest
from biobert.model.weights import load_bert
from biobert.pipeline.gap_filler import GapFiller

MODELS = Path(__file__).parents[2] / "models"
ENCODERS = {
    "biobert-mini": "sentence-transformers/all-MiniLM-L6-v2",
    "biobert-mini-12": "models/biobert-mini",
}
LARGEST_FILE = 30_000_000


@pytest.fixture(params=ENCODERS)
def folder(request: pytest.FixtureRequest) -> Path:
    return MODELS / str(request.param)


def test_its_files_are_small_and_tell_where_it_comes_from(folder: Path) -> None:
    assert all(path.stat().st_size <= LARGEST_FILE for path in folder.iterdir())
    assert read_manifest(folder).recipe["model"]["encoder"] == ENCODERS[folder.name]


@torch.no_grad()
def test_transformers_and_our_encoder_read_the_same_weights(folder: Path) -> None:
    ids = torch.tensor([[101, 7279, 5876, 7357, 102]])
    theirs = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()(ids)
    ours = load_bert(folder).eval()(ids)
    assert torch.allclose(ours, theirs.last_hidden_state, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Mutations of the BRCA1 gene cause breast and ovarian [MASK].", "cancer"),
        ("Patients with type 2 [MASK] were treated with metformin.", "diabetes"),
        ("Aspirin inhibits platelet [MASK].", "aggregation"),
    ],
)
def test_it_fills_gaps_of_biomedical_text(folder: Path, text: str, word: str) -> None:
    (gap,) = GapFiller(folder).fill(text, top=3)
    assert word in [one.piece for one in gap.candidates]
