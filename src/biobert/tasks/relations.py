"""Relations: which of the pairs of mentions, or of concepts, the text relates, and how.

Entities are given: a corpus's own, or those a tagger found. Every pair of the types that may be
related is one example, its two ends marked in the text.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import ClassVar, Literal, Self

import numpy as np

from biobert.core.arguments import check_list
from biobert.core.document import Argument, Document, Entity, Relation, Span
from biobert.core.errors import BadInputError
from biobert.core.probabilities import log_softmax
from biobert.core.settings import refuse_unread
from biobert.core.task import (
    Counts,
    Example,
    FloatArray,
    HeadSpec,
    InputName,
    LabelGroup,
    Outputs,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.evaluation.relations import Ends, Key, known_keys, score_relations
from biobert.evaluation.significance import answer_counts
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._candidates import (
    document_examples,
    pair_type_of,
    pair_types,
    sentence_examples,
    sentences_with,
)
from biobert.tasks._labels import check_labels
from biobert.tasks._marked_windows import encode_marked
from biobert.tasks._marking import Marking
from biobert.tasks._memory import Remembered
from biobert.tasks._pair_texts import Blinding, PairTexts
from biobert.tasks._scoped_keys import ScopedKeys
from biobert.tasks._thresholds import best_threshold
from biobert.text.sentences import sentences_of
from biobert.text.windows import WindowSettings

HEAD = "relation"
MOST_PAIRS = 10_000
"""In a document. Pairs grow with the square of the mentions, and each is a row for the encoder."""
REMEMBERED = 20_000
"""So many documents are known at once by what was worked out for them."""


@dataclass(frozen=True, slots=True)
class RelationSettings:
    """Which relations there are, between what, and how a pair is shown to the encoder.

    `labels` are the relations; `negative` names "no relation" (None: every pair has one of the
    labels). `pairs` are the types that may be related, in role order; `types` says which entity
    labels stand behind such a name (by default the name itself), `roles` what the two ends are
    called (by default as their types). A pair of one type has no direction: its ends come in text
    order.

    `scope` pairs mentions in a sentence, or concepts in a document by their identifiers; the
    latter reads the whole text, or by `context` the sentences that mention either. `marking` is
    `markers` round the mentions, whose states decide, or `anonymous`, `@TYPE$` in their place.
    `blinding` hides the names of `others` that might be related, or of `all`, behind their types'.
    `order` says whether the first mark is the first role's, or the first in the text. A text that
    is longer than a row of `windows` is read around the two mentions that are nearest.

    An epoch of training learns from a share of the pairs without a relation, `negatives`; epochs
    take turns. Scoring and annotation weigh all of them, with probabilities corrected for it. A
    pair gets its likeliest relation where that is at least as probable as `threshold`, which
    training chooses on devel; without one, where it is likelier than none.
    """

    labels: tuple[str, ...]
    pairs: tuple[tuple[str, ...], ...]
    negative: str | None = None
    types: Mapping[str, Sequence[str]] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    scope: Literal["sentence", "document"] = "sentence"
    context: Literal["document", "mentions"] = "document"
    marking: Marking = "markers"
    blinding: Blinding = "none"
    order: Literal["role", "text"] = "role"
    negatives: float = 1.0
    threshold: float | None = None
    hidden_layers: int = 0
    windows: WindowSettings = field(default_factory=WindowSettings)

    def __post_init__(self) -> None:
        names = (*self.labels, *(() if self.negative is None else (self.negative,)))
        check_labels(names if self.labels else ())
        if not self.pairs or any(len(pair) != 2 for pair in self.pairs):
            raise BadInputError("[task] pairs: a list of pairs of types, [['Chemical', 'Gene']]")
        if len(self.roles) not in (0, 2) or len(set(self.roles)) != len(self.roles):
            raise BadInputError(f"[task] roles = {list(self.roles)}: two names, or none")
        for name, behind in self.types.items():
            if not any(name in pair for pair in self.pairs):
                raise BadInputError(f"[task] types: {name!r} stands in none of the pairs")
            check_list(f"[task] types.{name}", behind)
            if not behind:
                raise BadInputError(f"[task] types.{name} = []: name the labels behind it")
        if not 0.0 < self.negatives <= 1.0:
            raise BadInputError(f"[task] negatives = {self.negatives}: more than 0, at most 1")
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise BadInputError(f"[task] threshold = {self.threshold}: from 0 to 1")
        if self.scope == "sentence":
            place, reader = "[task] scope = 'sentence',", "scope = 'document'"
            refuse_unread(self, ["context"], place=place, reader=reader)
        if self.negative is None:
            refuse_unread(self, ["negatives"], place="[task]", reader="negative, a label")


class RelationExtraction(Task):
    """Finds relations between the entities of a document."""

    name: ClassVar[str] = "relations"
    settings_type: ClassVar[type] = RelationSettings
    _settings: RelationSettings

    def __init__(self, settings: RelationSettings) -> None:
        super().__init__(settings)
        self.labels = settings.labels
        self.pairs = pair_types(settings.pairs, settings.types, settings.roles)
        self.entity_labels = frozenset(
            label for pair in self.pairs for some in pair.labels for label in some
        )
        negative = () if settings.negative is None else (settings.negative,)
        self._group = LabelGroup(HEAD, (*negative, *settings.labels))
        # Prior correction (King and Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868): training
        # met pairs without a relation less often than they are.
        self._prior = np.zeros(len(self._group.labels), dtype=np.float32)
        self._prior[: len(negative)] = np.log(settings.negatives)
        self._texts = PairTexts(
            self.pairs,
            marking=settings.marking,
            order=settings.order,
            blinding=settings.blinding,
            is_excerpt=settings.scope == "document" and settings.context == "mentions",
        )
        self._scoped = ScopedKeys(settings.scope, settings.labels, settings.negative)
        self._keys: Remembered[frozenset[Key]] = Remembered(self._scoped.gold, REMEMBERED)
        self._answers: Remembered[frozenset[Key]] = Remembered(self._scoped.answers, REMEMBERED)
        self._candidates: Remembered[frozenset[Ends]] = Remembered(self._candidates_of, REMEMBERED)

    def heads(self) -> tuple[HeadSpec, ...]:
        """One head over all labels: at the two start markers, or at the first token."""
        hidden_layers = self._settings.hidden_layers
        if self._settings.marking == "markers":
            return (HeadSpec(HEAD, "marked", (self._group,), marks=2, hidden_layers=hidden_layers),)
        return (HeadSpec(HEAD, "sequence", (self._group,), hidden_layers=hidden_layers),)

    def inputs(self) -> tuple[InputName, ...]:
        """The places of the markers too where they are read."""
        if self._settings.marking == "markers":
            return ("token_ids", "mask", "marks")
        return ("token_ids", "mask")

    def examples(self, document: Document) -> list[Example]:
        """Every pair that may be related; its arguments stand in role order."""
        if not document.text.strip():
            return []
        document = document.with_entity_ids()
        by_scope = {"sentence": sentence_examples, "document": document_examples}
        pairs = by_scope[self._settings.scope](document, self.pairs)
        found = list(islice(pairs, MOST_PAIRS + 1))
        if len(found) > MOST_PAIRS:
            raise BadInputError(
                f"document {document.id!r}: more than {MOST_PAIRS} pairs that may be related; "
                "part it into smaller ones"
            )
        return found

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for each pair; a text that is too long is read around the nearest mentions."""
        return encode_marked(map(self._texts, examples), tokenizer, self._settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """The pair's label; of several the first of the task's."""
        own = self._labels_of(example)
        label = next((label for label in self.labels if label in own), self._settings.negative)
        if label is None:
            raise BadInputError(
                f"document {example.document.id!r}: no relation between {_shown(example)}, and "
                "every pair has one; name the label of those without as task.negative"
            )
        number = self._group.labels.index(label)
        return [{HEAD: np.array([number], dtype=np.int64)} for _ in windows]

    def unlearnt(self, documents: Sequence[Document]) -> list[str]:
        """Gold relations between what is no pair of the task, and second ones of a pair."""
        uncovered = second = 0
        for document in documents:
            related = Counter(ends for _, ends in known_keys(self._keys[document], self.labels))
            covered = related.keys() & self._candidates[document]
            uncovered += sum(related.values()) - sum(related[ends] for ends in covered)
            second += sum(related[ends] - 1 for ends in covered)
        said = []
        if uncovered:
            said.append(
                f"{uncovered} relations are not learnt: their ends are no pair of task.pairs, or "
                f"do not stand in one {self._settings.scope}"
            )
        if second:
            said.append(f"{second} relations are not learnt: their pair has another label too")
        return said

    def learnt_share(self, example: Example) -> float:
        """Pairs without a relation are so many that an epoch need not see all of them."""
        related = self._labels_of(example) - {self._settings.negative}
        return 1.0 if related else self._settings.negatives

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with the relations found, each with its probability and its evidence."""
        document = document.with_entity_ids()
        sentences = sentences_of(document)
        relations = []
        for example, (answer,) in zip(self.examples(document), outputs, strict=True):
            probabilities = self._probabilities(answer)
            best = self._chosen(probabilities)
            if best is not None:
                label, score = self._group.labels[best], min(1.0, float(probabilities[best]))
                relations.append(self._relation(example, label, score, sentences))
        return replace(document, relations=tuple(relations))

    def corrected(self, output: Outputs) -> Outputs:
        """As if training had met all pairs without a relation."""
        return {HEAD: output[HEAD] - self._prior}

    def decided(self, output: Outputs) -> Outputs:
        """The label that the pair gets by the threshold, else that of no relation, if there is one.

        All alike is no decision.
        """
        chosen = self._chosen(self._probabilities(output))
        decision = np.zeros(len(self._group.labels), dtype=np.float32)
        if chosen is not None:
            decision[chosen] = 1.0
        elif self._settings.negative is not None:
            decision[0] = 1.0
        return {HEAD: decision}

    def _probabilities(self, output: Outputs) -> FloatArray:
        probabilities: FloatArray = np.exp(log_softmax(self.corrected(output)[HEAD]))
        return probabilities

    def _chosen(self, probabilities: FloatArray) -> int | None:
        """The number of the label that a pair gets, or None."""
        first = 0 if self._settings.negative is None else 1
        best = first + int(np.argmax(probabilities[first:]))
        threshold = self._settings.threshold
        if threshold is None:
            threshold = 0.0 if first == 0 else np.nextafter(probabilities[0], np.inf)
        return best if probabilities[best] >= threshold else None

    def measure(self) -> str:
        """Whole relations, label and arguments."""
        return "strict relation F1"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Micro F1 over the relations, strict on arguments and label.

        Where every pair has a label it is the accuracy.
        """
        check_same_texts(gold, predicted)
        return score_relations(
            [self._keys[document] for document in gold],
            [self._answers[document] for document in predicted],
            self.labels,
            candidates=[self._candidates[document] for document in predicted],
        )

    def counts(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Counts:
        """Relations of every document."""
        check_same_texts(gold, predicted)
        return answer_counts(
            [known_keys(self._keys[document], self.labels) for document in gold],
            [self._answers[document] for document in predicted],
        )

    def weighing(self) -> Self:
        """The task that relates every pair, by its likeliest label."""
        return type(self)(replace(self._settings, threshold=0.0))

    def tuned(self, gold: Sequence[Document], predicted: Iterable[Document]) -> Self:
        """With the threshold that gives the best micro F1, where pairs may have no relation."""
        if self._settings.negative is None:
            return self
        scores, right, gold_count = [], [], 0
        for one, other in zip(gold, predicted, strict=True):
            keys = known_keys(self._keys[one], self.labels)
            gold_count += len(keys)
            for relation in other.relations:
                (key,) = self._scoped.gold(replace(other, relations=(relation,)))
                scores.append(relation.score or 0.0)
                right.append(key in keys)
        missed = gold_count - sum(right)
        threshold = best_threshold(np.array(scores), np.array(right, dtype=bool), missed=missed)
        return type(self)(replace(self._settings, threshold=threshold))

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Sentences in which a drug inhibits, activates or leaves alone a protein."""
        return [
            _toy("toy-1", "Aspirin inhibits COX-2.", "INHIBITOR"),
            _toy("toy-2", "Lithium activates GSK-3.", "ACTIVATOR"),
            _toy("toy-3", "Aspirin left GSK-3 alone.", ""),
        ]

    def _candidates_of(self, document: Document) -> frozenset[Ends]:
        return frozenset(self._scoped.ends(example) for example in self.examples(document))

    def _labels_of(self, example: Example) -> set[str]:
        ends = self._scoped.ends(example)
        return {label for label, others in self._keys[example.document] if others == ends}

    def _relation(
        self, example: Example, label: str, score: float, sentences: Sequence[Span]
    ) -> Relation:
        roles = pair_type_of(example, self.pairs).roles
        arguments = []
        for role, mentions in zip(roles, example.arguments, strict=True):
            if self._settings.scope == "document" and mentions[0].concept_ids:
                arguments.append(Argument(role, mentions[0].concept_ids[0], "concept"))
            else:
                arguments.append(Argument(role, mentions[0].id or ""))
        evidence: tuple[Span, ...] = (Span(example.start, example.end),)
        if self._settings.scope == "document":
            evidence = sentences_with(example, sentences)
        return Relation(label, tuple(arguments), score, evidence=evidence)


TASK = RelationExtraction


def _shown(example: Example) -> str:
    return " and ".join(
        f"{example.document.mention(mentions[0])!r}" for mentions in example.arguments
    )


def _toy(identifier: str, text: str, label: str) -> Document:
    drug = "Aspirin" if "Aspirin" in text else "Lithium"
    protein = next(one for one in ("COX-2", "GSK-3") if one in text)
    places = {name: text.index(name) for name in (drug, protein)}
    entities = (
        Entity(places[drug], places[drug] + len(drug), "Chemical", id="T1"),
        Entity(places[protein], places[protein] + len(protein), "Gene", id="T2"),
    )
    arguments = (Argument("Chemical", "T1"), Argument("Gene", "T2"))
    relations = (Relation(label, arguments),) if label else ()
    return Document(identifier, text, entities=entities, relations=relations)
