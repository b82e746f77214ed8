"""Numbers that a label in front of them says to be identifiers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from biobert.trust.kinds import Kind
from biobert.trust.note import Candidate, Certainty, NoteText

NUMBER_WORDS = r"(?:numbers|number|num|nos|no|nr|ident|identifier|id|code)"
NUMBERED = rf" ?(?:{NUMBER_WORDS}(?![a-z])|#)"
"""What makes a label of an ordinary word: `claim number`, `claim #`."""
LINKING = (
    NUMBER_WORDS + r"|ending|ends|in|is|was|are|of|on|file|the|his|her|their|scan|template|profile|"
    r"card|login|access|signature|recognition|match|subject|reference|ref"
)
TAG = r"</?[a-z]{1,6}(?: [^<>\n]{0,40})?>"
# `**MRN:** 48291`, `| MRN | 48291 |`, `<b>MRN</b>: "48291"`, `MRN/Acct: 48291`
CONNECTION = re.compile(
    rf"(?:[\s.,:#=()?\[\]*_|\"'“”‘’`>{{}};–—-]{{1,30}}|{TAG}|<|(?:{LINKING})(?![a-z])|"
    r"/ ?(?:mrn|acct|account|fin|csn|enc|encounter|visit)(?![a-z])){0,10}"
)
# What may also part two clauses or compare: `policy; 12345 patients`, `group > 12345`.
PARTING = re.compile(rf"{TAG}|(?P<clause>[;<>{{}}])|(?P<dash>[–—])")
SAYS_NUMBER = re.compile(rf"[#:=]|(?<![a-z])(?:{NUMBER_WORDS}|ending|ends)(?![a-z])")
DATE_OR_TIME = (
    r"(?!(?:[0-2]?\d|3[01])([/.-])(?:[0-2]?\d|3[01])\1(?:\d\d|\d{4})(?![\w-])|"
    r"\d{1,3}/\d{1,3}(?![\d/])|\d{1,2}:\d\d)"
)
UNITS = (
    "mmhg|mmg|mmol|mol|mgs?|mcg|ug|mls?|mm|cm|kgs?|lbs?|gm|grams?|g|lit(?:er|re)s?|l|meq|iu|"
    "years?|yrs?|days?|weeks?|months?|hours?"
)
MEASURES = rf"(?:%|x |(?:{UNITS})(?![a-z]))"
# What follows one or two digits that count something.
COUNTED = (
    rf"(?:[/.:%-]\w| ?{MEASURES}| ?(?:y/?o|units?|minutes?|mins?|male|female|m|f|w|b)(?![a-z]))"
)
VALUE = re.compile(
    DATE_OR_TIME + r"(?!\d{1,3}[-–](?:year|yr|month|week|day|hour|fold|mg|item|point))"
    r"(?=[a-z_./–-]{0,14}\d)[a-z0-9](?:[a-z0-9]|[-–./_](?=[a-z0-9])){1,40}"
    rf"(?:(?: \d{{3,6}}(?!\w|[/.:%-]\w)){{1,5}}(?: \d{{1,2}}(?!\w|{COUNTED}))?)?"
)
PREFIX = re.compile(r"[A-Z]{1,4}[ -](?=[\dA-Z])")
FURTHER = re.compile(r" ?(?:,|;|/|and |or |& ?) {0,2}")
MEASURE = re.compile(rf" ?{MEASURES}")
YEAR = re.compile(r"(?:19|20)\d\d(?:[-–/](?:19|20)?\d\d)?")
SMALL_NUMBER = re.compile(r"\d{1,4}\.\d{1,2}")


@dataclass(frozen=True, slots=True)
class Fewest:
    """So many characters and digits make a value."""

    characters: int
    digits: int


FEW, MANY = Fewest(3, 2), Fewest(5, 3)
"""Where the text says that a number follows, and where it does not."""


@dataclass(frozen=True, slots=True)
class LabelledNumbers:
    """How a kind is labelled: `sure` labels need only a value behind them, `loose` ones, ordinary
    words, a value that looks like no count or the word `number` between."""

    kind: Kind
    sure: str
    loose: str = r"(?!)"

    def finder(self) -> Callable[[NoteText], Iterator[Candidate]]:
        """A function that finds them."""
        label = re.compile(rf"(?<![a-z0-9/])(?:(?P<sure>{self.sure})|(?:{self.loose}))(?![a-z])")
        return lambda note: _found(note, self.kind, label)


def _found(note: NoteText, kind: Kind, label: re.Pattern[str]) -> Iterator[Candidate]:
    text = note.lowered
    for match in label.finditer(text):
        connection = CONNECTION.match(text, match.end())
        assert connection is not None  # it may be empty
        fewest = _fewest(connection[0], is_sure=match["sure"] is not None)
        if fewest is None:
            continue
        place = connection.end()
        prefix = PREFIX.match(note.text, place)
        value = _value(note, prefix.end() if prefix else place, fewest)
        while value is not None:
            yield Candidate(kind, place, value.end(), Certainty.STATED)
            further = FURTHER.match(text, value.end())
            if further is None:
                break
            place = further.end()
            value = _value(note, place, MANY)


def _fewest(connection: str, *, is_sure: bool) -> Fewest | None:
    """What makes a value behind this connection; None where it parts it from its label."""
    if SAYS_NUMBER.search(connection):
        return FEW
    partings = {one.lastgroup for one in PARTING.finditer(connection)} - {None}
    if is_sure:
        return MANY if "clause" in partings else FEW
    return None if partings else MANY


def _value(note: NoteText, place: int, fewest: Fewest) -> re.Match[str] | None:
    """The value that begins at `place`, or None where there is none."""
    value = VALUE.match(note.lowered, place)
    if value is None or MEASURE.match(note.lowered, value.end()):
        return None
    if SMALL_NUMBER.fullmatch(value[0]) or (fewest is MANY and YEAR.fullmatch(value[0])):
        return None
    digits = sum(map(str.isdigit, value[0]))
    is_long = digits >= fewest.digits and sum(map(str.isalnum, value[0])) >= fewest.characters
    return value if is_long else None
