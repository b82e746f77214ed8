"""Fixtures of the data room's tests."""

import json
from pathlib import Path

import pytest

from tests.data.articles import jats, prose, pubmed, write_tar


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "in"
    place.mkdir()
    write_tar(place / "a.tar.gz", {f"{one}.nxml": jats(one) for one in range(25)})
    (place / "b.xml").write_text(pubmed(list(range(500, 540))))
    (place / "c.txt").write_text(prose(600))
    (place / "d.txt").write_text(prose(600).upper())  # a duplicate
    (place / "e.jsonl").write_text(json.dumps({"text": "Too short."}) + "\n{broken\n")
    return place
