"""Telephone and fax numbers (D, E)."""

import re
from collections.abc import Iterator

from biobert.trust.kinds import Kind
from biobert.trust.note import Candidate, Certainty, NoteText

EXTENSION = r",? ?(?:ext\.?|extension|x) ?\d{1,6}(?!\w)"
# `617-555-0199h`, `617-555-0199-cell`
WHOSE = r"(?=(?:[chw]|cell|home|work|office|mobile)?(?!\w))(?!-\d)"
END = rf"(?:{EXTENSION}|{WHOSE})"
START = r"(?=[\d(+])(?:(?<![\w.-])|(?<=(?<!\w)[chwpfm]))"
SHAPES = tuple(
    re.compile(START + shape)
    for shape in (
        r"(?:\+?1[-. ]?)?"
        r"(?:\(\d{3}\) ?\d{3}[-. ]?|\d{3}-\d{3}|\d{3}[-./ ]{1,2}\d{3}[-. ])"
        rf"\d{{4}}{END}",
        rf"1?[2-9]\d{{2}}[2-9]\d{{6}}(?!-){END}",
        rf"\(?0\d{{2,4}}\)?[ -]\d{{3,4}}[ -]\d{{3,4}}(?!/){END}",
        rf"\(?0\d{{4}}\)?[ -]\d{{6}}(?!/){END}",
    )
)
# +49 30 901820, +44 (0)20 7946 0958, 0044 20 7946 0958; `+1.25` is a measure.
INTERNATIONAL = re.compile(
    r"(?:(?<![\w+])\+(?!\d{1,3}\.\d{1,9}(?![.-]?\d))|(?<![\w.,+/-])00(?=\d{1,3}[- (]))"
    r"(?P<number>[1-9]\d{0,2}[-. ]?(?:\(0\) ?)?[(]?\d{1,9}(?:[-. /()]{1,2}\d{1,9}){0,6})"
    rf"(?![.,]\d){END}"
)
# What follows such a word is a number to call, however short.
LABEL = re.compile(
    r"(?<![a-z/])(?:(?:tele)?phone|tel|cell|mobile|pager|pgr|beeper|ph|fax|facsimile|call|callback|"
    r"dial|ext|extension|home|work|office|[pfcthom])(?![a-z])[:. #-]{0,4}(?:at |no |number |is )?"
)
DIALLED = re.compile(rf"(?<!\w)[(+]?\d[\d() ./-]{{2,18}}\d(?![/%]){END}")
PAGER = re.compile(
    r"(?<![a-z0-9])(?:p|pgr|pager|beeper|ext|x)[:. #]{0,3}(\d{4,6})(?![\w/%-]|[.:]\d)"
)
SEVEN, FIFTEEN = 7, 15
"""Digits of a local and of the longest international number (ITU E.164)."""
FEWEST_INTERNATIONAL = 8
"""Digits of a number with its country, without the zeros before that."""
FAX_BEFORE = re.compile(r"(?:(?:tele)?fax|facsimile)[^\d\n]{0,30}$|(?<![a-z])f[:. (]{1,4}$")
LOOK_BACK = 40


def find(note: NoteText) -> Iterator[Candidate]:
    """By shape, or behind a word that announces one."""
    for shape in SHAPES:
        for match in shape.finditer(note.lowered):
            yield _candidate(note, match.start(), match.end(), Certainty.SHAPED)
    for match in INTERNATIONAL.finditer(note.lowered):
        number = match["number"]
        if FEWEST_INTERNATIONAL <= sum(map(str.isdigit, number)) <= FIFTEEN:
            yield _candidate(note, match.start(), match.end(), Certainty.SHAPED)
    for label in LABEL.finditer(note.lowered):
        number = DIALLED.match(note.lowered, label.end())
        if number is None:
            continue
        if SEVEN <= sum(map(str.isdigit, number[0])) <= FIFTEEN:
            yield _candidate(note, number.start(), number.end(), Certainty.STATED)
    for pager in PAGER.finditer(note.lowered):
        yield _candidate(note, *pager.span(1), Certainty.STATED)


def _candidate(note: NoteText, start: int, end: int, certainty: Certainty) -> Candidate:
    before = note.lowered[max(0, start - LOOK_BACK) : start]
    kind: Kind = "FAX" if FAX_BEFORE.search(before) else "PHONE"
    return Candidate(kind, start, end, certainty)
