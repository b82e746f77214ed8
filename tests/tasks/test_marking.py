"""Marks round mentions, or placeholders for them, and the way back to the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Entity, Span
from biobert.tasks._marking import Marked, MarkedText, mark, mentions_of
from biobert.text.tokenizer import Tokenizer
from tests.text.kinds import KINDS


@pytest.mark.parametrize(
    ("first", "second", "markers", "anonymous"),
    [
        ([(0, 15)], [(0, 8)], " <<  [[ tyrosine ]]  kinase >>  x", "@A-B$ x"),
        ([(9, 15)], [(0, 15)], " [[ tyrosine  << kinase >>  ]]  x", "@A-B$ x"),
        ([(0, 15)], [(9, 17)], " << tyrosine  [[ kinase >>  x ]] ", "@A-B$"),
        ([(0, 15)], [(0, 15)], " <<  [[ tyrosine kinase ]]  >>  x", "@A-B$ x"),
        ([(0, 8)], [(8, 15)], " << tyrosine >>  [[  kinase ]]  x", "@A$@B$ x"),
        ([(0, 2), (9, 15)], [(3, 8)], " << ty >> r [[ osine ]]   << kinase >>  x", "@A$r@B$ @A$ x"),
    ],
)
def test_nested_overlapping_and_split_mentions(
    first: list[tuple[int, int]], second: list[tuple[int, int]], markers: str, anonymous: str
) -> None:
    text = "tyrosine kinase x"
    ends = (
        Marked(tuple(Span(*one) for one in first), "A"),
        Marked(tuple(Span(*one) for one in second), "B"),
    )
    whole = [Span(0, len(text))]
    assert mark(text, whole, ends, "markers").text == markers
    assert mark(text, whole, ends, "anonymous").text == anonymous


def test_fragments_are_marked_each() -> None:
    text = "alpha- and beta-blockers"
    alpha = Entity(0, 24, "Gene", fragments=(Span(0, 6), Span(16, 24)))
    assert mentions_of([alpha]) == (Span(0, 6), Span(16, 24))
    assert mentions_of([alpha, Entity(11, 24, "Gene")]) == (Span(0, 6), Span(11, 24))
    ends = (Marked(mentions_of([alpha]), "A"), Marked((Span(11, 24),), "B"))
    assert mark(text, [Span(0, 24)], ends, "markers").text == (
        " << alpha- >>  and  [[ beta- << blockers >>  ]] "
    )


LETTERS = "ab Zé\u0301αβ🧬-.,()[]<>@$\n"
texts = st.text(alphabet=LETTERS, min_size=4, max_size=60)


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[Span], tuple[Marked, Marked], MarkedText]:
    """A text, stretches of it, and two arguments whose spans overlap and nest as they like."""
    text = draw(texts)
    cut = draw(st.integers(2, len(text) - 2))
    skipped = draw(st.integers(0, min(2, len(text) - cut - 1)))
    stretches = [Span(0, cut), Span(cut + skipped, len(text))]

    def argument(name: str) -> Marked:
        spans = []
        for _ in range(draw(st.integers(1, 3))):
            stretch = draw(st.sampled_from(stretches))
            start = draw(st.integers(stretch.start, stretch.end - 1))
            spans.append(Span(start, draw(st.integers(start + 1, stretch.end))))
        entities = [Entity(one.start, one.end, name) for one in spans]
        return Marked(mentions_of(entities), name)

    ends = argument("A"), argument("B")
    marking = draw(st.sampled_from(["markers", "anonymous"]))
    return text, stretches, ends, mark(text, stretches, ends, marking)


@given(marked())
def test_every_character_has_its_place_in_the_document(
    case: tuple[str, list[Span], tuple[Marked, Marked], MarkedText],
) -> None:
    text, stretches, ends, found = case
    copied = [
        (sign, int(start))
        for sign, start, end in zip(found.text, found.starts, found.ends, strict=True)
        if end == start + 1 and sign == text[start]
    ]
    places = [place for _, place in copied]
    assert places == sorted(places)
    kept = {place for span in stretches for place in range(span.start, span.end)}
    covered = {
        place
        for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True)
        for place in range(start, end)
        if start >= 0
    }
    assert covered == kept
    for argument, marks in zip(ends, found.marks, strict=True):
        assert marks
        for place in marks:
            assert found.text[place] in "<[@"
            following = place + int(np.argmax(found.starts[place:] >= 0))
            start, end = found.starts[following], found.ends[following]
            assert any(span.start < end and span.end > start for span in argument.spans)


@pytest.mark.parametrize("tokenizer", KINDS.values(), ids=KINDS)
@given(case=marked())
def test_offsets_of_pieces_stay_true(
    tokenizer: Tokenizer, case: tuple[str, list[Span], tuple[Marked, Marked], MarkedText]
) -> None:
    text, _, ends, found = case
    (pieces,) = tokenizer.pieces([found.text])
    replaced = [span for argument in ends for span in argument.spans]
    for (start, end), (first, last) in zip(
        found.origins(pieces.offsets).tolist(), pieces.offsets.tolist(), strict=True
    ):
        if start < 0:
            assert (found.starts[first:last] < 0).all()
        elif text[start:end] != found.text[first:last]:
            # A placeholder, or a piece that takes a character that was put in along.
            is_put_in = (found.starts[first:last] < 0).any()
            assert is_put_in or any(span.start < end and span.end > start for span in replaced)
