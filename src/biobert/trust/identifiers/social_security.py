"""Social Security numbers (G), whole, masked, or their last four digits."""

import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

# Numbers never issued (000, 666, 900 and above) are taken too: a slip of the pen, or a taxpayer's.
WHOLE = re.compile(r"(?<![\w.-])(?:\d{3}|[x*]{3})([- ])(?:\d\d|[x*]{2})\1\d{4}(?![\w-])")
LABEL = re.compile(
    r"(?<![a-z])(?:ssn|ss ?#|social security(?: (?:number|no\.?))?|soc\.? sec\.?)(?![a-z])"
)
BEHIND = re.compile(
    r"[^\n\d]{0,30}((?:\d{3}|[x*]{3})[- .]?(?:\d\d|[x*]{2})[- .]?\d{4}|\d{4})(?![\w/-])"
)


def find(note: NoteText) -> Iterator[Candidate]:
    """By shape, or in any spelling behind the label."""
    for match in WHOLE.finditer(note.lowered):
        yield Candidate("SSN", *match.span(), Certainty.STATED)
    for label in LABEL.finditer(note.lowered):
        value = BEHIND.match(note.lowered, label.end())
        if value is not None:
            yield Candidate("SSN", *value.span(1), Certainty.STATED)
