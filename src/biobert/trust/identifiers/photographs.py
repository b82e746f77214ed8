"""Full-face photographs (Q): in a text, the names of image files."""

import re
from collections.abc import Iterator

from biobert.trust.note import Candidate, Certainty, NoteText

ENDING = re.compile(r"\.(?:jpe?g|png|gif|bmp|tiff?|heic|heif|webp|cr2|nef|dng)(?!\w)")
LONGEST_NAME = 255
NAME_CHARACTERS = frozenset("_-.()~+%@")


def find(note: NoteText) -> Iterator[Candidate]:
    """Every image file: whether it shows a face, its name does not tell."""
    text = note.lowered
    for match in ENDING.finditer(text):
        start = match.start()
        limit = max(0, start - LONGEST_NAME)
        while start > limit and (text[start - 1].isalnum() or text[start - 1] in NAME_CHARACTERS):
            start -= 1
        while start < match.start() and text[start] in "(.-":
            start += 1
        if start < match.start():
            yield Candidate("PHOTOGRAPH", start, match.end(), Certainty.STATED)
