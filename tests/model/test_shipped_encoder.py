"""The compact encoder in `models/` opens everywhere and has learnt something."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from biobert.core.model_folder import read_manifest
from biobert.model.weights import load_bert
from biobert.pipeline.filling import GapFiller

FOLDER = Path(__file__).parents[2] / "models" / "biobert-mini"
LARGEST_FILE = 30_000_000


def test_its_files_are_small_and_tell_where_it_comes_from() -> None:
    assert all(path.stat().st_size <= LARGEST_FILE for path in FOLDER.iterdir())
    recipe = read_manifest(FOLDER).recipe
    assert recipe["model"]["encoder"] == "sentence-transformers/all-MiniLM-L6-v2"


@torch.no_grad()
def test_transformers_and_our_encoder_read_the_same_weights() -> None:
    ids = torch.tensor([[101, 7279, 5876, 7357, 102]])
    theirs = AutoModel.from_pretrained(FOLDER, dtype=torch.float32).eval()(ids)
    ours = load_bert(FOLDER).eval()(ids)
    assert torch.allclose(ours, theirs.last_hidden_state, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Mutations of the BRCA1 gene cause breast and ovarian [MASK].", "cancer"),
        ("Patients with type 2 [MASK] were treated with metformin.", "diabetes"),
        ("Aspirin inhibits platelet [MASK].", "aggregation"),
    ],
)
def test_it_fills_gaps_of_biomedical_text(text: str, word: str) -> None:
    (gap,) = GapFiller(FOLDER).fill(text, top=3)
    assert word in [one.piece for one in gap.candidates]
