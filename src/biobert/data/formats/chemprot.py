"""ChemProt as SciBERT passes it on: JSON lines, a sentence with two marked mentions and a relation.

`{"text": "<< aspirin >> inhibits [[ COX-2 ]].", "label": "INHIBITOR"}`. The marks tell the order in
the text, not the types: `<< >>` is always round the mention that begins first, be it the chemical
or the protein, so that both are read as `ChemicalOrGene`. Where mentions overlap, the file repeats
what they share (`<< tyrosine kinase >>[[ tyrosine ]] kinase`); it is read once.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from biobert.core.document import Argument, Document, Entity, Provenance, Relation, Span
from biobert.core.errors import BadInputError
from biobert.core.files import plain_name, shown_name
from biobert.data.formats._json import text_of
from biobert.data.lines import lines_of
from biobert.data.rejects import Rejects

ENDINGS = (".chemprot.jsonl",)
TYPE = "ChemicalOrGene"
MARKS = ("<< ", " >>", "[[ ", " ]]")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each line, with two mentions and their relation; others are set aside."""
    source = shown_name(path)
    stem = plain_name(path).partition(".")[0]
    for number, line in lines_of(path, rejects):
        if not line.strip():
            continue
        try:
            yield _document(json.loads(line), f"{stem}-{number}", source)
        except (ValueError, KeyError, TypeError, BadInputError, RecursionError) as problem:
            rejects.add(path, number, f"no marked sentence: {problem}")


def _document(values: Any, identifier: str, source: str) -> Document:
    if not isinstance(values, dict):
        raise BadInputError("not a JSON object")
    text, spans = unmarked(text_of(values["text"], "its text"))
    label = text_of(values["label"], "its label")
    entities = [
        Entity(span.start, span.end, TYPE, id=f"T{number}")
        for number, span in enumerate(spans, start=1)
    ]
    arguments = (Argument("Arg1", "T1"), Argument("Arg2", "T2"))
    return Document(
        id=identifier,
        text=text,
        entities=tuple(entities),
        relations=(Relation(label, arguments),),
        sentences=(Span(0, len(text)),),
        provenance=Provenance(source=source),
    )


def unmarked(marked: str) -> tuple[str, tuple[Span, Span]]:
    """A marked sentence without its marks, and where the two mentions stand in it."""
    for opening in MARKS[::2]:
        if marked.count(opening) > 1:
            raise BadInputError(f"more than one `{opening.strip()}`: which is the mark?")
    before, first, rest = _cut(marked, *MARKS[:2])
    between, second, after = _cut(rest, *MARKS[2:])
    start = len(before)
    shared = _shared(first, second + after) if not between else 0
    if shared:
        text = before + first[: len(first) - shared] + second + after
        begin = start + len(first) - shared
    else:
        text = before + first + between + second + after
        begin = start + len(first) + len(between)
    return text, (Span(start, start + len(first)), Span(begin, begin + len(second)))


def _cut(text: str, opening: str, closing: str) -> tuple[str, str, str]:
    before, opened, rest = text.partition(opening)
    inside, closed, after = rest.partition(closing)
    if not opened or not closed:
        raise BadInputError(f"no mention between `{opening.strip()}` and `{closing.strip()}`")
    return before, inside, after


def _shared(first: str, following: str) -> int:
    """How much of the end of the first mention is repeated in what follows: all that can be."""
    return next(
        (size for size in range(len(first), 0, -1) if following.startswith(first[-size:])), 0
    )
