"""Abbreviations and the names they stand for, where a text defines them.

The algorithm of Schwartz and Hearst (2003, doi:10.1142/9789812776303_0042): in "long form (short
form)" the letters of the short one stand in the long one in the same order, the first of them at
the beginning of a word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from biobert.core.document import Span

LONGEST = 10
"""Characters of a short form."""
BRACKETS = re.compile(r"[(\[]([^()\[\]]{2,200})[)\]]")
SHORT_FORM = re.compile(r"[^\W_][^\s,;]*(?: [^\s,;]+)?")
LAST_WORD = re.compile(r"[^\s()\[\],;]+$")
WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """Where a text defines a short form, and where its long form stands."""

    short: Span
    long: Span


def abbreviations(text: str) -> Iterator[Abbreviation]:
    """The definitions of a text, in its order: "long (short)" and "short (long)"."""
    for brackets in BRACKETS.finditer(text):
        begin, end = _stripped(text, *brackets.span(1))
        low = max(0, brackets.start() - 500)
        before = text[low : brackets.start()].rstrip()
        if _is_short(text[begin:end]):
            start = _long_form(text[begin:end], before)
            if start is not None:
                yield Abbreviation(Span(begin, end), Span(low + start, low + len(before)))
                continue
        word = LAST_WORD.search(before, max(0, len(before) - LONGEST - 1))
        if word and _is_short(word[0]):
            start = _long_form(word[0], text[begin:end])
            if start == 0:
                short = Span(low + word.start(), low + word.end())
                yield Abbreviation(short, Span(begin, end))


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    inside = text[start:end]
    start += len(inside) - len(inside.lstrip())
    return start, start + len(inside.strip())


def _is_short(text: str) -> bool:
    return (
        2 <= len(text) <= LONGEST
        and SHORT_FORM.fullmatch(text) is not None
        and any(sign.isupper() for sign in text)
    )


def _long_form(short: str, before: str) -> int | None:
    """Where the long form begins that ends with `before`; None if the letters do not fit."""
    most_words = min(len(short) + 5, 2 * len(short))
    words = [word.start() for word in WORD.finditer(before)][-most_words:]
    if not words:
        return None
    first, place = words[0], len(before)
    letters = [sign.lower() for sign in short if sign.isalnum()]
    for number in range(len(letters) - 1, -1, -1):
        place -= 1
        while place >= first and not (
            before[place].lower() == letters[number]
            and (number or place == 0 or not before[place - 1].isalnum())
        ):
            place -= 1
        if place < first:
            return None
    start = max(word for word in words if word <= place)
    is_longer = len(before) - start > len(short)
    return start if is_longer and short not in before[start:].split() else None
