"""Electronic mail addresses (F)."""

import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

HOST = re.compile(r"@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])")
LONGEST_LOCAL_PART = 64
LOCAL_SIGNS = frozenset("!#$%&'*+-/=?^_`{|}~.")


def find(note: NoteText) -> Iterator[Candidate]:
    """From the `@` outwards."""
    text = note.lowered
    for match in HOST.finditer(text):
        start = match.start()
        limit = max(0, start - LONGEST_LOCAL_PART)
        while start > limit and (text[start - 1].isalnum() or text[start - 1] in LOCAL_SIGNS):
            start -= 1
        if start < match.start():
            yield Candidate("EMAIL", start, match.end(), Certainty.STATED)
