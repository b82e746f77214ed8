"""Export keeps the answers, quantisation the size promise, and a failure the old folder."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.compression.folder import export_folder
from biobert.compression.quantize import round_weights
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.model_folder import read_manifest


def test_the_folder_is_complete_and_light(tiny_model: Path, exported_model: Path) -> None:
    names = {path.name for path in exported_model.iterdir()}
    assert {"model.onnx", "tokenizer.json", "biobert.json"} <= names
    assert "model.safetensors" not in names
    assert read_manifest(exported_model) == read_manifest(tiny_model)


def test_int8_weights_are_smaller_and_near(tiny_model: Path, tmp_path: Path) -> None:
    from biobert.runtime.settings import RuntimeSettings
    from tests.runtime.test_engines import logits

    plain = export_folder(tiny_model, tmp_path / "plain", weights="float32")
    small = export_folder(tiny_model, tmp_path / "small", weights="int8")
    assert small.bytes < 0.6 * plain.bytes
    settings = RuntimeSettings(precision="float32")
    exact, rounded = (logits(report.path.parent, settings) for report in (plain, small))
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


def test_an_unknown_kind_of_weights_names_those_there_are(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(BiobertError, match="int8"):
        export_folder(tiny_model, tmp_path / "out", weights="int4")
    assert not (tmp_path / "out").exists()


def test_a_model_is_not_exported_onto_itself(tiny_model: Path) -> None:
    before = json.loads((tiny_model / "biobert.json").read_text())
    with pytest.raises(BadInputError, match="another folder"):
        export_folder(tiny_model, tiny_model, weights="int8")
    assert json.loads((tiny_model / "biobert.json").read_text()) == before
