"""Export keeps the answers, quantisation the size promise, and a failure the old folder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.compression.folder import export_folder
from biobert.compression.quantize import quantize_weights, round_weights
from biobert.core.errors import BadInputError
from biobert.core.model_folder import EXPORTED_MODEL, put_in_place, read_manifest
from tests.eight_bits import export_in_eight_bits


def test_the_folder_is_complete_and_light(tiny_model: Path, exported_model: Path) -> None:
    names = {path.name for path in exported_model.iterdir()}
    assert {"model.onnx", "tokenizer.json", "biobert.json"} <= names
    assert "model.safetensors" not in names
    assert read_manifest(exported_model) == read_manifest(tiny_model)


def test_int8_weights_are_smaller_and_near(tiny_model: Path, tmp_path: Path) -> None:
    from biobert.runtime.settings import RuntimeSettings
    from tests.runtime.test_engines import logits

    plain = export_folder(tiny_model, tmp_path / "plain").path
    small = export_in_eight_bits(tiny_model, tmp_path / "small") / EXPORTED_MODEL
    assert small.stat().st_size < 0.6 * plain.stat().st_size
    settings = RuntimeSettings(precision="float32")
    exact, rounded = (logits(graph.parent, settings) for graph in (plain, small))
    for one, other in zip(exact, rounded, strict=True):
        assert np.abs(one - other).max() < 0.05 * np.abs(one).max()


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from([0, 1]), st.integers(0, 999))
def test_rounding_is_within_half_a_step(rows: int, columns: int, axis: int, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    weights[0] = 0.0
    values, scales = round_weights(weights, axis=axis)
    spread = scales[:, None] if axis == 0 else scales[None, :]
    assert values.dtype == np.int8
    assert len(scales) == weights.shape[axis]
    assert (np.abs(values * spread - weights) <= spread / 2 + 1e-7).all()


def test_a_model_is_not_exported_onto_itself(tiny_model: Path) -> None:
    before = json.loads((tiny_model / "biobert.json").read_text())
    with pytest.raises(BadInputError, match="another folder"):
        export_folder(tiny_model, tiny_model)
    assert json.loads((tiny_model / "biobert.json").read_text()) == before


def test_a_folder_that_is_no_model_is_not_overwritten(tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "home" / "model"
    shutil.copytree(tiny_model, model)
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInputError, match="another folder"):
        export_folder(model, tmp_path / "home")
    with pytest.raises(BadInputError, match="no model folder"):
        export_folder(tiny_model, tmp_path / "home")
    assert (tmp_path / "home" / "thesis.txt").read_text() == "mine"
    assert (model / "model.safetensors").is_file()


def test_a_model_is_replaced_by_renaming(tiny_model: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    for _ in range(2):
        export_folder(tiny_model, output)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "nothing", output)
    assert read_manifest(tmp_path / ".out.old") == read_manifest(tiny_model)


def test_weights_that_are_no_floats_are_not_rounded_in_silence(
    tiny_model: Path, tmp_path: Path
) -> None:
    small = export_in_eight_bits(tiny_model, tmp_path / "small") / EXPORTED_MODEL
    with pytest.raises(BadInputError, match="no float weights"):
        quantize_weights(small, tmp_path / "again.onnx")
