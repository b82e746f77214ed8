"""Both halves of a range of dates: `May - June 2022`, `from 10/12 until 10/15`."""

import re
from collections.abc import Iterator

from biobert.trust.calendar import MONTH, DateReading, read_numeric
from biobert.trust.identifiers._scores import are_scores, is_counted, is_near_score
from biobert.trust.note import Candidate, Certainty, NoteText

YEAR = r"(?:19|20)\d\d"
TO = r"(?: ?[-–—] ?| ?& ?| (?:to|and|until|till?|through|thru) )"
# The second half of a range of months tells that the first, be it `may`, is one too.
MONTHS = re.compile(
    rf"(?<![a-z0-9/])({MONTH})\.?"
    rf"(?=(?:(?:{TO}|/|,? or |, ){MONTH}\.?){{1,4}},? ?(?:(?:of )?{YEAR}(?!\d)|(?:of )?['’]\d\d))"
)
MONTHS_ALONE = re.compile(
    rf"(?<![a-z0-9/])({MONTH})\.?(?: ?[-–—] ?| (?:to|until|till?|through|thru) )"
    rf"({MONTH})(?![a-z'’])"
)
SHORT = r"\d{1,2}/\d{1,2}"
FIGURES = re.compile(
    rf"(?<![\w/.:+-])({SHORT}){TO}({SHORT})(?P<year>/(?:{YEAR}|\d\d)(?!\d))?(?![\w/%+-]|\.\d)"
)
STAY_BEFORE = re.compile(
    r"(?<![a-z])(?:admi(?:tted|ssion)|stays?|stayed|course|hospitali[sz](?:ed|ation)|inpatient|icu|"
    r"vacation|trip|travell?(?:ed|ing)?|away|leave|dates?|seen|rehab|abroad)[\s:,(]{1,3}"
    r"(?:(?:from|between|on)\s)?$"
)
BETWEEN_BEFORE = re.compile(r"(?<![a-z])(?:between|on|from)\s$")
LOOK_BACK = 32
LAST_MONTHS = 11


def range_halves(note: NoteText) -> Iterator[Candidate]:
    """The first half of a range of months, and both halves of one of months and days."""
    for match in MONTHS.finditer(note.lowered):
        yield Candidate("DATE", *match.span(1), Certainty.STATED)
    for match in MONTHS_ALONE.finditer(note.lowered):
        if note.is_capital(match.start(1)) and note.is_capital(match.start(2)):
            yield Candidate("DATE", *match.span(1), Certainty.STATED)
            yield Candidate("DATE", *match.span(2), Certainty.STATED)
    for match in FIGURES.finditer(note.lowered):
        if _is_of_dates(note, match):
            yield Candidate("DATE", *match.span(1), Certainty.SHAPED)
            end = match.end("year") if match["year"] else match.end(2)
            yield Candidate("DATE", match.start(2), end, Certainty.SHAPED)


def _is_of_dates(note: NoteText, match: re.Match[str]) -> bool:
    """A year says so, or a stay; without either both must be dates, the later one last."""
    days = [read_numeric(match[number], DateReading()) for number in (1, 2)]
    if None in days:
        return False
    if match["year"]:
        return True
    before = note.lowered[max(0, match.start() - LOOK_BACK) : match.start()]
    if STAY_BEFORE.search(before):
        return True
    if is_counted(note, *match.span()) or is_near_score(note, match.start()):
        return False
    is_list = " and " in match[0] or "&" in match[0]
    if are_scores(match[1], match[2]) or (is_list and not BETWEEN_BEFORE.search(before)):
        return False
    first, last = (one[1:] for one in days if one is not None)
    return first < last or (first[0] >= LAST_MONTHS and last[0] < first[0])
