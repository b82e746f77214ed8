"""Named entity recognition: B, I and O tags for every word, decoded into entities.

Two schemes. `per-type` gives each entity type a softmax of its own over (O, B, I), so corpora that
annotate different types train together, each teaching only its own, and entities of different
types may overlap. `joint` is the classic single softmax over O, B-X, I-X.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import ClassVar, Literal

import numpy as np

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError
from biobert.core.probabilities import log_softmax
from biobert.core.task import (
    IGNORED,
    Counts,
    Example,
    FloatArray,
    HeadSpec,
    IntArray,
    LabelGroup,
    Outputs,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.core.words import owned_words
from biobert.evaluation.significance import sentence_counts
from biobert.evaluation.spans import annotated_alone, score_entities
from biobert.tasks._consistency import consistent
from biobert.tasks._labels import check_labels
from biobert.tasks._tagging import best_tags
from biobert.tasks._terms import check_terms, with_terms
from biobert.tasks._windows import encode_stretches
from biobert.tasks._words import Words, words_of
from biobert.text.sentences import sentences_of, without_marks
from biobert.text.windows import WindowSettings

HEAD = "tags"
OUTSIDE = 0


@dataclass(frozen=True, slots=True)
class NerSettings:
    """What to find and how to read a text. `labels` are the entity types, in head order.

    `exclusive` lists pairs of types that no mention has at once. In the per-type scheme a gold
    mention of one teaches the other's head "not this", also where its corpus does not annotate the
    other; and of two such answers for the same span the surer one stays.

    `consistency` brings the answers of a document into line: names alike are marked alike, and
    abbreviations as what they stand for. `terms` are names of each type that are marked wherever
    they stand, learnt or not: `terms.Disease = ["asthma"]`.
    """

    labels: tuple[str, ...]
    scheme: Literal["per-type", "joint"] = "per-type"
    exclusive: tuple[tuple[str, ...], ...] = ()
    consistency: bool = False
    terms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    windows: WindowSettings = field(default_factory=WindowSettings)

    def __post_init__(self) -> None:
        check_labels(self.labels)
        for pair in self.exclusive:
            if len(pair) != 2 or len(set(pair)) != 2 or not set(pair) <= set(self.labels):
                raise BadInputError(
                    f"[task] exclusive = {list(pair)}: a pair of the labels {list(self.labels)}"
                )


class NamedEntityRecognition(Task):
    """Finds mentions and their types."""

    name: ClassVar[str] = "ner"
    settings_type: ClassVar[type] = NerSettings
    _settings: NerSettings

    def __init__(self, settings: NerSettings) -> None:
        self.labels = settings.labels
        super().__init__(settings)
        self._excluded = _excluded(settings)
        self._terms = check_terms(settings.terms, settings.labels)
        self._head = HeadSpec(HEAD, "token", _groups(settings))

    def heads(self) -> tuple[HeadSpec, ...]:
        """One token head: (O, B, I) for each type, or one joint group."""
        return (self._head,)

    def examples(self, document: Document) -> list[Example]:
        """The sentences: the document's own, or split here, without marks of list items."""
        sentences = without_marks(document.text, sentences_of(document))
        return [Example(document, one.start, one.end) for one in sentences]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a sentence, several for one that is too long."""
        return encode_stretches(examples, tokenizer, self._settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """Tags at first pieces of owned words; types the corpus does not annotate are ignored."""
        annotated = example.document.annotated_labels or self.labels
        gold = self._learnable(_pieces_of(example))
        return [{HEAD: self._tags(window, gold, frozenset(annotated))} for window in windows]

    def unlearnt(self, documents: Sequence[Document]) -> list[str]:
        """Mentions of types that are no labels, or of which their document says nothing, and those
        that overlap others."""
        unknown: Counter[str] = Counter()
        unsaid: Counter[str] = Counter()
        overlapping: Counter[str] = Counter()
        for document in documents:
            annotated = frozenset(document.annotated_labels or self.labels)
            taught = {label for types in self._taught(annotated) for label in types}
            for label in (one.label for one in document.entities if one.label not in taught):
                (unsaid if label in self.labels else unknown)[label] += 1
            pieces = dict.fromkeys(_pieces_of(Example(document, 0, len(document.text))))
            left_out = pieces.keys() - self._learnable(pieces)
            overlapping.update(label for _, label in left_out if label in taught)
        longer = "longer ones" if self._settings.scheme == "joint" else "longer ones of their type"
        return [
            *_unlearnt(unknown, "none of task.labels; `rename` in [data] maps others to them"),
            *_unlearnt(unsaid, "not in the `annotated_labels` of their documents"),
            *_unlearnt(overlapping, f"inside or across {longer}"),
        ]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with the entities found; each score is the probability of its tags."""
        return self.decode_many([document], [windows], [outputs])[0]

    def decode_many(
        self,
        documents: Sequence[Document],
        windows: Sequence[Sequence[tuple[Window, ...]]],
        outputs: Sequence[Sequence[Sequence[Outputs]]],
    ) -> list[Document]:
        """The same, with the words of all documents in one search for the best tags."""
        words = words_of([*chain(*windows)], [*chain(*outputs)], HEAD)
        owners = np.repeat(np.arange(len(documents)), [len(one) for one in windows])
        found: list[list[Entity]] = [[] for _ in documents]
        for example, entity in self._entities(words):
            found[owners[example]].append(entity)
        return [
            document.with_entities(self._reconciled(document, some))
            for document, some in zip(documents, found, strict=True)
        ]

    def _entities(self, words: Words) -> Iterator[tuple[int, Entity]]:
        """Entities of all groups of tags, each with the number of its example."""
        if not len(words.starts):
            return
        groups = self._head.groups
        log_probabilities = log_softmax(words.logits.reshape(len(words.starts), len(groups), -1))
        tags = best_tags(log_probabilities, words.first)
        chosen = np.take_along_axis(log_probabilities, tags[:, :, None], axis=2)[:, :, 0]
        for column, group in enumerate(groups):
            yield from _entities(words, tags[:, column], chosen[:, column], _types(group))

    def measure(self) -> str:
        """Whole entities, start, end and type."""
        return "strict entity F1"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Strict entity-level scores, in each document over the types that its gold annotates."""
        return score_entities(*annotated_alone(gold, predicted), self._scored(gold))

    def counts(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Counts:
        """Mentions of every sentence: right, gold and predicted."""
        return sentence_counts(*annotated_alone(gold, predicted), self._scored(gold))

    def _scored(self, gold: Sequence[Document]) -> list[str]:
        """The types that the gold corpus annotates."""
        annotated = {label for document in gold for label in document.annotated_labels}
        return [label for label in self.labels if not annotated or label in annotated]

    def _taught(self, annotated: frozenset[str]) -> Iterator[list[str]]:
        """The types of each group of tags that a document with these annotated types teaches."""
        for group in self._head.groups:
            types = _types(group)
            if annotated.intersection(types):
                yield types

    def _learnable(self, pieces: Iterable[tuple[Span, str]]) -> list[tuple[Span, str]]:
        """Of those that overlap in a group of tags the longest: a word has one tag of a group, and
        a mention that another interrupts would be taught as two."""
        group_of = {label: group.name for group in self._head.groups for label in _types(group)}
        pieces = list(pieces)
        length = max((piece.end for piece, _ in pieces), default=0)
        taken: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(length, np.bool_))
        kept = set()
        for piece, label in sorted(
            dict.fromkeys(pieces), key=lambda one: one[0].start - one[0].end
        ):
            place = taken[group_of.get(label, label)][piece.start : piece.end]
            if not place.any():
                place[:] = True
                kept.add((piece, label))
        return [one for one in pieces if one in kept]

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Two short abstracts with diseases and chemicals."""
        return [
            Document(
                "toy-1",
                "Lithium caused cardiac arrest. Aspirin did not.",
                entities=(
                    Entity(0, 7, "Chemical"),
                    Entity(15, 29, "Disease"),
                    Entity(31, 38, "Chemical"),
                ),
                annotated_labels=("Chemical", "Disease"),
            ),
            Document(
                "toy-2",
                "Breast cancer and diabetes are common.",
                entities=(Entity(0, 13, "Disease"), Entity(18, 26, "Disease")),
                annotated_labels=("Disease",),
            ),
        ]

    def _reconciled(self, document: Document, entities: Sequence[Entity]) -> list[Entity]:
        text, kept = document.text, self._without_conflicts(entities)
        kept = with_terms(text, kept, self._terms, self._excluded)
        if self._settings.consistency:
            kept = consistent(text, kept, self._excluded)
            # Once for the abbreviations that follow told names, and again as no rule may drop one.
            kept = with_terms(text, kept, self._terms, self._excluded)
        return kept

    def _without_conflicts(self, entities: Sequence[Entity]) -> list[Entity]:
        """Of several types for one span, the surest, and those it does not exclude."""
        kept: list[Entity] = []
        by_span: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        for entity in sorted(entities, key=lambda entity: -(entity.score or 0.0)):
            rivals = by_span[entity.start, entity.end]
            if not rivals & self._excluded[entity.label]:
                rivals.add(entity.label)
                kept.append(entity)
        return kept

    def _tags(
        self, window: Window, gold: Sequence[tuple[Span, str]], annotated: frozenset[str]
    ) -> IntArray:
        groups = self._head.groups
        tags = np.full((len(window), len(groups)), IGNORED, dtype=np.int64)
        own = owned_words([window])
        for column, group in enumerate(groups):
            types = _types(group)
            known = bool(annotated.intersection(types))
            column_tags = np.full(len(own.positions), OUTSIDE if known else IGNORED, dtype=np.int64)
            for piece, label in gold:
                touched = np.flatnonzero((own.starts < piece.end) & (own.ends > piece.start))
                if label in types:
                    _mark(column_tags, touched, own.starts, piece, tag=1 + 2 * types.index(label))
                elif not known and self._excluded[label].issuperset(types):
                    column_tags[touched] = OUTSIDE
            tags[own.positions, column] = column_tags
        return tags


TASK = NamedEntityRecognition


def _groups(settings: NerSettings) -> tuple[LabelGroup, ...]:
    if settings.scheme == "joint":
        tags = [f"{prefix}-{label}" for label in settings.labels for prefix in "BI"]
        return (LabelGroup("tags", ("O", *tags)),)
    return tuple(LabelGroup(label, ("O", f"B-{label}", f"I-{label}")) for label in settings.labels)


def _excluded(settings: NerSettings) -> defaultdict[str, set[str]]:
    """For each type the types that exclude it."""
    excluded: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in settings.exclusive:
        excluded[one].add(other)
        excluded[other].add(one)
    return excluded


def _unlearnt(counts: Counter[str], reason: str) -> Iterator[str]:
    if counts:
        labels = ", ".join(sorted(counts))
        yield f"{counts.total()} mentions are not learnt: {labels} are {reason}"


def _types(group: LabelGroup) -> list[str]:
    """The entity types of a group; type number t has the tags 1 + 2t (B) and 2 + 2t (I)."""
    return [label.removeprefix("B-") for label in group.labels[1::2]]


def _pieces_of(example: Example) -> Iterator[tuple[Span, str]]:
    """Mentions and fragments in the example; one that leaves it is cut at its border."""
    for entity in example.document.entities:
        for piece in entity.fragments or (Span(entity.start, entity.end),):
            start, end = max(piece.start, example.start), min(piece.end, example.end)
            if start < end:
                yield Span(start, end), entity.label


def _mark(tags: IntArray, touched: IntArray, starts: IntArray, piece: Span, *, tag: int) -> None:
    if not len(touched):
        return
    tags[touched] = tag + 1
    # A mention that began in an earlier window goes on here: its first word is not a beginning.
    if starts[touched[0]] <= piece.start or touched[0] > 0:
        tags[touched[0]] = tag


def _entities(
    words: Words, tags: IntArray, log_probabilities: FloatArray, types: list[str]
) -> Iterator[tuple[int, Entity]]:
    """Entities of one group with their examples, from tags of words and log-probabilities."""
    goes_on = (tags != OUTSIDE) & (tags % 2 == 0)
    begins = np.flatnonzero((tags != OUTSIDE) & ~goes_on)
    # The entity that begins at word b ends after the last word in a row that goes on with it.
    breaks = np.append(np.flatnonzero(~goes_on), len(tags))
    stops = breaks[np.searchsorted(breaks, begins, side="right")]
    totals = np.concatenate(([0.0], np.cumsum(log_probabilities, dtype=np.float64)))
    scores = np.minimum(np.exp(totals[stops] - totals[begins]), 1.0)
    numbers = (tags[begins] - 1) // 2
    columns = (words.examples[begins], words.starts[begins], words.ends[stops - 1], numbers, scores)
    for example, start, end, number, score in zip(*(one.tolist() for one in columns), strict=True):
        yield example, Entity(start, end, types[number], score=score)
