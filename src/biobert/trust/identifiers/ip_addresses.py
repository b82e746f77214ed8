"""Internet Protocol addresses (O), versions 4 and 6."""

import ipaddress
import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

VERSION_4 = re.compile(
    r"(?<![\w.])(?<!version )(?<!ec )\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)", re.ASCII
)
VERSION_6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15}(?:%\w{1,15})?(?![\w:])")


def find(note: NoteText) -> Iterator[Candidate]:
    """Whatever the standard library takes for an address."""
    for pattern in (VERSION_4, VERSION_6):
        for match in pattern.finditer(note.lowered):
            address = match[0].rstrip(".")
            if _is_address(address):
                end = match.start() + len(address)
                yield Candidate("IP_ADDRESS", match.start(), end, Certainty.STATED)


def _is_address(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return len(address) > len("::1")
