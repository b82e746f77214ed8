"""Documents of two texts."""

from biobert import pair_document
from biobert.core.passages import passage_of


def test_two_texts_are_the_passages_of_a_document() -> None:
    pair = pair_document("7", "She has a fever.", "She is ill.", ("premise", "hypothesis"))
    assert pair.id == "7"
    premise, hypothesis = (passage_of(pair, kind) for kind in ("premise", "hypothesis"))
    assert pair.text[premise.start : premise.end] == "She has a fever."
    assert pair.text[hypothesis.start : hypothesis.end] == "She is ill."
    assert [one.kind for one in pair_document("1", "a", "b").passages] == ["first", "second"]
