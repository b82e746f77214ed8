"""CoNLL columns: a word a line, its tag last, a blank line after each sentence.

IOB1, IOB2 and IOBES are all read, with or without `-DOCSTART-`; so are bare `B` and `I` without a
type. IOB2 is written. Words are joined by single spaces, sentences by newlines. Without
`-DOCSTART-` a file says nothing of its documents, so every 100 sentences make one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from biobert.core.document import Document, Entity, Provenance, Span
from biobert.core.files import bounded_lines, open_text, plain_name, write_text
from biobert.data.rejects import Rejects

ENDINGS = (".conll", ".bio", ".iob", ".iob2")
DOCUMENT_START = "-DOCSTART-"
SENTENCES_IN_DOCUMENT = 100
LONGEST_LINE = 10_000
PREFIXES = frozenset("BIESLU")
UNNAMED = "Entity"
"""The type of mentions in files whose tags are bare, such as the B, I, O of BioBERT's folders."""


@dataclass(slots=True)
class _Draft:
    """A document in the making."""

    name: str
    parts: list[str] = field(default_factory=list)
    length: int = 0
    sentences: list[Span] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def add(self, words: list[str], tags: list[str]) -> None:
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
        for first, last, label in tagged_stretches(tags):
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


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents of a file; a line without a tag or with an unknown one is set aside as O."""
    name = plain_name(path).rpartition(".")[0] or "conll"
    number, draft, has_starts = 1, _Draft(name), False
    for words, tags in _sentences(path, rejects):
        starts = words == [DOCUMENT_START]
        has_starts = has_starts or starts
        full = not has_starts and len(draft.sentences) == SENTENCES_IN_DOCUMENT
        if draft.sentences and (starts or full):
            yield draft.document(number, Path(path).name)
            number, draft = number + 1, _Draft(name)
        if not starts:
            draft.add(words, tags)
    if draft.sentences:
        yield draft.document(number, Path(path).name)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """Write IOB2 with white-space words; an entity that cuts a word gets the whole word.

    Where entities overlap, the longer one is written: the format holds one tag a word.
    """
    count = 0
    with write_text(path) as stream:
        for count, document in enumerate(documents, start=1):  # noqa: B007
            stream.write(f"{DOCUMENT_START}\tO\n\n")
            for sentence in document.sentences or _lines(document.text):
                for word, tag in _tagged_words(document, sentence):
                    stream.write(f"{word}\t{tag}\n")
                stream.write("\n")
    return count


def tagged_stretches(tags: list[str]) -> Iterator[tuple[int, int, str]]:
    """(first word, word after the last, label) of each entity, whichever IOB dialect it is.

    An I of another label, or after an O, begins an entity (IOB1); E, S and L, U end one (IOBES).
    """
    start, label = 0, ""
    for position, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        continues = label and name == label and prefix in ("I", "E", "L")
        if label and not continues:
            yield start, position, label
            label = ""
        if not label and name:
            start, label = position, name
        if label and prefix in ("E", "L", "S", "U"):
            yield start, position + 1, label
            label = ""


def _sentences(path: Path | str, rejects: Rejects) -> Iterator[tuple[list[str], list[str]]]:
    words: list[str] = []
    tags: list[str] = []
    with open_text(path) as stream:
        for number, line in bounded_lines(stream, LONGEST_LINE):
            if line is None:
                rejects.add(path, number, f"line too long: more than {LONGEST_LINE} characters")
                continue
            columns = line.split("\t") if "\t" in line else line.split()
            if not line.strip():
                if words:
                    yield words, tags
                words, tags = [], []
                continue
            word, tag = columns[0].strip(), columns[-1].strip()
            reason = _problem(columns, word, tag)
            if word == DOCUMENT_START:
                if words:
                    yield words, tags
                words, tags = [DOCUMENT_START], ["O"]
                continue
            if reason:
                rejects.add(path, number, reason)
                tag = "O"
            elif tag in PREFIXES:
                tag = f"{tag}-{UNNAMED}"
            if word:
                words.append(word)
                tags.append(tag)
    if words:
        yield words, tags


def _problem(columns: list[str], word: str, tag: str) -> str:
    if not word:
        return "no word: the first column is empty"
    if len(columns) < 2:
        return "no tag: expected a word and its tag"
    prefix, dash, name = tag.partition("-")
    if tag != "O" and (prefix not in PREFIXES or bool(dash) != bool(name)):
        return f"unknown tag: {tag[:40]!r} is neither O nor one of B- I- E- S- L- U-"
    return ""


def _lines(text: str) -> Iterator[Span]:
    position = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            yield Span(position, position + len(line))
        position += len(line)


def _tagged_words(document: Document, sentence: Span) -> Iterator[tuple[str, str]]:
    entities = sorted(
        (one for one in document.entities if one.start < sentence.end and one.end > sentence.start),
        key=lambda entity: entity.start - entity.end,
    )
    position = sentence.start
    previous: Entity | None = None
    for word in document.text[sentence.start : sentence.end].split():
        start = document.text.index(word, position)
        position = start + len(word)
        owner = next((one for one in entities if one.start < position and one.end > start), None)
        if owner is None:
            yield word, "O"
        else:
            yield word, f"{'I' if owner is previous else 'B'}-{owner.label}"
        previous = owner
