"""Keeping what models are tested on out of what they learn from."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path

from biobert.core.document import Document
from biobert.data.catalogue import (
    Corpus,
    corpus_names,
    documents_in,
    load_corpus,
    local_file,
    local_split,
)
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.text.sentences import sentences_of

ARTICLE_NUMBER = re.compile(r"\b\d{5,9}\b")
PUBMED_NUMBER = re.compile(r"\d{6,9}")
NOT_WORDS = re.compile(r"[\W_]+")
PLAIN = {code: None for code in range(128) if not chr(code).isalnum()}
MINIMUM_CHARACTERS = 50
"""Letters and digits: shorter sentences are shared by chance (`Patients gave consent.`)."""
TELLING_SENTENCES = 2
"""So many sentences of a test split mark a document; one alone may be a stock phrase."""
NAMESPACES = {"pmid": "pmid", "pubmed": "pmid", "pmc": "pmc", "pmcid": "pmc", "doi": "doi"}
BEGINNING, GLANCE = 12, 30
"""Letters and digits that a first look compares, among so many characters of a sentence."""
UNTESTED_TASKS = frozenset({"corpus", "ontology", "graph"})


@dataclass(slots=True)
class TestSplits:
    """The sentences and identifiers of test documents, with the corpus each is from.

    `absent` are catalogued corpora whose test split is not on this machine.
    """

    __test__ = False  # no test case, whatever pytest thinks of the name

    sentences: dict[bytes, str] = field(default_factory=dict)
    identifiers: dict[str, str] = field(default_factory=dict)
    beginnings: set[str] = field(default_factory=set)
    absent: tuple[str, ...] = ()

    def add(self, corpus: str, documents: Iterable[Document]) -> None:
        """Remember the documents of a corpus's test split."""
        for document in documents:
            for identifier in _identifiers(document):
                self.identifiers.setdefault(identifier, corpus)
            for sentence in sentences_of(document):
                text = document.text[sentence.start : sentence.end]
                mark = sentence_mark(text)
                if mark is not None:
                    self.sentences.setdefault(mark, corpus)
                    self.beginnings.add(_folded(text)[:BEGINNING])

    def add_identifiers(self, corpus: str, path: Path) -> None:
        """Remember a list of articles: every number in the file, PubMed's or PubMed Central's."""
        for number in ARTICLE_NUMBER.findall(path.read_text(encoding="utf-8")):
            self.identifiers.setdefault(f"pmid:{number}", corpus)
            self.identifiers.setdefault(f"pmc:{number}", corpus)

    def join(self, others: Iterable["TestSplits"]) -> None:
        """Remember what others know, too; what several know keeps its first corpus."""
        for other in others:
            self.sentences = other.sentences | self.sentences
            self.identifiers = other.identifiers | self.identifiers
            self.beginnings |= other.beginnings
            self.absent += other.absent

    def shared_sentences(self, document: Document) -> dict[int, str]:
        """Which of the document's own sentences stand in a test split, and in which corpus's."""
        found = {}
        for number, sentence in enumerate(document.sentences):
            if self._begins_like_one(document.text[sentence.start : sentence.start + GLANCE]):
                mark = sentence_mark(document.text[sentence.start : sentence.end])
                if mark is not None and mark in self.sentences:
                    found[number] = self.sentences[mark]
        return found

    def _begins_like_one(self, glance: str) -> bool:
        """Whether a sentence may be known, by its first characters: few are looked at whole."""
        if not glance.isascii():
            return True
        beginning = glance.lower().translate(PLAIN)[:BEGINNING]
        return len(beginning) < BEGINNING or beginning in self.beginnings

    def corpus_of(self, document: Document, shared: Mapping[int, str]) -> str | None:
        """The corpus whose test split holds the document as a whole, or None.

        Told by its identifiers, or by the sentences that it shares (`shared_sentences`).
        """
        for identifier in sorted(_identifiers(document)):
            if identifier in self.identifiers:
                return self.identifiers[identifier]
        if len(shared) < TELLING_SENTENCES:
            return None
        return Counter(shared.values()).most_common(1)[0][0]

    def checksum(self) -> str:
        """The same for the same test sentences and identifiers."""
        digest = blake2b(digest_size=16)
        for mark in sorted(self.sentences):
            digest.update(mark)
        for identifier in sorted(self.identifiers):
            digest.update(identifier.encode())
        return digest.hexdigest()


def catalogued_test_splits(places: CorpusPlaces, *, workers: int = 1) -> TestSplits:
    """All test splits of the catalogue that are on this machine; nothing is downloaded.

    Articles that two corpora share are known by the one that lists them: to look for their text in
    an archive takes longer than many a build. More than one of `workers` are processes.
    """
    found, read = TestSplits(), partial(_test_split, places=places)
    if workers == 1:
        found.join(map(read, corpus_names()))
        return found
    # Spawned, like the workers of a build.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        found.join(pool.map(read, corpus_names()))
    return found


def sentence_mark(text: str) -> bytes | None:
    """A short hash of a sentence, blind to case, blanks and punctuation; None for a short one."""
    folded = _folded(text)
    if len(folded) < MINIMUM_CHARACTERS:
        return None
    return blake2b(folded.encode(errors="replace"), digest_size=8).digest()


def _folded(text: str) -> str:
    lowered = text.lower()
    # The same for plain text, and several times as fast.
    return lowered.translate(PLAIN) if lowered.isascii() else NOT_WORDS.sub("", lowered)


def without_sentences(document: Document, numbers: Iterable[int]) -> Document:
    """The document without some of its sentences; its text stays as it is."""
    gone = frozenset(numbers)
    kept = (one for number, one in enumerate(document.sentences) if number not in gone)
    return replace(document, sentences=tuple(kept)) if gone else document


def _test_split(name: str, places: CorpusPlaces) -> TestSplits:
    """What is here of a catalogued corpus's test set, articles and documents."""
    corpus = load_corpus(name)
    found = TestSplits()
    if corpus.test_of:
        return found
    if not _add_test_split(found, corpus, places) and corpus.task not in UNTESTED_TASKS:
        found.absent = (name,)
    return found


def _add_test_split(found: TestSplits, corpus: Corpus, places: CorpusPlaces) -> bool:
    """Remember what is here of a corpus's test set; whether any is."""
    known = False
    if corpus.test_identifiers:
        listed = local_file(corpus.files[corpus.test_identifiers], places)
        if listed is not None:
            found.add_identifiers(corpus.name, listed)
            known = True
    place = local_split(corpus, "test", places) if "test" in corpus.splits else None
    if place is not None:
        found.add(corpus.name, documents_in(corpus, "test", place, Rejects()))
        known = True
    return known


def _identifiers(document: Document) -> set[str]:
    """Such as `pmid:123`, `pmc:456`; a bare number as a document's id is PubMed's."""
    found = {
        f"{NAMESPACES[kind]}:{value.lower().removeprefix('pmc')}"
        for kind, value in document.metadata.items()
        if kind in NAMESPACES and value
    }
    if PUBMED_NUMBER.fullmatch(document.id):
        found.add(f"pmid:{document.id}")
    return found
