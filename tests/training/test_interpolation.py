"""A model between what it began from and what it has become."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from biobert.core.errors import BadInputError
from biobert.core.model_folder import WEIGHTS, ModelManifest, read_manifest
from biobert.pipeline.annotator import Annotator
from biobert.training.interpolation import interpolate
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder


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


def test_what_both_have_learnt_from_stays_known(
    tiny_model: Path, start: Path, tmp_path: Path
) -> None:
    recipes = {"model": {"name": "own"}, "start": {"name": "first"}}
    ModelManifest("first", "pretraining", {}, recipe=recipes["start"]).write(start)
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    replace(read_manifest(model), recipe=recipes["model"], learnt_before=()).write(model)
    found = interpolate(model, start, tmp_path / "between", share=0.5, name="x")
    assert found.learnt_before is not None
    assert [one["recipe"] for one in found.learnt_before] == [recipes["model"], recipes["start"]]


def test_thresholds_of_other_weights_are_left_out_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"labels": ["a", "b"], "choice": "many", "thresholds": {"a": 0.1, "b": 0.7}}
    model = write_tiny_model_folder(tmp_path / "model", task="classification", others=settings)
    encoder = tmp_path / "model-encoder"
    found = interpolate(model, encoder, tmp_path / "between", share=0.5, name="x")
    assert found.task_settings["thresholds"] == {}
    assert "thresholds.a: 0.1, now None; thresholds.b: 0.7, now None" in caplog.text
    assert read_manifest(tmp_path / "between").task_settings["thresholds"] == {}


def test_what_does_not_fit_is_refused(tiny_model: Path, start: Path, tmp_path: Path) -> None:
    output = tmp_path / "between"
    with pytest.raises(BadInputError, match="between 0 and 1"):
        interpolate(tiny_model, start, output, share=1.0, name="x")
    with pytest.raises(BadInputError, match="exists"):
        interpolate(tiny_model, start, start, share=0.5, name="x")
    tensors = load_file(start / WEIGHTS)
    deeper = {name.replace("layer.0", "layer.9"): value.clone() for name, value in tensors.items()}
    save_file({**deeper, **tensors}, start / WEIGHTS)
    with pytest.raises(BadInputError, match=r"2 layers, .* 3: it did not begin there"):
        interpolate(tiny_model, start, output, share=0.5, name="x")
    longer = {name: torch.cat([value, value]) for name, value in tensors.items()}
    save_file(longer, start / WEIGHTS)
    with pytest.raises(BadInputError, match="it did not begin there"):
        interpolate(tiny_model, start, output, share=0.5, name="x")
    save_file({"other": torch.zeros(1)}, start / WEIGHTS)
    with pytest.raises(BadInputError, match="no weights of one name"):
        interpolate(tiny_model, start, output, share=0.5, name="x")
    assert not output.exists()
