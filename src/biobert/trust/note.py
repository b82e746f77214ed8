"""A text as the finders read it, and what they give."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from biobert.text.letters import letter_by_letter
from biobert.trust.kinds import Kind

LETTERS = re.compile(r"[^\W\d_]{2,40}")
SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
HYPHENS = "\u2010\u2011\u2012\u2212\ufe63\uff0d"
# Word processors and web pages put these where a keyboard puts a space or a hyphen.
AS_TYPED = str.maketrans({**dict.fromkeys(SPACES, " "), **dict.fromkeys(HYPHENS, "-")})
# An en dash stands for a hyphen inside one number, `2024–03–14`, `1–617–555–0199`; between two it
# stays, or `2024-03-14–2024-03-20` would be no range.
DASHED_NUMBER = re.compile(
    r"(?<!\d)(?:19|20)\d\d–\d\d–\d\d(?!\d)|"
    r"(?<![\d–-])(?<!\d[.,/])(?:(?:\d{1,2}–)?\d{1,4}–\d{1,3}–\d{2,4}|\d{3}–\d{4})"
    r"(?![\d–-]|[.,/]\d)"
)


class Certainty(IntEnum):
    """Why something is taken for an identifier; the surer one wins where two overlap."""

    LISTED = 1
    """It stands in a list of names or places."""
    SHAPED = 2
    """It looks like one."""
    STATED = 3
    """The words around it say so, or its check digits agree."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of text that may be an identifier."""

    kind: Kind
    start: int
    end: int
    certainty: Certainty


class NoteText:
    """A text as typed, and the same in lower case, with every character in its place; `told` are
    the names that something else has found in it."""

    def __init__(self, text: str, told: Collection[str] = ()) -> None:
        self.text = as_typed(text)
        self.lowered = letter_by_letter(self.text, str.lower)
        self.told = told

    @cached_property
    def words(self) -> list[tuple[int, int, str]]:
        """Start, end and lower case of every word of two letters or more."""
        return [(*match.span(), match[0]) for match in LETTERS.finditer(self.lowered)]

    def is_capital(self, place: int) -> bool:
        """Whether the character there is a capital letter."""
        return self.text[place : place + 1].isupper()


def as_typed(text: str) -> str:
    """The text with plain spaces and hyphens, every character in its place."""
    text = text.translate(AS_TYPED)
    if "–" not in text:
        return text
    return DASHED_NUMBER.sub(lambda one: one[0].replace("–", "-"), text)
