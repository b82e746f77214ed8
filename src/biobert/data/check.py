"""Checking a corpus before anything is learnt from it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

from biobert.core.document import Document
from biobert.data.rejects import Rejects
from biobert.text.keys import keys_of, text_key
from biobert.text.sentences import sentences_of

EXAMPLES = 10
LONGEST = 5


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """The size of a split. `mentions` counts entities by label, `labels` those of documents."""

    documents: int
    sentences: int
    words: int
    mentions: Mapping[str, int]
    relations: int
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """A mention that is labelled in different ways; `labels` counts them."""

    mention: str
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found. `malformed` counts what was set aside, by `reasons`.

    `shared_sentences` counts, for each pair of splits (`test in train`), the distinct sentences of
    the first that stand in the second too, `shared_occurrences` how often they come in the first;
    the examples name some of them. `shared_texts` counts distinct texts of whole documents,
    `shared_passages` those of each kind of passage, so that a pair is also found by the half that
    it shares. Blanks and upper case make no difference. `repeated_identifiers` stand for several
    texts; documents that have none are often numbered in each file anew.
    """

    corpus: str
    splits: Mapping[str, SplitCounts]
    malformed: int
    reasons: Mapping[str, int]
    malformed_examples: Sequence[Mapping[str, str]]
    duplicate_documents: Sequence[str]
    repeated_identifiers: Sequence[str]
    shared_sentences: Mapping[str, int]
    shared_occurrences: Mapping[str, int]
    shared_examples: Sequence[str]
    shared_texts: Mapping[str, int]
    shared_passages: Mapping[str, Mapping[str, int]]
    inconsistent_labels: Sequence[Inconsistency]
    inconsistent_count: int
    longest_sentences: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def check_splits(
    corpus: str, splits: Mapping[str, Sequence[Document]], rejects: Rejects
) -> CheckReport:
    """Check the splits of a corpus, read with `rejects`."""
    sentences = {name: _sentence_texts(documents) for name, documents in splits.items()}
    shared = _shared(sentences, {name: keys_of(some) for name, some in splits.items()})
    texts = {name: [one.text for one in some] for name, some in splits.items()}
    inconsistent = _inconsistencies(splits)
    return CheckReport(
        corpus=corpus,
        splits={name: _counts(documents) for name, documents in splits.items()},
        malformed=rejects.count,
        reasons=dict(rejects.reasons.most_common()),
        malformed_examples=[asdict(reject) for reject in rejects.kept[:EXAMPLES]],
        duplicate_documents=_duplicates(splits),
        repeated_identifiers=_repeated_identifiers(splits),
        shared_sentences=_distinct(shared),
        shared_occurrences={pair: len(found) for pair, found in shared.items()},
        shared_examples=_examples(shared),
        shared_texts=_distinct(_shared(texts, _keys(texts))),
        shared_passages=_shared_passages(splits),
        inconsistent_labels=inconsistent[:EXAMPLES],
        inconsistent_count=len(inconsistent),
        longest_sentences=_longest(sentences),
    )


def _counts(documents: Sequence[Document]) -> SplitCounts:
    mentions = Counter(entity.label for one in documents for entity in one.entities)
    texts = _sentence_texts(documents)
    return SplitCounts(
        documents=len(documents),
        sentences=len(texts),
        words=sum(len(text.split()) for text in texts),
        mentions=dict(sorted(mentions.items())),
        relations=sum(len(one.relations) for one in documents),
        labels=dict(sorted(Counter(label for one in documents for label in one.labels).items())),
    )


def _sentence_texts(documents: Sequence[Document]) -> list[str]:
    return [
        document.text[span.start : span.end]
        for document in documents
        for span in sentences_of(document)
    ]


def _shared(
    splits: Mapping[str, Sequence[str]], known: Mapping[str, Set[str]]
) -> dict[str, list[str]]:
    """Texts of a later split, as often as they come, whose keys are `known` of an earlier one."""
    names = list(splits)
    pairs = {
        f"{name} in {earlier}": (name, known[earlier])
        for number, name in enumerate(names)
        for earlier in names[:number]
    }
    if len(names) > 2:
        others = frozenset().union(*(known[name] for name in names[:-1]))
        pairs[f"{names[-1]} in any other"] = names[-1], others
    return {
        pair: [text for text in splits[name] if text_key(text) in keys]
        for pair, (name, keys) in pairs.items()
    }


def _keys(splits: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    return {name: set(map(text_key, texts)) for name, texts in splits.items()}


def _examples(shared: Mapping[str, Sequence[str]]) -> list[str]:
    by_key = {text_key(text): text for texts in shared.values() for text in texts}
    return [" ".join(text.split()) for text in by_key.values()][:EXAMPLES]


def _shared_passages(splits: Mapping[str, Sequence[Document]]) -> dict[str, dict[str, int]]:
    """For each kind of passage what splits share of it; kinds that share nothing are left out."""
    by_kind: dict[str, dict[str, list[str]]] = {}
    for name, documents in splits.items():
        for document in documents:
            for kind, text in _texts_by_kind(document).items():
                by_kind.setdefault(kind, {one: [] for one in splits})[name].append(text)
    shared = {kind: _distinct(_shared(texts, _keys(texts))) for kind, texts in by_kind.items()}
    return {kind: counts for kind, counts in shared.items() if any(counts.values())}


def _texts_by_kind(document: Document) -> dict[str, str]:
    """The passages of each kind as one text, such as all sections of an abstract."""
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for passage in document.passages:
        if passage.end > passage.start:
            texts[passage.kind].append(document.text[passage.start : passage.end])
    return {kind: " ".join(parts) for kind, parts in texts.items()}


def _distinct(shared: Mapping[str, Sequence[str]]) -> dict[str, int]:
    return {pair: len(set(map(text_key, texts))) for pair, texts in shared.items()}


def _duplicates(splits: Mapping[str, Sequence[Document]]) -> list[str]:
    """Texts that stand in several documents."""
    by_text: dict[str, list[str]] = defaultdict(list)
    for name, documents in splits.items():
        for document in documents:
            by_text[document.text].append(f"{name}:{document.id}")
    return [" = ".join(places) for places in by_text.values() if len(places) > 1]


def _repeated_identifiers(splits: Mapping[str, Sequence[Document]]) -> list[str]:
    by_identifier: dict[str, set[str]] = defaultdict(set)
    for document in (one for documents in splits.values() for one in documents):
        by_identifier[document.id].add(document.text)
    return [name for name, texts in by_identifier.items() if len(texts) > 1]


def _inconsistencies(splits: Mapping[str, Sequence[Document]]) -> list[Inconsistency]:
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for documents in splits.values():
        for document in documents:
            for entity in document.entities:
                labels[document.mention(entity)][entity.label] += 1
    mixed = [(mention, counts) for mention, counts in labels.items() if len(counts) > 1]
    mixed.sort(key=lambda pair: -sum(pair[1].values()))
    return [Inconsistency(mention, dict(counts.most_common())) for mention, counts in mixed]


def _longest(sentences: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    rows = [
        {"split": name, "words": len(text.split()), "text": text[:100]}
        for name, texts in sentences.items()
        for text in texts
    ]
    rows.sort(key=lambda row: -int(str(row["words"])))
    return rows[:LONGEST]
