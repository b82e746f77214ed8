"""What the CoNLL formats share: a word a line, its tag in the last column, blank lines between.

Words are joined by single spaces, sentences by newlines. Without `-DOCSTART-` a file says nothing
of its documents, so every 100 sentences make one.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from biobert.core.document import Document, Entity, Provenance, Span
from biobert.core.files import plain_name, shown_name
from biobert.data.lines import lines_of, write_records
from biobert.data.rejects import Rejects
from biobert.text.sentences import sentences_of

DOCUMENT_START = "-DOCSTART-"
SENTENCES_IN_DOCUMENT = 100
LONGEST_LINE = 10_000


@dataclass(frozen=True, slots=True)
class TagColumn:
    """How a format means its last column. `outside` is the tag of a word that has none.

    `problem` says why a tag cannot be read, or nothing. `stretches` gives the entities of a
    sentence from its tags: first word, word after the last, label. `tagged_words` gives the words
    and tags that are written for a sentence.
    """

    outside: str
    problem: Callable[[str], str]
    stretches: Callable[[list[str]], Iterable[tuple[int, int, str]]]
    tagged_words: Callable[[Document, Span], Iterator[tuple[str, str]]]


@dataclass(slots=True)
class _Draft:
    """A document in the making."""

    name: str
    parts: list[str] = field(default_factory=list)
    length: int = 0
    sentences: list[Span] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def add(self, words: list[str], stretches: Iterable[tuple[int, int, str]]) -> None:
        """Add a sentence."""
        if self.length:
            self.parts.append("\n")
            self.length += 1
        start, spans = self.length, []
        for word in words:
            if self.length > start:
                self.parts.append(" ")
                self.length += 1
            spans.append((self.length, self.length + len(word)))
            self.parts.append(word)
            self.length += len(word)
        self.sentences.append(Span(start, self.length))
        for first, last, label in stretches:
            self.entities.append(Entity(spans[first][0], spans[last - 1][1], label))

    def document(self, number: int, source: str) -> Document:
        """The finished document."""
        return Document(
            id=f"{self.name}-{number}",
            text="".join(self.parts),
            sentences=tuple(self.sentences),
            entities=tuple(self.entities),
            provenance=Provenance(source=source),
        )


def read_columns(path: Path | str, rejects: Rejects, column: TagColumn) -> Iterator[Document]:
    """Documents of a file; a line whose tag is missing or unknown keeps its word, without tag."""
    name = plain_name(path).rpartition(".")[0] or "conll"
    number, draft, has_starts = 1, _Draft(name), False
    for words, tags in _sentences(path, rejects, column):
        starts = words == [DOCUMENT_START]
        has_starts = has_starts or starts
        full = not has_starts and len(draft.sentences) == SENTENCES_IN_DOCUMENT
        if draft.sentences and (starts or full):
            yield draft.document(number, shown_name(path))
            number, draft = number + 1, _Draft(name)
        if not starts:
            draft.add(words, column.stretches(tags))
    if draft.sentences:
        yield draft.document(number, shown_name(path))


def write_columns(documents: Iterable[Document], path: Path | str, column: TagColumn) -> int:
    """Write the sentences of each document, its own or found by rules, after a start line.

    Sentences that an entity joins are written as one: across a blank line it would be two.
    """
    return write_records(("".join(_lines(one, column)) for one in documents), path)


def cells_of(line: str) -> list[str]:
    """What stands in the columns of a line."""
    return line.split("\t") if "\t" in line else line.split()


def words_with(tag: str, text: str) -> Iterator[tuple[str, str]]:
    """The white-space words of a text, all with the same tag."""
    return ((word, tag) for word in text.split())


def _lines(document: Document, column: TagColumn) -> Iterator[str]:
    yield f"{DOCUMENT_START}\t{column.outside}\n\n"
    for sentence in _uncut(sentences_of(document), document.entities):
        for word, tag in column.tagged_words(document, sentence):
            # A label may hold a break or a tab, which part lines and cells here.
            yield f"{word}\t{' '.join(tag.split())}\n"
        yield "\n"


def _uncut(sentences: Iterable[Span], entities: Iterable[Entity]) -> Iterator[Span]:
    """The sentences in the order of the text; those that an entity goes over are one."""
    coming = deque(sorted(entities, key=lambda entity: entity.start))
    current, reach = None, 0
    for sentence in sorted(sentences, key=lambda sentence: sentence.start):
        if current is not None and reach <= sentence.start:
            yield current
            current = None
        current = sentence if current is None else _both(current, sentence)
        while coming and coming[0].start < current.end:
            reach = max(reach, coming.popleft().end)
    if current is not None:
        yield current


def _both(one: Span, other: Span) -> Span:
    return Span(one.start, max(one.end, other.end))


def _sentences(
    path: Path | str, rejects: Rejects, column: TagColumn
) -> Iterator[tuple[list[str], list[str]]]:
    words: list[str] = []
    tags: list[str] = []
    for number, line in lines_of(path, rejects, LONGEST_LINE):
        if not line.strip():
            if words:
                yield words, tags
            words, tags = [], []
            continue
        cells = cells_of(line)
        word, tag = cells[0].strip(), cells[-1].strip()
        if word == DOCUMENT_START:
            if words:
                yield words, tags
            yield [DOCUMENT_START], [column.outside]
            words, tags = [], []
            continue
        if reason := _problem(word, tag if len(cells) > 1 else None, column):
            rejects.add(path, number, reason)
            tag = column.outside
        if word:
            words.append(word)
            tags.append(tag)
    if words:
        yield words, tags


def _problem(word: str, tag: str | None, column: TagColumn) -> str:
    if not word:
        return "no word: the first column is empty"
    if tag is None:
        return "no tag: expected a word and its tag"
    return column.problem(tag)
