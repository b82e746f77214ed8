"""Numbers of certificates and licences (K): of drivers and of professions, passports, NPI, DEA."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._check_digits import drug_enforcement
from biobert.trust.identifiers._labelled import NUMBERED, LabelledNumbers
from biobert.trust.note import Candidate, Certainty, NoteText

DRUG_ENFORCEMENT = re.compile(r"(?<!\w)[abcdefghjklmprstux][a-z9](\d{7})(?!\w)", re.ASCII)
labelled = LabelledNumbers(
    "LICENCE",
    sure=rf"licen[cs]es?(?! plate)(?:{NUMBERED})?|lic\.?(?:{NUMBERED})?|dl|cdl|npi|dea|clia|"
    rf"gmc|nmc|passports?(?:{NUMBERED})?|cert(?:ificate|ification)?\.?{NUMBERED}|"
    rf"registration{NUMBERED}|ecfmg|permit",
    loose=r"certificate|certification|diploma",
).finder()


def find(note: NoteText) -> Iterator[Candidate]:
    """By label; registrations with the DEA also by their check digit."""
    yield from labelled(note)
    for match in DRUG_ENFORCEMENT.finditer(note.lowered):
        if drug_enforcement(match[1]):
            yield Candidate("LICENCE", *match.span(), Certainty.SHAPED)
