"""What a document holds, and what it refuses."""

import pytest

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError


def test_documents_refuse_what_cannot_be() -> None:
    with pytest.raises(BadInputError, match="start must be < end"):
        Entity(5, 5, "Gene")
    with pytest.raises(BadInputError, match="probability"):
        Entity(0, 5, "Gene", score=1.5)
    with pytest.raises(BadInputError, match="beyond the text of 3 characters"):
        Document("1", "abc", entities=(Entity(0, 4, "Gene"),))
    with pytest.raises(BadInputError, match="fragments"):
        Entity(0, 9, "Gene", fragments=(Span(0, 2), Span(4, 6)))


def test_entities_come_in_text_order() -> None:
    document = Document("1", "abcdef").with_entities([Entity(3, 4, "B"), Entity(0, 2, "A")])
    assert [entity.label for entity in document.entities] == ["A", "B"]
