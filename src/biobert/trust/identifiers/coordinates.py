"""Geographic coordinates (B): the guidance counts them among the codes of places."""

import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

NUMBER = r"[-+]?\d{1,3}\.\d{2,10}"
BETWEEN = r"[°º]? ?[nsew]?(?: ?[,;/] ?| )(?:lo?ng?(?:itude)?\.?[:= ]{1,2})?"
LABELLED = re.compile(
    r"(?<![a-z])(?:gps|coordinates?|coords?|geo ?(?:code|tag|location)s?|latitude|lat/long?|"
    r"lat(?=[:= ]{1,2}[-+]?\d{1,3}\.\d{3}))"
    r"(?:[\s.:=(#]|(?:is|are|was|at|of|position|location|pin|coordinates?)(?![a-z])){1,8}"
    rf"({NUMBER}{BETWEEN}{NUMBER}[°º]?(?: ?[nsew](?![a-z]))?)(?![\w%])"
)
DEGREES = r"(?:\d{1,3}[°º] ?(?:\d{1,2}(?:\.\d{1,6})?['’′] ?(?:\d{1,2}(?:\.\d{1,6})?[\"”″] ?)?)?"
WITH_HEMISPHERES = re.compile(
    rf"(?<![\w.]){DEGREES}|\d{{1,3}}\.\d{{2,10}}[°º]? ?)[ns][,;/]? ?"
    rf"{DEGREES}|\d{{1,3}}\.\d{{2,10}}[°º]? ?)[ew](?![a-z])"
)
# Two numbers of five decimals, the first of two digits or more: measures are not told like that.
BARE = re.compile(
    r"(?<![\w.,(\[-])(-?[1-8]\d\.\d{5,10}, ?-?(?:1[0-7]|[1-9])\d\.\d{5,10})"
    r"(?![\w%]|\.\d)(?! ?[a-z]{1,4}/)"
)


def find(note: NoteText) -> Iterator[Candidate]:
    """Behind a label, with the letters of the hemispheres, or by their many decimals."""
    for match in LABELLED.finditer(note.lowered):
        yield Candidate("LOCATION", *match.span(1), Certainty.STATED)
    for match in WITH_HEMISPHERES.finditer(note.lowered):
        yield Candidate("LOCATION", *match.span(), Certainty.STATED)
    for match in BARE.finditer(note.lowered):
        yield Candidate("LOCATION", *match.span(1), Certainty.SHAPED)
