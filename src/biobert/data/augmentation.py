"""More documents from the ones there are: the same sentences with other mentions and words.

Every method is a small value that is called with a document and a generator. Offsets stay true:
all changes go through `core/editing.py`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from biobert.core.document import Document, Entity, Span
from biobert.core.editing import Edit, edited
from biobert.core.errors import BadInputError
from biobert.core.settings import refuse_unread
from biobert.data.lexicons import Terms, read_lexicon, read_ontology, read_synonyms, terms_of
from biobert.data.rejects import Rejects

WORD = re.compile(r"[^\W\d_](?:[-\w]*\w)?")
"""A word begins with a letter; `beta-blocker` is one, `p53` too, `53` is none."""
T = TypeVar("T")
RATES = ("mention_rate", "synonym_rate", "filled_rate", "translated_rate")


class Augmentation(Protocol):
    """A document, changed by chance; equal generators change it alike."""

    def __call__(self, document: Document, generator: np.random.Generator) -> Document:
        """The document as it might also have been written."""
        ...


@dataclass(frozen=True, slots=True)
class TranslatorSettings:
    """A sequence-to-sequence model of transformers for one pair of languages: a folder or a name.

    `prefix` stands before every sentence, for models that want to be told what to do.
    """

    model: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class AugmentationSettings:
    """Changed copies of the training documents, `copies` of each; a rate of 0 leaves a method out.

    `mention_rate` is the share of mentions that another of the same type replaces: one of the
    training data, or of `lexicon` (TSV: label, term), or of the ontology that `ontologies` names
    for its type (OBO, or TSV: id, name). `synonym_rate` is the share of words outside entities that
    a synonym replaces (`synonyms`, TSV: word, synonyms). `filled_rate` is the share of words that
    `language_model` fills in anew, with one of the `top` likeliest other words. `translated_rate`
    is the share of sentences that the two `translators` carry there and back.
    """

    copies: int = 1
    mention_rate: float = 0.0
    lexicon: str | None = None
    ontologies: Mapping[str, str] = field(default_factory=dict)
    synonym_rate: float = 0.0
    synonyms: str | None = None
    filled_rate: float = 0.0
    language_model: str | None = None
    top: int = 5
    translated_rate: float = 0.0
    translators: tuple[TranslatorSettings, ...] = ()

    def __post_init__(self) -> None:
        for name in RATES:
            check_rate(getattr(self, name), f"[augmentation] {name}")
        if self.copies < 1 or self.top < 1:
            raise BadInputError(
                f"[augmentation] copies = {self.copies}, top = {self.top}: at least 1"
            )
        if not any(getattr(self, name) for name in RATES):
            raise BadInputError(f"[augmentation] nothing to do: set one of {', '.join(RATES)}")
        place = "[augmentation]"
        if not self.mention_rate:
            refuse_unread(self, ("lexicon", "ontologies"), place=place, reader="mention_rate")
        if self.language_model is None:
            refuse_unread(self, ["top"], place=place, reader="language_model")
        self._need("synonym_rate", "synonyms", self.synonyms is not None)
        self._need("filled_rate", "language_model", self.language_model is not None)
        self._need("translated_rate", "two translators, there and back", len(self.translators) == 2)

    def _need(self, rate: str, what: str, is_given: bool) -> None:
        if (getattr(self, rate) > 0) != is_given:
            raise BadInputError(f"[augmentation] {rate} and {what} go together: set both or none")


@dataclass(frozen=True, slots=True)
class ReplaceMentions:
    """Puts other terms of the same label in the place of a share of the mentions.

    Left alone are mentions that overlap another, that come in pieces, that go over the border of a
    sentence or passage, and those of a concept that a relation speaks of. A replaced mention has no
    concept identifiers: it may mean another concept (Dai and Adel 2020, arXiv:2010.11683).
    """

    terms: Terms
    rate: float

    def __post_init__(self) -> None:
        check_rate(self.rate, "rate of replaced mentions")

    def __call__(self, document: Document, generator: np.random.Generator) -> Document:
        """The document with some other mentions."""
        replaceable = [one for one in _replaceable(document) if self.terms.get(one.label)]
        chosen = _drawn(replaceable, self.rate, generator)
        edits = {}
        for entity in chosen:
            mention = document.mention(entity)
            others = [term for term in self.terms[entity.label] if term != mention]
            if others:
                term = others[int(generator.integers(len(others)))]
                edits[entity.start] = Edit(entity.start, entity.end, term)
        unlinked = [
            replace(one, concept_ids=()) if one.start in edits else one for one in document.entities
        ]
        return edited(replace(document, entities=tuple(unlinked)), list(edits.values()))


@dataclass(frozen=True, slots=True)
class ReplaceWords:
    """Puts synonyms in the place of a share of the words outside entities that have any."""

    synonyms: Terms
    rate: float

    def __post_init__(self) -> None:
        check_rate(self.rate, "rate of replaced words")

    def __call__(self, document: Document, generator: np.random.Generator) -> Document:
        """The document with some other words."""
        known = [
            word
            for word in words_outside(document)
            if document.text[word.start : word.end].lower() in self.synonyms
        ]
        edits = []
        for word in _drawn(known, self.rate, generator):
            text = document.text[word.start : word.end]
            choices = self.synonyms[text.lower()]
            synonym = choices[int(generator.integers(len(choices)))]
            edits.append(Edit(word.start, word.end, with_case_of(text, synonym)))
        return edited(document, edits)


def augmented(
    documents: Iterable[Document], methods: Sequence[Augmentation], *, copies: int, seed: int
) -> Iterator[Document]:
    """Changed copies of each document, all methods in turn; one that came out as it was, or as
    another copy, is left out.

    The copies of a document depend on the seed and on its place alone.
    """
    for number, document in enumerate(documents):
        generator = np.random.default_rng((seed, number))
        seen = {document.text}
        for copy in range(1, copies + 1):
            changed = document
            for method in methods:
                changed = method(changed, generator)
            if changed.text not in seen:
                seen.add(changed.text)
                yield replace(changed, id=f"{document.id}-augmented-{copy}")


def term_augmentations(
    settings: AugmentationSettings, documents: Iterable[Document], rejects: Rejects
) -> list[Augmentation]:
    """The methods of the settings that need no model; `documents` lend their mentions."""
    methods: list[Augmentation] = []
    if settings.synonyms is not None:
        synonyms = read_synonyms(Path(settings.synonyms), rejects)
        methods.append(ReplaceWords(synonyms, settings.synonym_rate))
    if settings.mention_rate:
        terms = dict(terms_of(documents))
        if settings.lexicon is not None:
            terms |= read_lexicon(Path(settings.lexicon), rejects)
        for label, path in settings.ontologies.items():
            terms[label] = read_ontology(Path(path), rejects)
        methods.append(ReplaceMentions(terms, settings.mention_rate))
    return methods


def words_outside(document: Document) -> list[Span]:
    """The words that touch no entity and cross no border of a sentence, a passage or evidence."""
    taken = sorted((one.start, one.end) for one in document.entities)
    borders = _borders(document)
    words, number, reach = [], 0, 0
    for match in WORD.finditer(document.text):
        while number < len(taken) and taken[number][0] < match.end():
            reach = max(reach, taken[number][1])
            number += 1
        if reach <= match.start() and not borders.intersection(range(*_inside(match.span()))):
            words.append(Span(*match.span()))
    return words


def with_case_of(model: str, word: str) -> str:
    """The word with a capital where `model` begins with one and goes on without."""
    is_capitalised = model[:1].isupper() and model[1:] == model[1:].lower()
    return word[:1].upper() + word[1:] if is_capitalised else word


def check_rate(rate: float, name: str) -> None:
    """An error for a rate that is no share."""
    if not 0.0 <= rate <= 1.0:
        raise BadInputError(f"{name} = {rate}: a share, from 0 to 1")


def _replaceable(document: Document) -> list[Entity]:
    spoken_of = {
        identifier
        for relation in document.relations
        for argument in relation.arguments
        if argument.kind == "concept"
        for identifier in argument.target.split("|")
    }
    borders = _borders(document)
    return [
        entity
        for entity in _alone(document.entities)
        if not entity.fragments
        and not spoken_of.intersection(entity.concept_ids)
        and not borders.intersection(range(*_inside((entity.start, entity.end))))
    ]


def _alone(entities: Sequence[Entity]) -> Iterator[Entity]:
    """The entities that overlap no other, in text order."""
    ordered = sorted(entities, key=lambda one: (one.start, one.end))
    reach = 0
    for number, entity in enumerate(ordered):
        following = ordered[number + 1].start if number + 1 < len(ordered) else entity.end
        if reach <= entity.start and entity.end <= following:
            yield entity
        reach = max(reach, entity.end)


def _borders(document: Document) -> frozenset[int]:
    """Where sentences, passages and evidence begin and end."""
    spans: list[tuple[int, int]] = [(one.start, one.end) for one in document.sentences]
    spans += [(one.start, one.end) for one in document.passages]
    spans += [(one.start, one.end) for each in document.relations for one in each.evidence]
    return frozenset(place for span in spans for place in span)


def _inside(span: tuple[int, int]) -> tuple[int, int]:
    return span[0] + 1, span[1]


def _drawn(items: Sequence[T], rate: float, generator: np.random.Generator) -> list[T]:
    chances = generator.random(len(items))
    return [item for item, chance in zip(items, chances.tolist(), strict=True) if chance < rate]
