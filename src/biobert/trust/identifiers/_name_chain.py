"""Reading a person's name, word by word, from a place in a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from biobert.trust.lists import (
    alternatives,
    folded,
    given_names,
    is_known_name,
    is_plain,
    parted,
)
from biobert.trust.note import NoteText

UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017f\u0391-\u03a9\u0410-\u042f"
CAPITAL_WORD = (
    rf"(?:[{UPPER}]['’])?[{UPPER}][^\W\d_]{{1,30}}"
    r"(?:['’][^\W\d_]{2,30})?(?:-[^\W\d_]{1,30}){0,3}"
)
PARTICLE = alternatives(
    parted(
        "de la; de los; de las; del; della; de; da; dos; das; di; du; van der; van den; van; "
        "von der; von; zu; ter; ten; bin; ibn; al; el; la; le; st.; St.; y; Mac; Nic; Ní; Ó; O'"
    )
)
TOKEN = re.compile(
    rf"(?P<particle>{PARTICLE} (?=[{UPPER}])|al-(?=[{UPPER}]))|"
    rf"(?P<initial>[{UPPER}](?:\.|(?![\w'’.&/-])))|"
    rf"(?P<quoted>[\"“(']{CAPITAL_WORD}[\"”)'](?= [{UPPER}]))|(?P<word>{CAPITAL_WORD})"
)
SMALL_WORD = re.compile(r"[^\W\d_]{2,30}(?:['’-][^\W\d_]{2,30}){0,2}")
COMMA = re.compile(r", ?")
AND_SURNAME = re.compile(rf"(?: [{UPPER}]\.?)? ({CAPITAL_WORD})")
SUFFIX = re.compile(r"(?:Jr|Sr|III|II|IV)(?!\w)")
MOST_TOKENS = 6
SHORTEST_PART = 3
CREDENTIALS = (
    "MD M.D DO D.O RN R.N PhD Ph.D LPN L.P.N NP N.P PA P.A APA AP.A PA-C DDS D.D.S DMD D.M.D "
    "PharmD Pharm.D RPh PT DPT OTR SLP CSW LCSW MCSW LMCSW CSW-R LCSW-R MCSW-R LMCSW-R LICSW MSW "
    "LMFT LPC PsyD Psy.D CRNA CNM APRN DNP FNP PMHNP MBBS FRCP FACS FACP BSN DPM OD CNA CHPN Esq"
).split()
# `P.R.N.` ends in no credential.
CREDENTIAL = re.compile(rf"(?<!\w)(?<!P\.){alternatives(CREDENTIALS)}(?!\w)")
Cue = Literal["words", "field", "title", "list"]


@dataclass(frozen=True, slots=True)
class Name:
    """Where a name stands, and its parts of three letters or more, folded."""

    start: int
    end: int
    parts: tuple[str, ...]


def read_name(note: NoteText, place: int, cue: Cue = "words") -> Name | None:
    """The name that begins at `place`, or None; `cue` is what made one expect it there.

    In a field or where a known name begins, `SURNAME, Given` is one name. Behind a title and where
    a known name begins, words that are also names, such as `Will` and `Grant`, are names.
    """
    start, end = place, place
    parts: list[str] = []
    for number in range(MOST_TOKENS):
        token = TOKEN.match(note.text, place)
        if token is None or CREDENTIAL.match(note.text, place) or SUFFIX.match(note.text, place):
            break
        word = (token["word"] or "").strip("\"“”()'")
        if word and is_plain(word) and not _is_name_here(note, token, cue, number):
            break
        place = token.end()
        if not token["particle"]:
            end = place
        if word or token["quoted"]:
            parts += _parts(word or token["quoted"])
        is_surname_first = number == 0 and cue in ("field", "list")
        if is_surname_first and not token["particle"] and (comma := COMMA.match(note.text, place)):
            place = comma.end()
            continue
        after = _gap(note, place, token)
        if after is None:
            break
        place = after
    end = end if parts else start
    return Name(start, _without_stop(note, end, start), tuple(parts)) if end > start else None


def _is_name_here(note: NoteText, token: re.Match[str], cue: Cue, number: int) -> bool:
    """Whether an ordinary word is a name at this place, such as the first of `Name: Will Penn`."""
    if cue != "field":
        return cue in ("title", "list") and is_known_name(token["word"])
    behind = AND_SURNAME.match(note.text, token.end())
    is_given = number == 0 and folded(token["word"]) in given_names().all
    return is_given and behind is not None and not is_plain(behind[1])


def _gap(note: NoteText, place: int, token: re.Match[str]) -> int | None:
    """Where the next part of a name may begin, or None where the name is over."""
    if token["particle"]:
        return place
    if token["initial"] and note.text[place : place + 1].isalpha():
        return place  # J.K. Rowling
    return place + 1 if note.text[place : place + 1] == " " else None


def _parts(word: str) -> Iterator[str]:
    whole = folded(word.strip("\"“”()'"))
    yield from {part for part in (whole, *whole.split("-")) if len(part) >= SHORTEST_PART}


def _without_stop(note: NoteText, end: int, start: int) -> int:
    """The end of a name without a full stop that ends a sentence behind a word."""
    if note.text[end - 1] == "." and end - 3 >= start and note.text[end - 3].isalpha():
        return end - 1
    return end
