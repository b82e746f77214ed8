"""Initials that stand for a person (A): `signed: mwb`, `seen by J.K.R.`"""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._name_chain import CREDENTIAL, UPPER
from biobert.trust.lists import entries, is_plain
from biobert.trust.note import Candidate, Certainty, NoteText

WRITTEN = r"(?:e-?signed|signed|dictated|transcribed|initialled|initialed)"
# Blood is typed, and boxes are checked: these need `by`.
DONE = r"(?:typed|entered|reviewed|verified|checked|witnessed|countersigned|co-?signed|prepared)"
BARE = re.compile(
    rf"(?<![\w-])(?:{WRITTEN}(?: by ?:?|:)|{DONE} by ?:?) {{0,4}}"
    r"(?P<initials>[a-z]{2,4})(?=\s{0,2}(?:$|[\n,;./)\d]| (?:on|at) \d))"
)
DOTTED = re.compile(rf"(?<![\w.])(?P<initials>(?:[{UPPER}]\. ?){{1,3}}[{UPPER}]\.)(?![\w.])")
PERSON_BEFORE = re.compile(
    rf"(?<![\w-])(?:by|per|dr|mr|mrs|ms|prof|nurse|patient|pt|client|{WRITTEN})[.:]? {{1,3}}$"
)
LOOK_BACK = 20
# Ways to give a drug, and the like.
NO_INITIALS = frozenset("po im iv sc sq sl pr ng pv us uk am pm ie eg na".split())
ROOM_BEFORE_CREDENTIAL = re.compile(r",? {0,2}")


def find(note: NoteText) -> Iterator[Candidate]:
    """Where somebody wrote or did something, behind a title and before a credential."""
    for match in BARE.finditer(note.lowered):
        if not _is_word(match["initials"]):
            yield Candidate("NAME", *match.span("initials"), Certainty.SHAPED)
    for match in DOTTED.finditer(note.text):
        letters = "".join(filter(str.isalpha, match["initials"])).lower()
        if _is_of_person(note, *match.span()) and not _is_word(letters):
            yield Candidate("NAME", *match.span(), Certainty.STATED)


def _is_word(letters: str) -> bool:
    is_listed = is_plain(letters) or letters in entries("vocabulary").all
    return is_listed or letters in NO_INITIALS


def _is_of_person(note: NoteText, start: int, end: int) -> bool:
    before = note.lowered[max(0, start - LOOK_BACK) : start]
    room = ROOM_BEFORE_CREDENTIAL.match(note.text, end)
    is_signed = room is not None and CREDENTIAL.match(note.text, room.end())
    return bool(is_signed or PERSON_BEFORE.search(before))
