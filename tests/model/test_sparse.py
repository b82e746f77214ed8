"""Sparse storage gives back every bit, and notices a damaged file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from biobert.core.errors import BadInputError
from biobert.model.sparse import read_sparse, write_sparse

KINDS = [torch.float32, torch.float16, torch.bfloat16]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.floats(0.0, 1.0),
    st.sampled_from(KINDS),
    st.integers(0, 99),
)
def test_tensors_come_back_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory,
    shape: list[int],
    share: float,
    kind: torch.dtype,
    seed: int,
) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=shape) * (generator.random(shape) > share)
    tensors = {"a": torch.from_numpy(values).to(kind), "a.mask": torch.tensor([-0.0, 0.0, 1.0])}
    path = tmp_path_factory.mktemp("sparse") / "t.safetensors"
    write_sparse(tensors, path)
    found = read_sparse(path)
    assert found.keys() == tensors.keys()
    for name, wanted in tensors.items():
        assert found[name].dtype == wanted.dtype
        assert found[name].shape == wanted.shape
        bits = [one.contiguous().view(torch.uint8) for one in (found[name], wanted)]
        assert torch.equal(*bits)


def test_half_the_weights_take_little_more_than_half_the_disk(tmp_path: Path) -> None:
    weights = torch.randn(200, 200)
    weights[:100] = 0.0
    write_sparse({"w": weights}, tmp_path / "sparse")
    assert (tmp_path / "sparse").stat().st_size < 0.55 * weights.nbytes


@pytest.mark.parametrize(
    ("part", "damaged", "said"),
    [
        ("w.values", torch.ones(3), "3 values for 5 bits"),
        ("w.mask", torch.zeros(9, dtype=torch.uint8), "a mask of 9 bytes"),
        ("w.mask", None, "lacks its mask"),
    ],
)
def test_a_damaged_file_is_refused(
    tmp_path: Path, part: str, damaged: torch.Tensor | None, said: str
) -> None:
    weights = torch.zeros(10, 10)
    weights[0, :5] = 1.0
    write_sparse({"w": weights}, tmp_path / "good")
    tensors = load_file(tmp_path / "good")
    del tensors[part]
    if damaged is not None:
        tensors[part] = damaged
    save_file(tensors, tmp_path / "bad", metadata={"shapes": '{"w": [10, 10]}'})
    with pytest.raises(BadInputError, match=said):
        read_sparse(tmp_path / "bad")
