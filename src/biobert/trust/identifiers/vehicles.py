"""Vehicle identification numbers and plates (L)."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._check_digits import vin
from biobert.trust.identifiers._labelled import CONNECTION, LabelledNumbers
from biobert.trust.lists import alternatives, states
from biobert.trust.note import Candidate, Certainty, NoteText

VIN = re.compile(r"(?<![\w-])(?=[a-z]{0,16}\d)[a-hj-npr-z0-9]{17}(?![\w-])", re.ASCII)
PLATE_LABEL = re.compile(
    r"(?<![a-z])(?:licen[cs]e plates?|number plate|plates?|(?:temp(?:orary)? )?tags?|placard|"
    r"reg(?:istration)?\.?)(?![a-z])"
)
# `TX BKR-4471`, `CA) 7ABC123` behind an opened bracket, `Ohio ABC 1234`
STATE = alternatives((*states().values(), *states()))
PLATE = re.compile(
    rf"(?:{STATE}\)?[ ,:-]{{1,2}})?"
    r"(?=[A-Z -]{0,6}\d)[A-Z0-9]{1,8}(?:[ -](?=[A-Z -]{0,4}\d)[A-Z0-9]{1,6})?"
    r"(?:[ -][A-Z]{1,3}|[ -]\d{2,5})?(?!\w|[/.]\d)"
)
SHORTEST_PLATE = 4
BRITISH_PLATE = re.compile(r"(?<!\w)[A-Z]{2}\d\d ?[A-Z]{3}(?!\w)")
labelled = LabelledNumbers("VEHICLE", sure="vin|vehicle identification").finder()


def find(note: NoteText) -> Iterator[Candidate]:
    """By label, by check digit, or by the shape of a British plate."""
    yield from labelled(note)
    for match in VIN.finditer(note.lowered):
        if vin(match[0]):
            yield Candidate("VEHICLE", *match.span(), Certainty.STATED)
    for label in PLATE_LABEL.finditer(note.lowered):
        connection = CONNECTION.match(note.lowered, label.end())
        plate = PLATE.match(note.text, connection.end()) if connection else None
        if plate and len(plate[0]) >= SHORTEST_PLATE:
            yield Candidate("VEHICLE", *plate.span(), Certainty.STATED)
    for match in BRITISH_PLATE.finditer(note.text):
        yield Candidate("VEHICLE", *match.span(), Certainty.SHAPED)
