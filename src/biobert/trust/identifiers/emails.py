"""Electronic mail addresses (F)."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers.urls import TOP_DOMAINS
from biobert.trust.note import Candidate, Certainty, NoteText

HOST = re.compile(r"@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])")
# `a_b [at] x [dot] co`, `jo at mail dot example dot org`: written for people, not for robots.
BRACKETED_AT, BRACKETED_DOT = r"[\[({<] ?(?:at|@) ?[\])}>]", r"[\[({<] ?(?:dot|\.) ?[\])}>]"
NAME, LABEL = r"[a-z0-9](?:[\w.+-]{0,40}\w)?", r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?"
DISGUISED = tuple(
    re.compile(
        rf"(?<![\w.+-]){NAME}(?:{dot}{NAME}){{0,3}}{at}{LABEL}(?:{dot}{LABEL}){{0,3}}{dot}{top}(?![\w-])"
    )
    for at, dot, top in (
        (rf" ?{BRACKETED_AT} ?", rf"(?:\.| ?{BRACKETED_DOT} ?| dot )", LABEL),
        (r" ?@ ?", rf"(?: ?{BRACKETED_DOT} ?| dot )", LABEL),
        (" at ", " dot ", rf"(?:{TOP_DOMAINS}|co)"),
    )
)
HINT = re.compile(rf"{BRACKETED_AT}|{BRACKETED_DOT}| dot ")
"""Hardly a text has one, and without it there is nothing disguised."""
LONGEST_LOCAL_PART = 64
LOCAL_SIGNS = frozenset("!#$%&'*+-/=?^_`{|}~.")


def find(note: NoteText) -> Iterator[Candidate]:
    """From the `@` outwards, and with words in the place of signs."""
    text = note.lowered
    for pattern in DISGUISED if HINT.search(text) else ():
        for match in pattern.finditer(text):
            yield Candidate("EMAIL", *match.span(), Certainty.STATED)
    for match in HOST.finditer(text):
        start = match.start()
        limit = max(0, start - LONGEST_LOCAL_PART)
        while start > limit and (text[start - 1].isalnum() or text[start - 1] in LOCAL_SIGNS):
            start -= 1
        if start < match.start():
            yield Candidate("EMAIL", start, match.end(), Certainty.STATED)
