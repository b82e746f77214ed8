"""What a format says that it holds is what comes back."""

from dataclasses import replace
from pathlib import Path

import pytest

from biobert.data.reading import annotations_in, held_by, not_held, write_documents
from tests.data.formats.test_every_format import BOTH, DOCUMENT, PAIRS, WRITTEN, through

SIGNS = {
    "html": {"entities": "<mark", "relations": "<b>CID</b>", "labels": "malignant"},
    "mentions": {"entities": "cardiac arrest", "relations": "CID", "labels": "malignant"},
}
"""Where nothing comes back, what stands in the file for each kind."""


@pytest.mark.parametrize("format", [one for one in WRITTEN if one not in PAIRS])
def test_a_format_says_which_annotations_it_holds(format: str, tmp_path: Path) -> None:
    document = replace(DOCUMENT, labels=("malignant",))
    if format in SIGNS:
        write_documents([document], tmp_path / "a", format)
        page = (tmp_path / "a").read_text()
        found = {kind for kind, sign in SIGNS[format].items() if sign in page}
    else:
        read = through(document, format, tmp_path)
        found = {kind for kind, count in annotations_in(read).items() if count}
    assert found == set(held_by(format))
    lost = [kind for kind in ("entities", "relations", "labels") if kind not in found]
    line = not_held(format, annotations_in(document))
    assert bool(line) == bool(lost)
    assert all(kind in line.partition(":")[0] for kind in lost)


@pytest.mark.parametrize("format", [one for one in BOTH if one not in PAIRS])
def test_names_that_would_part_lines_and_cells_part_none(format: str, tmp_path: Path) -> None:
    first, *others = DOCUMENT.entities
    odd = (replace(first, label="a\tb\nc"), *others)
    document = replace(DOCUMENT, id="a|t|\tb\nc", entities=odd)
    read, expected = (
        through(one, format, tmp_path / one.id[:3].replace("|", "-"))
        for one in (document, DOCUMENT)
    )
    assert read.text == expected.text
    assert len(read.entities) == len(expected.entities)
    assert len(read.relations) == len(expected.relations)
