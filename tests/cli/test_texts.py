"""What a terminal shows of texts."""

import pytest

from biobert.cli.summary import highlighted
from biobert.cli.texts import as_it_stands
from biobert.core.document import Document, Entity


@pytest.mark.parametrize("sign", ["\r\n", "\r", "\v", "\f", "\a", "\b", "\x1b", "\n", "\t"])
def test_entities_are_coloured_where_they_stand(sign: str) -> None:
    text = f"Given daily,{sign}aspirin{sign}may cause an ulcer."
    start = text.index("aspirin")
    shown = highlighted(Document("a", text, entities=(Entity(start, start + 7, "Chemical"),)))
    assert [shown.plain[one.start : one.end] for one in shown.spans] == ["aspirin"]
    plain = as_it_stands(text).plain
    assert len(plain) == len(text) and plain.split()[-5:] == [
        "aspirin",
        "may",
        "cause",
        "an",
        "ulcer.",
    ]
