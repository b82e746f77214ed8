"""Practice notes: texts full of invented persons and places, to train a tagger of names on.

No patient's data is needed. A note whose identifiers are annotated is written again with others, or
a note is put together from the contexts of `contexts.toml`. Half of the names stand in `lists/`,
the others are crossed from two of those: a tagger has to look at what stands around them.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np

from biobert.core.document import Document, Entity
from biobert.core.editing import Edit, edited
from biobert.text.letters import letter_by_letter
from biobert.trust.calendar import reading_of
from biobert.trust.kinds import Kind
from biobert.trust.lists import entries, folded, given_names, is_plain, spelled, states
from biobert.trust.model_labels import kind_of
from biobert.trust.surrogates import WORD, DateShift, Surrogates, case_like, tag

LABELS: tuple[Kind, ...] = ("NAME", "LOCATION")
"""What practice notes annotate."""
INVENTED = 0.5
"""The share of names that stand in no list."""
FORMS: tuple[tuple[float, Callable[[str], str]], ...] = ((0.25, str.lower), (0.15, str.upper))
"""Shares of the notes in small letters and in capitals; the others are as they are written."""
SHORTEST_CROSSED = 4
FEWEST_LINES, MOST_LINES = 3, 10
CHOICE = re.compile(r"{([^{}]{0,400})}")
SLOT = re.compile(r"<(\w{1,30})>")
SMALL = "_small"
BEFORE_CONSONANT = re.compile(r"(?<=[aeiouy])(?=[^\W\d_aeiouy])")
GIVEN = ("given_names_female", "given_names_male")
INSTITUTIONS = ("institution", "institution_short", "care_home", "employer", "school")


@dataclass(frozen=True, slots=True)
class Contexts:
    """Lines with slots, what may fill each slot, and the label of what fills it."""

    lines: tuple[str, ...]
    fillings: Mapping[str, Sequence[str]]
    labels: Mapping[str, Kind]


@cache
def contexts() -> Contexts:
    """Those of `contexts.toml`."""
    text = (files("biobert.trust") / "contexts.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    labelled = {"NAME": tables["names"], "LOCATION": tables["places"]}
    return Contexts(
        tuple(tables["contexts"]),
        {**tables["words"], **tables["names"], **tables["places"]},
        {slot: label for label in LABELS for slot in labelled[label]},
    )


def written_again(notes: Sequence[Document], *, copies: int, seed: int) -> Iterator[Document]:
    """Copies of notes in which all annotated identifiers are others; names and places stay so.

    Their labels may be whatever `model_labels.py` knows. Entities may not overlap.
    """
    for copy in range(copies):
        for number, note in enumerate(notes):
            generator = np.random.default_rng((seed, 0, copy, number))
            yield _in_a_form(_with_others(note, f"{note.id}-{copy}", generator), generator)


def put_together(lines: Sequence[str], *, count: int, seed: int) -> Iterator[Document]:
    """So many notes of a few of these lines each, such as those of `contexts()`."""
    for number in range(count):
        generator = np.random.default_rng((seed, 1, number))
        size = int(generator.integers(FEWEST_LINES, MOST_LINES + 1))
        chosen = [_one_of(lines, generator) for _ in range(size)]
        note = _filled(f"lines-{number}", chosen, _Inventor(generator))
        yield _in_a_form(note, generator)


def _filled(note_id: str, lines: Sequence[str], inventor: "_Inventor") -> Document:
    """The lines with their slots filled."""
    text, entities = "", []
    for line in lines:
        text += inventor.one_of((" ", "\n")) if text else ""
        # `split` gives what stands between slots and the slots themselves in turn.
        for place, part in enumerate(SLOT.split(inventor.chosen(line))):
            filling = inventor.filling(part) if place % 2 else inventor.digits(part)
            label = contexts().labels.get(part.lower()) if place % 2 else None
            if label is not None:
                entities.append(Entity(len(text), len(text) + len(filling), label))
            text += filling
    return Document(note_id, text, entities=tuple(entities), annotated_labels=LABELS)


def _with_others(note: Document, note_id: str, generator: np.random.Generator) -> Document:
    """The note with another identifier for each; the same name has the same one throughout."""
    inventor, surrogates = _Inventor(generator), Surrogates(generator.bytes(32))
    mentions = [
        (kind, one.start, one.end, note.mention(one))
        for one in note.entities
        if (kind := kind_of(one.label)) is not None
    ]
    dates = [mention for kind, _, _, mention in mentions if kind == "DATE"]
    shift = DateShift(surrogates.days_for(note_id), reading_of(dates))

    @cache
    def other(kind: Kind, mention: str) -> str:
        if kind == "NAME":
            return inventor.name_like(mention)
        if kind == "LOCATION":
            return inventor.place_like(mention)
        made = surrogates.surrogate(kind, mention, shift)
        return mention if made == tag(kind) else made

    edits = [Edit(start, end, other(kind, mention)) for kind, start, end, mention in mentions]
    entities = [Entity(start, end, kind) for kind, start, end, _ in mentions if kind in LABELS]
    annotated = replace(note, id=note_id, annotated_labels=LABELS).with_entities(entities)
    return edited(annotated, edits)


def _in_a_form(note: Document, generator: np.random.Generator) -> Document:
    """The note as it is, in small letters or in capitals; every character stays in its place."""
    drawn = float(generator.random())
    for share, change in FORMS:
        if drawn < share:
            return replace(note, text=letter_by_letter(note.text, change))
        drawn -= share
    return note


class _Inventor:
    """Draws what fills slots; equal generators draw alike."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._words: dict[str, str] = {}

    def one_of(self, choices: Sequence[str]) -> str:
        return _one_of(choices, self._generator)

    def chosen(self, pattern: str) -> str:
        """The pattern with one of the alternatives of every choice."""
        return CHOICE.sub(lambda match: self.one_of(match[1].split("|")), pattern)

    def digits(self, text: str) -> str:
        return re.sub("#", lambda _: str(self._generator.integers(10)), text)

    def filling(self, slot: str) -> str:
        """What fills `<slot>`; in capitals where the slot is."""
        if slot.isupper():
            return self.filling(slot.lower()).upper()
        fillings = contexts().fillings.get(slot)
        if fillings is not None:
            pattern = self.chosen(self.one_of(fillings))
            return self.digits(SLOT.sub(lambda match: self.filling(match[1]), pattern))
        if slot.endswith(SMALL):
            return self.filling(slot.removesuffix(SMALL)).lower()
        return _TERMINALS[slot](self)

    def given(self) -> str:
        return self._listed_or_crossed(spelled(self.one_of(GIVEN)))

    def family(self) -> str:
        return self._listed_or_crossed(spelled("surnames"))

    def town_name(self) -> str:
        return self._listed_or_crossed(spelled("places"))

    def initial(self) -> str:
        return self.one_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def eponym(self) -> str:
        return self.one_of(spelled("eponyms"))

    def drug_name(self) -> str:
        return self._listed_or_crossed(spelled("drugs"))

    def state(self) -> str:
        return self.one_of(list(states()))

    def state_code(self) -> str:
        return self.one_of(list(states().values()))

    def name_like(self, name: str) -> str:
        """Another name, word by word, so that it keeps its form."""
        return WORD.sub(lambda match: case_like(match[0], self._word_like(match[0])), name)

    def place_like(self, place: str) -> str:
        """Another street, town or institution."""
        words = place.split()
        if any(one.isdigit() for one in (words[0], words[-1])):
            return self.filling("street")
        if len(words) == 1 or folded(place) in entries("places").all:
            return case_like(place, self.filling("town"))
        return case_like(place, self.filling(self.one_of(INSTITUTIONS)))

    def _word_like(self, word: str) -> str:
        plain = folded(word)
        if len(word) <= 2 or (word.islower() and is_plain(word)):
            return "".join(self.initial() for _ in word) if word.isupper() else word
        if plain not in self._words:
            is_given = plain in given_names().all
            self._words[plain] = self.given() if is_given else self.family()
        return self._words[plain]

    def _listed_or_crossed(self, listed: Sequence[str]) -> str:
        name = self.one_of(listed)
        if self._generator.random() >= INVENTED:
            return name
        return _crossed(name, self.one_of(listed), self._generator)


_TERMINALS: Mapping[str, Callable[[_Inventor], str]] = {
    name: getattr(_Inventor, name)
    for name in "given family town_name initial eponym drug_name state state_code".split()
}


def _crossed(first: str, second: str, generator: np.random.Generator) -> str:
    """How one name begins and how the other ends: `Robinson` and `Martinez` make `Robinez`."""
    heads = [match.start() for match in BEFORE_CONSONANT.finditer(first)]
    tails = [match.start() for match in BEFORE_CONSONANT.finditer(second)]
    if not heads or not tails:
        return first
    head, tail = (places[int(generator.integers(len(places)))] for places in (heads, tails))
    made = first[:head] + second[tail:]
    return first if len(made) < SHORTEST_CROSSED or is_plain(made) else made


def _one_of(choices: Sequence[str], generator: np.random.Generator) -> str:
    return choices[int(generator.integers(len(choices)))]
