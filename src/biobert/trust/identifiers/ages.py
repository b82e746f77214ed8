"""Ages over 89 (C): they may only be told as one class of 90 and older."""

import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

OLD = r"(?:9\d|1[0-2]\d)"
TENS = r"(?:ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred"
WORDS = rf"{TENS}(?:(?: and|)[- ](?:one|two|three|four|five|six|seven|eight|nine|ten))?)"
OVER_89 = re.compile(rf"(?<!\d){OLD}(?!\d)|{WORDS}")
YEARS_OLD = (
    r"(?:[- ]?years?|[- ]?yrs?)[- ](?:old|of age)|[- ]?y(?:r|rs)?[./ ]?o(?![a-z])|[- ]?y(?![a-z/])"
)
SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"(?<![\w./-])({OLD})(?={YEARS_OLD})",
        rf"(?<![a-z])({WORDS})(?=[- ]years?[- ](?:old|of age))",
        rf"(?<![a-z])(?:aged?|turn(?:s|ed|ing)|(?:died|dead) at|(?:he|she|they|who) (?:is|"
        rf"was)(?: now)?)"
        rf"(?: of| about)?[:. ]{{1,16}}({OLD})(?![\w/%]|\.\d| ?(?:kg|lb|cm|mm|beats|percent|on |"
        rf"/))",
        rf"(?<![a-z])(?:age|ages)[:. ]{{1,16}}({OLD})(?![\w/%.])",
    )
)
# "Anna, 94, widow": an apposition to a word with a capital and small letters.
APPOSITION = re.compile(
    rf"(?:[A-Z][a-z]{{2,30}}(?:, | \()|\d{{4}} \()({OLD})(?=,| ?(?:y|yo|yrs?|years|F|M)?[),]| y)"
)
# "94F with CHF"; a temperature, a distance, a bed or a count may look the same.
WITH_SEX = re.compile(rf"(?<![\w./$€£-])({OLD}) ?[MF](?![\w/°+-]|\.\d)")
MEASURE_BEFORE = re.compile(
    r"(?<![a-z'’])(?:t|t-?max|tm|temps?\.?|temperatures?|fevers?|a?febrile (?:to|at)|vitals?|vs|"
    r"walk(?:s|ed|ing)?|ambulat(?:es|ed|ing|ion)|distance|room|bed)"
    r"[ :=,]{1,3}(?:(?:is|was|of|at|to|now|about|up|high) ){0,3}$"
)
MEASURE_BEHIND = re.compile(
    r" ?(?:\(\d|\(?(?:oral|rectal|axill|tympan)|cells|reads|copies|na(?:cl|oh)|k?cl|buffer|"
    r"solution|walk|dash)"
)
LOOK_BACK = 32


def find(note: NoteText) -> Iterator[Candidate]:
    """In figures and in words."""
    for shape in SHAPES:
        for match in shape.finditer(note.lowered):
            yield Candidate("AGE", *match.span(1), Certainty.STATED)
    for match in APPOSITION.finditer(note.text):
        yield Candidate("AGE", *match.span(1), Certainty.SHAPED)
    for match in WITH_SEX.finditer(note.text):
        if not _is_measure(note, *match.span()):
            yield Candidate("AGE", *match.span(1), Certainty.SHAPED)


def _is_measure(note: NoteText, start: int, end: int) -> bool:
    before = note.lowered[max(0, start - LOOK_BACK) : start]
    return bool(MEASURE_BEFORE.search(before) or MEASURE_BEHIND.match(note.lowered, end))
