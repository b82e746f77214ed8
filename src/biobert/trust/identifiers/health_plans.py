"""Numbers of beneficiaries of a health plan (I), the Medicare Beneficiary Identifier by its
shape."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._labelled import NUMBERED, LabelledNumbers
from biobert.trust.note import Candidate, Certainty, NoteText

LETTER, EITHER = "[ac-hjkmnp-rt-y]", "[0-9ac-hjkmnp-rt-y]"
# Letters and digits alternate as the Centers for Medicare & Medicaid Services lay down.
MEDICARE = re.compile(
    rf"(?<![\w-])[1-9]{LETTER}{EITHER}\d-?{LETTER}{EITHER}\d-?{LETTER}{LETTER}\d\d(?![\w-])"
)
labelled = LabelledNumbers(
    "HEALTH_PLAN",
    sure=rf"(?:member(?:ship)?|subscriber|policy|group|plan|insurance|payer|insured)(?:'s)?{NUMBERED}|"
    rf"(?:ins|bene|beneficiary)\.?(?:{NUMBERED})?|subscriber|grp|medicare|medicaid|medi-cal|"
    r"medigap|mbi|hicn?|tricare|champva",
    loose=r"member|policy|group|aetna|cigna|humana|uhc|united ?health(?:care)?|"
    r"blue (?:cross|shield)|bcbs|kaiser|anthem|metlife|insurance|health plan",
).finder()


def find(note: NoteText) -> Iterator[Candidate]:
    """By label or by shape."""
    yield from labelled(note)
    for match in MEDICARE.finditer(note.lowered):
        yield Candidate("HEALTH_PLAN", *match.span(), Certainty.STATED)
