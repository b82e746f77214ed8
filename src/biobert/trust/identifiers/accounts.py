"""Account numbers (J): labelled ones, payment cards and IBAN by their check digits."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._check_digits import iban, luhn
from biobert.trust.identifiers._labelled import NUMBERED, LabelledNumbers
from biobert.trust.note import Candidate, Certainty, NoteText

CARD = re.compile(r"(?<![\w.-])\d{4}[ -]?\d{4,6}[ -]?\d{4,5}(?:[ -]?\d{1,4})?(?![\w-])")
IBAN = re.compile(r"(?<!\w)[a-z]{2}\d\d(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?(?!\w)")
SHORTEST_CARD, LONGEST_CARD, SHORTEST_IBAN = 13, 19, 15
labelled = LabelledNumbers(
    "ACCOUNT",
    sure=rf"acc(?:oun)?t\.?{NUMBERED}|acct\.?|a/c|iban|aba|guarantor{NUMBERED}|"
    rf"invoice(?:{NUMBERED})?|(?:bank )?routing(?:{NUMBERED})?|billing{NUMBERED}|card{NUMBERED}|"
    rf"fin(?:{NUMBERED})?|har|checking|savings",
    loose=r"accounts?|visa|mastercard|amex|(?:credit |debit |charge |bank |ebt )?card",
).finder()


def find(note: NoteText) -> Iterator[Candidate]:
    """By label or by check digits."""
    yield from labelled(note)
    for match in CARD.finditer(note.lowered):
        digits = "".join(filter(str.isdecimal, match[0]))
        if SHORTEST_CARD <= len(digits) <= LONGEST_CARD and luhn(digits):
            yield Candidate("ACCOUNT", *match.span(), Certainty.SHAPED)
    for match in IBAN.finditer(note.lowered):
        value = match[0].replace(" ", "")
        if len(value) >= SHORTEST_IBAN and value.isascii() and iban(value):
            yield Candidate("ACCOUNT", *match.span(), Certainty.STATED)
