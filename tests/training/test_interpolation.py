"""A model between what it began from and what it has become."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from biobert.core.errors import BadInputError
from biobert.core.model_folder import WEIGHTS, read_manifest
from biobert.pipeline.annotator import Annotator
from biobert.training.interpolation import interpolate
from tests.cli.calling import call


@pytest.fixture
def start(tiny_model: Path, tmp_path: Path) -> Path:
    """A plain encoder whose every weight is one more than the tiny model's; it has no head."""
    folder = tmp_path / "start"
    folder.mkdir()
    shutil.copyfile(tiny_model / "config.json", folder / "config.json")
    tensors = load_file(tiny_model / WEIGHTS)
    encoder = {
        name.removeprefix("bert."): value + 1.0
        for name, value in tensors.items()
        if name.startswith("bert.")
    }
    save_file(encoder, folder / WEIGHTS)
    return folder


def test_the_encoder_goes_back_and_the_head_stays(
    tiny_model: Path, start: Path, tmp_path: Path
) -> None:
    output = tmp_path / "between"
    found = call("interpolate", tiny_model, start, "--share", "0.25", "-o", output, "--json")
    assert found.code == 0, found.err
    before, after = load_file(tiny_model / WEIGHTS), load_file(output / WEIGHTS)
    assert set(before) == set(after)
    for name, value in before.items():
        expected = value + 0.25 if name.startswith("bert.") else value
        torch.testing.assert_close(after[name], expected)
    manifest = read_manifest(output)
    assert manifest.name == "between"
    assert manifest.recipe["interpolated"]["share"] == 0.25
    assert manifest.metrics == {}
    assert Annotator(output).annotate("Lithium.").text == "Lithium."


def test_what_does_not_fit_is_refused(tiny_model: Path, start: Path, tmp_path: Path) -> None:
    output = tmp_path / "between"
    with pytest.raises(BadInputError, match="between 0 and 1"):
        interpolate(tiny_model, start, output, share=1.0, name="x")
    with pytest.raises(BadInputError, match="exists"):
        interpolate(tiny_model, start, start, share=0.5, name="x")
    tensors = load_file(start / WEIGHTS)
    longer = {name: torch.cat([value, value]) for name, value in tensors.items()}
    save_file(longer, start / WEIGHTS)
    with pytest.raises(BadInputError, match="it did not begin there"):
        interpolate(tiny_model, start, output, share=0.5, name="x")
    save_file({"other": torch.zeros(1)}, start / WEIGHTS)
    with pytest.raises(BadInputError, match="no weights of one name"):
        interpolate(tiny_model, start, output, share=0.5, name="x")
    assert not output.exists()
