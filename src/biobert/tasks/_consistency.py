"""One name, one answer: the mentions of a document, brought into line with one another.

A tagger reads sentence by sentence, and calls a name a disease here and nothing there. Three rules
mend that, for each type:

- A short form that the text defines follows its long form: marked where that is, not where it is
  not.
- A mention that is not sure is dropped if its name stands unmarked as often as marked, or more.
- A name that is sure somewhere is marked wherever it stands.

What "sure" means was chosen on devel of four corpora (docs/decisions/0016-one-name-one-answer.md).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import numpy as np

from biobert.core.document import Entity, Span
from biobert.text.abbreviations import abbreviations

SURE = 0.9
"""The probability of a mention that needs no other."""
SHORTEST = 3
"""Characters of a name that is marked everywhere; shorter ones mean too many things."""
WORD = re.compile(r"\w+|[^\w\s]")

Occurring = defaultdict[str, list[Span]]
"""Where each name stands; nowhere, as a rule."""


def consistent(
    text: str, entities: Sequence[Entity], excluded: Mapping[str, Set[str]]
) -> list[Entity]:
    """The entities after all three rules.

    What is added overlaps nothing of its own type, nor of those that `excluded` names for it.
    """
    if not entities:
        return []
    definitions = {text[one.short.start : one.short.end]: one.long for one in abbreviations(text)}
    names = Names({*definitions, *(name for name, _ in _by_name(text, entities))})
    occurring = names.places(text)
    found = _follow_long_forms(text, entities, definitions, occurring, excluded)
    found = _without_unsure(text, found, occurring)
    return _with_sure_ones_repeated(text, found, occurring, excluded)


class Names:
    """Names that are looked for in texts, each as `plain` leaves it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._counts: defaultdict[str, set[int]] = defaultdict(set)
        for name in self._names:
            words = WORD.findall(name)
            self._counts[words[0] if words else ""].add(len(words))

    def places(self, text: str) -> Occurring:
        """Where each name stands between the borders of words, in one pass over the text.

        A blank of a name is any white space of the text, a line break too.
        """
        found: defaultdict[str, list[Span]] = defaultdict(list)
        words = [word.span() for word in WORD.finditer(text)] if self._names else []
        for place, (start, end) in enumerate(words):
            for count in self._counts.get(text[start:end], ()):
                own = words[place : place + count]
                _, stop = own[-1]
                name = plain(text[start:stop])
                if name in self._names and len(own) == count:
                    found[name].append(Span(start, stop))
        return found


def plain(name: str) -> str:
    """A name in one line: with one blank between words, and none around them."""
    return " ".join(name.split())


class _Places:
    """Which characters of a text stand in mentions of each type."""

    def __init__(
        self, text: str, entities: Sequence[Entity], excluded: Mapping[str, Set[str]]
    ) -> None:
        self._excluded = excluded
        self._taken: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(text), bool))
        for one in entities:
            self._taken[one.label][one.start : one.end] = True

    def touch(self, span: Span, label: str) -> bool:
        """Whether a mention of the type overlaps the span."""
        return label in self._taken and bool(self._taken[label][span.start : span.end].any())

    def add(self, spans: Iterable[Span], label: str, score: float | None) -> Iterator[Entity]:
        """Mentions of the type at those spans where nothing stands against it."""
        for span in spans:
            if not any(self.touch(span, other) for other in (label, *self._excluded[label])):
                self._taken[label][span.start : span.end] = True
                yield Entity(span.start, span.end, label, score=score)


def _follow_long_forms(
    text: str,
    entities: Sequence[Entity],
    definitions: Mapping[str, Span],
    occurring: Occurring,
    excluded: Mapping[str, Set[str]],
) -> list[Entity]:
    if not definitions:
        return list(entities)
    places = _Places(text, entities, excluded)
    ending = {(one.end, one.label): one for one in entities}
    refused: set[tuple[str, str]] = set()
    added: list[Entity] = []
    for label in sorted({one.label for one in entities}):
        for short, long in definitions.items():
            full = ending.get((long.end, label))
            if full is not None and full.start <= long.start:
                added += places.add(occurring[short], label, full.score)
            elif not places.touch(long, label):
                refused.add((short, label))
    kept = [one for one in entities if (text[one.start : one.end], one.label) not in refused]
    return kept + added


def _without_unsure(text: str, entities: Sequence[Entity], occurring: Occurring) -> list[Entity]:
    places = _Places(text, entities, {})
    kept: list[Entity] = []
    for (name, label), mentions in _by_name(text, entities).items():
        unmarked = sum(not places.touch(span, label) for span in occurring[name])
        is_minority = unmarked >= len(mentions)
        kept += (one for one in mentions if not is_minority or (one.score or 0.0) >= SURE)
    return kept


def _with_sure_ones_repeated(
    text: str,
    entities: Sequence[Entity],
    occurring: Occurring,
    excluded: Mapping[str, Set[str]],
) -> list[Entity]:
    """Long names first: a short one is not marked inside a longer one."""
    sure = {
        key: max(one.score or 0.0 for one in mentions)
        for key, mentions in _by_name(text, entities).items()
        if len(key[0]) >= SHORTEST
    }
    sure = {key: score for key, score in sure.items() if score >= SURE}
    places = _Places(text, entities, excluded)
    found = list(entities)
    for name, label in sorted(sure, key=lambda key: (-len(key[0]), *key)):
        found += places.add(occurring[name], label, sure[name, label])
    return found


def _by_name(text: str, entities: Sequence[Entity]) -> dict[tuple[str, str], list[Entity]]:
    """Mentions by what they are called and their type."""
    found: defaultdict[tuple[str, str], list[Entity]] = defaultdict(list)
    for one in entities:
        found[plain(text[one.start : one.end]), one.label].append(one)
    return found
