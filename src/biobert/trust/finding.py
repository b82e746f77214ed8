"""All identifiers of a text, none of them overlapping."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from biobert.core.document import Span
from biobert.trust.identifiers import SHELF
from biobert.trust.kinds import KINDS
from biobert.trust.note import Candidate, Certainty, NoteText

# Behind a line of some length and before one that is no paragraph of its own, a text was wrapped.
SOFT_BREAK = re.compile(r"(?<=[^\n]{40})\n(?=[^\W_][^\n]{0,160}(?![^\n]))")


Check = Callable[[], None]
"""Raises where going on is of no use: a long text takes seconds."""


def go_on() -> None:
    """The check of those who wait however long it takes."""


def find_identifiers(
    text: str,
    further: Iterable[Candidate] = (),
    *,
    vetoes: Sequence[Span] = (),
    check: Check = go_on,
) -> list[Candidate]:
    """What the finders of the shelf and `further` name, in text order.

    A wrapped text is searched with its lines joined too: `Dr.` may end one and the name begin the
    next. Names among `further` are looked for again like the finders' own. Where two overlap, the
    surer and longer one stays, and of the other what it does not cover. What only a list of names
    or places knows is left out where it lies inside `vetoes`.
    `check` is called before each finder.
    """
    further = list(further)
    # In the order of the text, so that the same text gives the same.
    told = dict.fromkeys(text[one.start : one.end] for one in further if one.kind == "NAME")
    candidates = [*_of_lines(text, tuple(told), check), *further]
    vetoed = bytearray(len(text))
    for span in vetoes:
        vetoed[span.start : span.end] = b"\1" * (span.end - span.start)
    kept = [one for one in candidates if not _is_vetoed(one, vetoed)]
    return _without_overlaps(text, kept)


def _of_lines(text: str, told: Sequence[str], check: Check) -> Iterator[Candidate]:
    """What the finders name in a text as it is, and with its wrapped lines joined."""
    # Lines may end in two characters: they are searched with the second alone.
    breaks = [match.start() - number for number, match in enumerate(re.finditer("\r\n", text))]
    plain = text.replace("\r\n", "\n")
    unwrapped = SOFT_BREAK.sub(" ", plain)
    for searched in (plain, unwrapped) if unwrapped != plain else (plain,):
        for one in _candidates(NoteText(searched, told), check):
            start, end = (at + bisect_right(breaks, at) for at in (one.start, one.end - 1))
            yield replace(one, start=start, end=end + 1)


def _candidates(note: NoteText, check: Check) -> Iterator[Candidate]:
    for find in _finders():
        check()
        yield from find(note)


@cache
def _finders() -> tuple[Callable[[NoteText], Iterator[Candidate]], ...]:
    return tuple(SHELF.load(name).find for name in SHELF.names())


def _is_vetoed(candidate: Candidate, vetoed: bytearray) -> bool:
    is_inside = vetoed.find(0, candidate.start, candidate.end) < 0
    return is_inside and candidate.certainty is Certainty.LISTED


def _rank(candidate: Candidate) -> tuple[int, int, int, int]:
    length = candidate.end - candidate.start
    return (-candidate.certainty, -length, candidate.start, KINDS.index(candidate.kind))


def _without_overlaps(text: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    taken = bytearray(len(text))
    kept = []
    for one in sorted(candidates, key=_rank):
        for start, end in _free(taken, one.start, one.end):
            if (start, end) != (one.start, one.end):
                start, end = _without_signs(text, start, end)
            if start < end:
                kept.append(Candidate(one.kind, start, end, one.certainty))
                taken[start:end] = b"\1" * (end - start)
    return sorted(kept, key=lambda one: one.start)


def _without_signs(text: str, start: int, end: int) -> tuple[int, int]:
    """What is left of a candidate, from its first letter or digit to its last."""
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end


def _free(taken: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of [start, end) that nothing has taken yet."""
    while start < end:
        begin = taken.find(0, start, end)
        if begin < 0:
            return
        until = taken.find(1, begin, end)
        until = end if until < 0 else until
        yield begin, until
        start = until
