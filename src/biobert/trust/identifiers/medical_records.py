"""Medical record numbers (H)."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._labelled import NUMBERED, LabelledNumbers
from biobert.trust.note import Candidate, Certainty, NoteText

labelled = LabelledNumbers(
    "MEDICAL_RECORD",
    sure=rf"mrn|m\.r\.n\.|mr ?(?:#|no\.?)|med(?:ical)?\.? ?rec(?:ord)?\.?(?:{NUMBERED})?|"
    rf"(?:hosp(?:ital)?|unit|chart|patient|pt|health record)\.?{NUMBERED}|nhs(?:{NUMBERED})?|"
    rf"chi{NUMBERED}|nhi|ur ?no|csn|empi|uhid",
    # `pid` is a disease too.
    loose=r"chart|(?:hospital|medical) records?|pid",
).finder()
# A field may hold a number of one or two digits, where a sentence would count patients.
SHORT_FIELD = re.compile(
    r"(?<![a-z])(?:patient|pt|chart|subject|participant|record)['’]?s? ?"
    r"(?:id|identifier|number|no\.?) ?[:=] {0,3}(\d{1,2})(?![\w/%-]|[.,:]\d| of )"
)


def find(note: NoteText) -> Iterator[Candidate]:
    """By label."""
    yield from labelled(note)
    for match in SHORT_FIELD.finditer(note.lowered):
        yield Candidate("MEDICAL_RECORD", *match.span(1), Certainty.STATED)
