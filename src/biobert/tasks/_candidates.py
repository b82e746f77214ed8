"""Pairs that may be related: mentions in one sentence, or concepts in one document."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from biobert.core.document import Argument, Document, Entity, Span
from biobert.core.task import Example
from biobert.text.sentences import sentences_of

Mentions = tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class PairType:
    """Two types that may be related: their names, the labels behind them, the roles they play."""

    names: tuple[str, str]
    labels: tuple[frozenset[str], frozenset[str]]
    roles: tuple[str, str]

    def fits(self, first: Entity, second: Entity) -> bool:
        """Whether these mentions are of the two types, in this order."""
        return first.label in self.labels[0] and second.label in self.labels[1]

    @property
    def is_unordered(self) -> bool:
        """Whether both ends are of one type: the one that comes first in the text is the first."""
        return self.labels[0] == self.labels[1]


def pair_types(
    pairs: Sequence[Sequence[str]], types: Mapping[str, Sequence[str]], roles: Sequence[str]
) -> tuple[PairType, ...]:
    """The pairs as settings name them; `types` says which labels stand behind a name."""
    return tuple(_pair_type(first, second, types, roles) for first, second in pairs)


def sentence_examples(document: Document, pairs: Sequence[PairType]) -> Iterator[Example]:
    """Every pair of mentions in a sentence, in text order.

    A mention belongs to the sentence in which it begins; the stretch reaches to its end.
    """
    position = 0
    entities = sorted(document.entities, key=lambda one: (one.start, one.end))
    for sentence in sentences_of(document):
        own = []
        while position < len(entities) and entities[position].start < sentence.end:
            own.append(entities[position])
            position += 1
        end = max([sentence.end, *(entity.end for entity in own)])
        start = min([sentence.start, *(entity.start for entity in own)])
        for arguments in _arguments(own, pairs):
            yield Example(document, start, end, arguments)


def document_examples(document: Document, pairs: Sequence[PairType]) -> Iterator[Example]:
    """Every pair of concepts, each with all its mentions.

    A mention with several identifiers counts for each, and in an example's arguments it carries
    the one that is meant; one without any stands for no concept. Where a document has no
    identifiers at all, mentions of the same text and type stand for one thing.
    """
    seen: set[frozenset[str]] = set()
    for pair in pairs:
        first, second = (_groups(document, labels) for labels in pair.labels)
        together = combinations(first, 2) if pair.is_unordered else product(first, second)
        for one, other in together:
            names = frozenset((one, other))
            if len(names) == 2 and names not in seen:
                seen.add(names)
                yield Example(document, 0, len(document.text), (first[one], second[other]))


def pair_type_of(example: Example, pairs: Sequence[PairType]) -> PairType:
    """Which of the pairs an example's arguments are."""
    first, second = (mentions[0] for mentions in example.arguments)
    return next(pair for pair in pairs if pair.fits(first, second))


def sentences_with(example: Example, sentences: Sequence[Span]) -> tuple[Span, ...]:
    """The sentences in which mentions of both arguments begin, or else those of the nearest two."""
    first, second = (
        {_sentence_of(mention, sentences) for mention in mentions} for mentions in example.arguments
    )
    both = first & second or _nearest(first, second)
    return tuple(sentences[number] for number in sorted(both))


def mentioning(example: Example, sentences: Sequence[Span]) -> list[Span]:
    """The sentences that mention either argument, stretched so that they hold whole mentions."""
    found: dict[int, Span] = {}
    for mention in (one for mentions in example.arguments for one in mentions):
        number = _sentence_of(mention, sentences)
        span = found.get(number, sentences[number])
        found[number] = Span(min(span.start, mention.start), max(span.end, mention.end))
    return merged(found.values())


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in text order; those that overlap become one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if found and span.start < found[-1].end:
            span = Span(found[-1].start, max(span.end, found.pop().end))
        found.append(span)
    return found


def stands_for(argument: Argument, document: Document) -> Argument:
    """In document scope: a mention as the concept, or the first mention alike, it counts for."""
    entity = next((one for one in document.entities if one.id == argument.target), None)
    if argument.kind == "concept" or entity is None:
        return argument
    if entity.concept_ids:
        return replace(argument, target="|".join(entity.concept_ids), kind="concept")
    if any(one.concept_ids for one in document.entities):
        return argument
    alike = _groups(document, frozenset((entity.label,)))[_alike(document, entity)]
    return replace(argument, target=alike[0].id or "")


def _pair_type(
    first: str, second: str, types: Mapping[str, Sequence[str]], roles: Sequence[str]
) -> PairType:
    own = tuple(roles) or ((first, second) if first != second else (f"{first}1", f"{second}2"))
    labels = tuple(frozenset(types.get(name, (name,))) for name in (first, second))
    return PairType((first, second), (labels[0], labels[1]), (own[0], own[1]))


def _arguments(
    mentions: Sequence[Entity], pairs: Sequence[PairType]
) -> Iterator[tuple[Mentions, Mentions]]:
    """Every pair that fits, in text order; what does not fit is not even tried."""
    partners = _partners(pairs)
    own = [one for one in mentions if one.label in partners]
    places = {
        label: [place for place, one in enumerate(own) if one.label in others]
        for label, others in partners.items()
    }
    for place, one in enumerate(own):
        behind = bisect_right(places[one.label], place)
        for other in places[one.label][behind:]:
            yield _ordered(one, own[other], pairs)


def _partners(pairs: Sequence[PairType]) -> Mapping[str, set[str]]:
    """The labels that each label may be related to."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in (both for pair in pairs for both in product(*pair.labels)):
        found[one].add(other)
        found[other].add(one)
    return found


def _ordered(one: Entity, other: Entity, pairs: Sequence[PairType]) -> tuple[Mentions, Mentions]:
    """Two mentions that fit, in the order of the first pair that they fit."""
    fitting = next(pair for pair in pairs if pair.fits(one, other) or pair.fits(other, one))
    return ((one,), (other,)) if fitting.fits(one, other) else ((other,), (one,))


def _groups(document: Document, labels: frozenset[str]) -> dict[str, Mentions]:
    """The mentions of each concept, concepts in the order of their first mention."""
    groups: defaultdict[str, list[Entity]] = defaultdict(list)
    is_linked = any(entity.concept_ids for entity in document.entities)
    for entity in sorted(document.entities, key=lambda one: (one.start, one.end)):
        if entity.label not in labels:
            continue
        for concept in entity.concept_ids:
            groups[concept].append(replace(entity, concept_ids=(concept,)))
        if not is_linked:
            groups[_alike(document, entity)].append(entity)
    return {name: tuple(mentions) for name, mentions in groups.items()}


def _alike(document: Document, entity: Entity) -> str:
    return f"{entity.label} {document.mention(entity).casefold()}"


def _nearest(first: set[int], second: set[int]) -> set[int]:
    _, one, other = min((abs(one - other), one, other) for one in first for other in second)
    return {one, other}


def _sentence_of(mention: Entity, sentences: Sequence[Span]) -> int:
    """The last sentence that begins before or with the mention."""
    return max(0, bisect_right(sentences, mention.start, key=lambda one: one.start) - 1)
