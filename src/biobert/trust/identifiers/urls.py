"""Addresses on the web (N)."""

import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

ADDRESS = re.compile(r"(?<![\w@.-])(?:(?:https?|ftp|sftp)://|www\.)[^\s<>\"]+")
TOP_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|io|ai|app|dev|health|care|clinic|me|uk|us|ca|au|de|fr|ie|nl|"
    "in|"
    "example"
)
BARE = re.compile(
    rf"(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{{1,62}}\.){{1,5}}(?:{TOP_DOMAINS})(?![\w@-]|\.\w)"
    r"(?:/[^\s<>\"]*)?"
)
CLOSING = ".,;:!?)]}>'\"’”"


def find(note: NoteText) -> Iterator[Candidate]:
    """With and without a protocol; the full stop of a sentence is no part of an address."""
    for pattern in (ADDRESS, BARE):
        for match in pattern.finditer(note.lowered):
            end = match.start() + len(match[0].rstrip(CLOSING))
            yield Candidate("URL", match.start(), end, Certainty.STATED)
