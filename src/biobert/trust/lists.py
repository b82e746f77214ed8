"""Names, places and words that stand in the files of `lists/`."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

AMBIGUOUS = "*"
"""Behind an entry that is also an ordinary word: it needs more than itself to be an identifier."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries in lower case, without accents: all of them, and those that are nothing else."""

    all: frozenset[str]
    certain: frozenset[str]


@cache
def spelled(name: str) -> tuple[str, ...]:
    """The entries of a list as they are written, without their marks, in its order."""
    return tuple(entry.rstrip(AMBIGUOUS) for entry in _raw(name))


@cache
def entries(name: str) -> Entries:
    """The entries of a list, folded."""
    raw = _raw(name)
    whole = frozenset(folded(entry.rstrip(AMBIGUOUS)) for entry in raw)
    return Entries(whole, whole - {folded(entry[:-1]) for entry in raw if entry[-1] == AMBIGUOUS})


@cache
def given_names() -> Entries:
    """Given names of women and men; one that is ambiguous in either list is ambiguous."""
    women, men = entries("given_names_female"), entries("given_names_male")
    ambiguous = (women.all - women.certain) | (men.all - men.certain)
    return Entries(women.all | men.all, (women.all | men.all) - ambiguous)


@cache
def states() -> dict[str, str]:
    """The postal code of each state of the United States, by its name as written."""
    pairs = (entry.rpartition(" ") for entry in _raw("states"))
    return {name: code for name, _, code in pairs}


def is_plain(word: str) -> bool:
    """Whether it is an ordinary word of notes, a credential or a unit."""
    return folded(word) in entries("words").all


def is_known_name(word: str) -> bool:
    """Whether a part of the word stands in a list of names, be it ambiguous or not."""
    parts = folded(word).split("-")
    return any(one in given_names().all or one in entries("surnames").all for one in parts)


def folded(word: str) -> str:
    """In lower case and without accents, as names are compared."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))


def alternatives(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest first, with a typed or a printed apostrophe."""
    longest_first = sorted(words, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})".replace("'", "['’]")


def parted(text: str) -> list[str]:
    """The entries of a text: parted by `;` where one is in it, else by white space."""
    if ";" not in text:
        return text.split()
    return [" ".join(entry.split()) for entry in text.split(";")]


def _raw(name: str) -> list[str]:
    content = (files("biobert.trust") / "lists" / f"{name}.txt").read_text(encoding="utf-8")
    return parted("\n".join(line for line in content.splitlines() if not line.startswith("#")))
