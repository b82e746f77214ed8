"""Ages over 89 (C): they may only be told as one class of 90 and older."""

import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

OLD = r"(?:9\d|1[0-2]\d)"
TENS = r"(?:ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred"
WORDS = rf"{TENS}(?:(?: and|)[- ](?:one|two|three|four|five|six|seven|eight|nine|ten))?)"
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


def find(note: NoteText) -> Iterator[Candidate]:
    """In figures and in words."""
    for shape in SHAPES:
        for match in shape.finditer(note.lowered):
            yield Candidate("AGE", *match.span(1), Certainty.STATED)
    for match in APPOSITION.finditer(note.text):
        yield Candidate("AGE", *match.span(1), Certainty.SHAPED)
