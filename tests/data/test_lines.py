"""Lines are read one by one, and what cannot be read is set aside and remembered."""

import json
from pathlib import Path

import pytest

from biobert.data.lines import lines_of, write_records
from biobert.data.rejects import Rejects


def test_a_line_that_is_too_long_is_set_aside_under_its_number(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\r\nmuch too long\n\n\xfftwo")
    rejects = Rejects()
    found = list(lines_of(tmp_path / "a.txt", rejects, 5))
    assert found == [(1, "one\r\n"), (3, "\n"), (4, "\ufffdtwo")]
    assert [(one.place, one.reason.partition(":")[0]) for one in rejects.kept] == [
        ("2", "line too long"),
        ("file", "not UTF-8"),
    ]
    assert rejects.kept[0].reason == "line too long: more than 5 characters"


@pytest.mark.parametrize(
    ("records", "written"), [([], "<>"), (["a"], "<a>"), (["a", "b", "c"], "<a,b,c>")]
)
def test_records_are_written_between_head_and_foot_and_counted(
    records: list[str], written: str, tmp_path: Path
) -> None:
    count = write_records(iter(records), tmp_path / "a", head="<", between=",", foot=">")
    assert count == len(records)
    assert (tmp_path / "a").read_text() == written


def test_rejects_come_back_from_json_as_they_were() -> None:
    rejects = Rejects()
    for number in range(3):
        rejects.add("a.txt", number, f"bad line: {number}")
    rejects.count += 2  # counted alone
    values = rejects.to_json()
    assert list(values) == ["count", "reasons", "kept"]
    found = Rejects.from_json(json.loads(json.dumps(values)))
    assert (found.count, found.reasons, found.kept) == (5, {"bad line": 3}, rejects.kept)
    found.add("b.txt", 1, "another")
    assert found.reasons == {"bad line": 3, "another": 1}
