"""Names of persons (A): announced by words around them, known from lists, and met again."""

import re
from collections.abc import Iterator, Set

from biobert.trust.clinical import is_clinical, is_pill
from biobert.trust.identifiers._name_chain import (
    CREDENTIAL,
    SMALL_WORD,
    Name,
    read_name,
)
from biobert.trust.identifiers._name_patterns import (
    AMBIGUOUS_TITLE,
    ANNOUNCED,
    BEFORE_AGE,
    BEFORE_CREDENTIAL,
    CLOSING,
    EPONYM_NOUN,
    FIELD,
    GREETING,
    INITIALS_AND_NAME,
    INVERTED_LINE,
    IS_SOMEBODY,
    LETTERED_LINE,
    MET_AGAIN,
    NO_INITIAL_BEHIND,
    PLAIN_TITLE,
    RELATIVE,
    SMALL_TITLE,
    SMALL_WITH_CREDENTIAL,
    SPEAKS,
    SPOKEN_WITH,
    TITLE,
    WORD_OF_NAME,
)
from biobert.trust.lists import (
    entries,
    folded,
    given_names,
    is_known_name,
    is_plain,
)
from biobert.trust.note import Candidate, Certainty, NoteText

LOOK_BACK = 80
SHORTEST_SURNAME, FEWEST_LETTERS, LONGEST_ACRONYM = 3, 4, 4


def find(note: NoteText) -> Iterator[Candidate]:
    """Announced names, then listed ones, then every further mention of their parts and of those of
    names that were told."""
    parts: dict[str, Certainty] = {}
    for name, certainty in _all_names(note):
        for part in name.parts:
            parts[part] = max(certainty, parts.get(part, certainty))
        yield Candidate("NAME", name.start, name.end, certainty)
    for name in _told(note):
        parts = {**dict.fromkeys(name.parts, Certainty.SHAPED), **parts}
    for match in MET_AGAIN.finditer(note.text):
        word = match[0].removesuffix("'s").removesuffix("’s")
        certainty_of_part = parts.get(folded(word))
        end = match.start() + len(word)
        if certainty_of_part is not None and _is_met(note, word, end):
            again = min(certainty_of_part, Certainty.SHAPED)
            yield Candidate("NAME", match.start(), end, again)


def _told(note: NoteText) -> Iterator[Name]:
    """Of the names that a model found, those of a known given name and something behind it."""
    for mention in note.told:
        name = read_name(NoteText(mention), 0, "list")
        if name and len(name.parts) > 1 and name.parts[0] in given_names().all:
            yield name


def _is_met(note: NoteText, word: str, end: int) -> bool:
    """Whether a part of a name is one again: of ordinary words only what speaks or is somebody."""
    if not is_plain(word):
        return not _is_eponym(note, end)
    is_given = word.lower() == "may" or folded(word) in given_names().all
    return (IS_SOMEBODY if is_given else SPEAKS).match(note.lowered, end) is not None


def _all_names(note: NoteText) -> Iterator[tuple[Name, Certainty]]:
    for name in _announced(note):
        yield name, Certainty.STATED
    for name in (*_shaped(note), *_signed(note), *_spoken_with(note)):
        yield name, Certainty.SHAPED
    for name in _listed(note):
        yield name, Certainty.LISTED


def _announced(note: NoteText) -> Iterator[Name]:
    """Behind a title, a field's name, a relative, a greeting or a closing."""
    for match in TITLE.finditer(note.lowered):
        yield from _behind_title(note, match)
    for pattern in (FIELD, ANNOUNCED, RELATIVE, GREETING, CLOSING):
        for match in pattern.finditer(note.lowered):
            name = read_name(note, match.end(), "field" if pattern is FIELD else "words")
            name = name or _in_small_letters(note, match.end())
            if name is None or _is_eponym(note, name.end) or _is_acronym(note, name):
                continue
            # `Mother: Parkinson` is a history, `Surgeon: Parkinson` a name.
            is_no_name = _is_clinical if pattern is RELATIVE else _is_term
            if not is_no_name(note, name):
                yield name


def _spoken_with(note: NoteText) -> Iterator[Name]:
    for match in SPOKEN_WITH.finditer(note.text):
        name = read_name(note, match.end())
        if name is None or _is_eponym(note, name.end) or _is_acronym(note, name):
            continue
        is_name = _is_listed(name) or (len(name.parts) > 1 and match["deed"])
        if is_name and not _is_term(note, name):
            yield name


def _behind_title(note: NoteText, match: re.Match[str]) -> Iterator[Name]:
    name = read_name(note, match.end(), "title")
    if name is None and SMALL_TITLE.fullmatch(note.text[match.start() : match.end()]):
        small = SMALL_WORD.match(note.text, match.end())
        if small and not is_plain(small[0]):
            name = Name(*small.span(), (folded(small[0]),))
    if name and _is_titled(note, note.text[match.start() : match.end()], name):
        yield name


def _is_titled(note: NoteText, title: str, name: Name) -> bool:
    """Whether a title, as it is typed before the name, is one and not that of `MR Angiography`."""
    if PLAIN_TITLE.fullmatch(title):
        return True
    is_ambiguous = AMBIGUOUS_TITLE.fullmatch(title) is not None
    if (is_ambiguous or not title[:2].istitle()) and _is_eponym(note, name.end):
        return False
    if "." in title and not is_ambiguous:
        return True
    is_in_capitals = note.text[name.start : name.end].isupper()
    if is_ambiguous and "." not in title and not is_in_capitals:
        return any(is_known_name(one) and not is_plain(one) for one in name.parts)
    return not _is_term(note, name)


def _in_small_letters(note: NoteText, place: int) -> Name | None:
    """`real name antonio ferraro`: a known name without capitals, and one word behind it."""
    first = SMALL_WORD.match(note.text, place)
    if first is None or is_plain(first[0]) or not _is_certain(first[0]):
        return None
    second = SMALL_WORD.match(note.text, first.end() + 1)
    is_name = second and note.text[first.end()] == " " and not is_plain(second[0])
    end = second.end() if second and is_name else first.end()
    return Name(place, end, tuple(folded(note.text[place:end]).split()))


def _signed(note: NoteText) -> Iterator[Name]:
    """Before a credential, or before an age at the beginning of a line."""
    for credential in CREDENTIAL.finditer(note.text):
        if (name := _before_credential(note, credential.start())) is not None:
            yield name
    for match in SMALL_WITH_CREDENTIAL.finditer(note.text):
        words = [one for one in match[1].replace(".", " ").split() if len(one) > 1]
        if not any(map(is_plain, words)):
            yield Name(*match.span(1), tuple(map(folded, words)))
    for match in BEFORE_AGE.finditer(note.text):
        name = read_name(note, match.start(1))
        if name and not _is_eponym(note, name.end) and not _is_acronym(note, name):
            yield name


def _before_credential(note: NoteText, place: int) -> Name | None:
    """The words with capitals before a credential, without a heading such as `Surgeon`."""
    if note.text[place - 1 : place].isalnum():
        return None
    behind = max(0, place - LOOK_BACK)
    match = BEFORE_CREDENTIAL.search(note.text, behind, place)
    if match is None:
        return None
    words = [(one.start(), one[0]) for one in WORD_OF_NAME.finditer(note.text, *match.span("name"))]
    while len(words) > 1 and is_plain(words[0][1].rstrip(".")):
        words.pop(0)
    name = read_name(note, words[0][0])
    if name is None or _is_acronym(note, name) or (len(words) == 1 and not match["comma"]):
        return None
    return None if folded(note.text[name.start : name.end]) in entries("places").all else name


def _shaped(note: NoteText) -> Iterator[Name]:
    """Initials and a word with a capital; a line that begins with `SURNAME, Given`."""
    items = _lettered_items(note)
    for match in INITIALS_AND_NAME.finditer(note.text):
        last = folded(re.split(r"[ .]", match[0])[-1])
        name = read_name(note, match.start())
        is_short = len(last) < SHORTEST_SURNAME
        if name is None or not name.parts or is_short or last in entries("organisms").all:
            continue
        before = note.lowered[max(0, match.start() - 12) : match.start()]
        if NO_INITIAL_BEHIND.search(before) or (match.start() in items and not is_known_name(last)):
            continue
        if not _is_eponym(note, name.end) and not _is_term(note, name):
            yield name
    for match in INVERTED_LINE.finditer(note.text):
        name = read_name(note, match.end(), "field")
        if name and "," in note.text[name.start : name.end] and _is_person(note, name):
            yield name


def _lettered_items(note: NoteText) -> Set[int]:
    """Where lines begin with the letter of an item, another line with the letter beside it."""
    lines = list(LETTERED_LINE.finditer(note.text))
    letters = {ord(one["letter"]) for one in lines}
    return {
        one.start("letter")
        for one in lines
        if {ord(one["letter"]) - 1, ord(one["letter"]) + 1} & letters
    }


def _is_person(note: NoteText, name: Name) -> bool:
    """Of `Word, Word`: in capitals and no `MVC, GCS`, or with a known name."""
    text = note.text[name.start : name.end]
    first = folded(text.partition(",")[0])
    if first in entries("places").all:
        return False
    is_known = is_known_name(first) or any(one in given_names().all for one in name.parts)
    is_clinical_first = is_clinical("NAME", note.text, name.start, name.start + len(first))
    are_words = is_clinical_first or any(one in entries("vocabulary").all for one in name.parts)
    return is_known or (text.isupper() and not are_words)


def _listed(note: NoteText) -> Iterator[Name]:
    """Known given names with what stands behind them, and names that are hardly anything else."""
    given, surnames, eponyms = given_names(), entries("surnames"), entries("eponyms").all
    until = 0
    for start, end, lowered in note.words:
        word = lowered if lowered.isascii() else folded(lowered)
        if start < until or not (word in given.all or word in surnames.all):
            continue
        if not note.is_capital(start):
            if word in given.certain and len(word) >= FEWEST_LETTERS and not is_plain(word):
                yield Name(start, end, (word,))
            continue
        if start and note.text[start - 1] in "-'’_@./":
            continue
        name = read_name(note, start, "list")
        if name is None:
            continue
        if not _is_sure(note, name, word, eponyms):
            name = _before_comma(note, name)
        if name is None or not _is_sure(note, name, word, eponyms):
            continue
        if _is_eponym(note, name.end) or _is_acronym(note, name):
            continue
        if len(name.parts) == 1 and is_pill(note.text, name.start, name.end):
            continue
        until = name.end
        yield name


def _before_comma(note: NoteText, name: Name) -> Name | None:
    """The first word of `Word, Word`, which may be a name without the second."""
    first = MET_AGAIN.match(note.text, name.start)
    if first is None or note.text[first.end() : first.end() + 1] != ",":
        return None
    return Name(name.start, first.end(), (folded(first[0]),))


def _is_sure(note: NoteText, name: Name, word: str, eponyms: frozenset[str]) -> bool:
    given, surnames = given_names(), entries("surnames")
    text = note.text[name.start : name.end]
    others = [one for one in name.parts if one != word]
    if "," in text:
        is_unspaced = text.isupper() and ", " not in text
        is_surname = word in surnames.all and any(one in given.all for one in others)
        return is_surname or (is_unspaced and word in surnames.certain)
    if word in given.certain and word not in eponyms:
        return True
    if word in given.all and others:
        return any(one in surnames.all for one in others) or word in given.certain
    return word in surnames.certain and word not in eponyms


def _is_listed(name: Name) -> bool:
    return any(map(_is_certain, name.parts))


def _is_certain(word: str) -> bool:
    part = folded(word)
    known = part in given_names().certain or part in entries("surnames").certain
    return known and part not in entries("eponyms").all


def _is_acronym(note: NoteText, name: Name) -> bool:
    """One word of up to four capitals, such as a measure, or one that goes on with a number."""
    text = note.text[name.start : name.end]
    behind = note.text[name.end : name.end + 2].lstrip("-")[:1]
    return text.isupper() and " " not in text and (len(text) <= LONGEST_ACRONYM or behind.isdigit())


def _is_clinical(note: NoteText, name: Name) -> bool:
    return is_clinical("NAME", note.text, name.start, name.end)


def _is_term(note: NoteText, name: Name) -> bool:
    """Whether it is clinical language and not the surname of an eponym, such as `Dr. Crohn`'s."""
    is_of_eponym = any(one in entries("eponyms").all for one in name.parts)
    return not is_of_eponym and _is_clinical(note, name)


def _is_eponym(note: NoteText, end: int) -> bool:
    """Whether what follows makes the name that of a disease, a sign, a test or a tool."""
    return EPONYM_NOUN.match(note.text, end) is not None
