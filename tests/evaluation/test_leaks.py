"""Scores of de-identification, by hand."""

import pytest

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.evaluation.leaks import score_leaks

TEXT = "Ann Lee, 617-555-0143, Boston"


def document(*entities: tuple[int, int, str]) -> Document:
    return Document("1", TEXT, entities=tuple(Entity(*one) for one in entities))


def test_an_identifier_is_removed_when_nothing_of_it_is_left() -> None:
    gold = document((0, 7, "NAME"), (9, 21, "PHONE"), (23, 29, "LOCATION"))
    # Half of the name, the number under another kind, and a comma for nothing.
    found = document((0, 3, "NAME"), (9, 21, "FAX"), (7, 8, "NAME"))
    scores = score_leaks([gold], [found])
    assert scores.overall.identifiers == 3
    assert scores.overall.removed == 1
    assert scores.by_kind["PHONE"].removed == 1
    assert scores.by_kind["PHONE"].named == 0
    assert scores.by_kind["NAME"].recall == 0
    assert scores.precision == pytest.approx(2 / 3)
    # "Lee" and "Boston" of "AnnLee", "6175550143" and "Boston" are left.
    assert scores.leak_rate == pytest.approx(9 / 22)


def test_two_pieces_may_cover_an_identifier_together() -> None:
    scores = score_leaks([document((0, 7, "NAME"))], [document((0, 3, "NAME"), (4, 7, "NAME"))])
    assert scores.overall.recall == 1
    assert scores.leak_rate == 0


def test_words_of_no_identifier_are_counted_where_they_are_replaced() -> None:
    text = "Dr. Lee gave 5 mg Lasix."
    gold = Document("1", text, entities=(Entity(4, 7, "NAME"),))
    found = gold.with_entities([Entity(4, 12, "NAME"), Entity(18, 20, "NAME")])
    # `gave` and `Lasix` of `Dr`, `gave`, `mg` and `Lasix`.
    assert score_leaks([gold], [found]).clean_words_replaced == pytest.approx(2 / 4)
    assert score_leaks([gold], [gold]).clean_words_replaced == 0


def test_nothing_to_find_and_nothing_found() -> None:
    scores = score_leaks([document()], [document()])
    assert (scores.overall.recall, scores.precision, scores.leak_rate) == (0, 0, 0)


def test_other_texts_are_refused() -> None:
    with pytest.raises(BadInputError, match="differ"):
        score_leaks([document()], [Document("1", "x")])
