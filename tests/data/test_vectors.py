"""Files of vectors."""

import json
from pathlib import Path

import numpy as np
import pytest

from biobert.core.errors import BadInputError
from biobert.data.vectors import NamedVector, VectorCount, write_vectors

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4) / 7


def named(rows: np.ndarray) -> list[NamedVector]:
    return [NamedVector(f"t:{number}", row) for number, row in enumerate(rows)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_numpy_reads_the_array(tmp_path: Path, count: int) -> None:
    found = write_vectors(iter(named(ROWS[:count])), str(tmp_path / "v.npy"))
    assert found == VectorCount(count, 4 if count else 0)
    array = np.load(tmp_path / "v.npy", allow_pickle=False)
    assert array.dtype == np.float32
    assert np.array_equal(array, ROWS[:count] if count else np.zeros((0, 0)))
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r") if count else array
    assert mapped.shape == array.shape


def test_lines_have_names(tmp_path: Path) -> None:
    write_vectors(named(ROWS), str(tmp_path / "v.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["t:0", "t:1", "t:2"]
    assert np.allclose([line["vector"] for line in lines], ROWS, rtol=1e-6)


def test_a_failed_run_leaves_the_old_file(tmp_path: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield from named(ROWS)
        raise BadInputError("no more")

    for name in ("v.npy", "v.jsonl"):
        write_vectors(named(ROWS[:1]), str(tmp_path / name))
        before = (tmp_path / name).read_bytes()
        with pytest.raises(BadInputError):
            write_vectors(broken(), str(tmp_path / name))
        assert (tmp_path / name).read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["v.jsonl", "v.npy"]


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"\.npy or \.jsonl"):
        write_vectors(named(ROWS), str(tmp_path / "v.parquet"))
