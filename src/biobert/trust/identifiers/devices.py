"""Identifiers and serial numbers of devices (M): labelled ones, UDI and hardware addresses."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._labelled import NUMBERED, LabelledNumbers
from biobert.trust.note import Candidate, Certainty, NoteText

# The human-readable form of GS1 application identifiers, as on labels of implants.
UNIQUE_DEVICE = re.compile(r"\(01\)\d{14}(?: ?\(\d\d\)[\w/-]{1,20}){0,5}", re.ASCII)
HARDWARE_ADDRESS = re.compile(r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])")
labelled = LabelledNumbers(
    "DEVICE",
    sure=rf"serial(?:{NUMBERED})?|s/n|sn|imei|meid|esn|udi|mac(?: address)?|"
    rf"(?:device|implant|pacemaker|pump|monitor|meter|scale|scanner|lead|generator|lots?|"
    rf"batch){NUMBERED}",
    loose="(?<!a )(?<!whole )lots?(?! of)",
).finder()


def find(note: NoteText) -> Iterator[Candidate]:
    """By label or by shape."""
    yield from labelled(note)
    for pattern in (UNIQUE_DEVICE, HARDWARE_ADDRESS):
        for match in pattern.finditer(note.lowered):
            yield Candidate("DEVICE", *match.span(), Certainty.STATED)
