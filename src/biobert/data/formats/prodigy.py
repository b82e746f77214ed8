"""Prodigy's JSON lines: texts to look through, and what was decided about them.

Written for `ner.manual` and `textcat.manual`: `text`, `spans`, `accept` and, under `meta`, what the
annotator is shown (identifier, certainty). Read back, a task whose `answer` is another than
`accept` is set aside.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.files import bounded_lines, open_text, write_text
from biobert.data.formats._json import text_of
from biobert.data.rejects import TOO_LONG, Rejects

ENDINGS = (".prodigy.jsonl",)
HOLDS = ("entities", "labels")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each accepted task."""
    with open_text(path, rejects.lost_in(path)) as stream:
        for number, line in bounded_lines(stream):
            if line is None:
                rejects.add(path, number, TOO_LONG)
                continue
            if not line.strip():
                continue
            try:
                document = _document(json.loads(line), number)
            except (ValueError, KeyError, TypeError, BadInputError, RecursionError) as problem:
                rejects.add(path, number, f"not a task of Prodigy: {problem}")
            else:
                yield document


def write(documents: Iterable[Document], path: Path | str) -> int:
    """A task for each document; mentions in pieces are shown from first to last."""
    count = 0
    with write_text(path) as stream:
        for count, document in enumerate(documents, start=1):  # noqa: B007
            stream.write(json.dumps(_task(document), ensure_ascii=False) + "\n")
    return count


def _task(document: Document) -> dict[str, Any]:
    spans = [{"start": one.start, "end": one.end, "label": one.label} for one in document.entities]
    labels = {"accept": list(document.labels)} if document.labels else {}
    meta = {"id": document.id, **document.metadata}
    return {"text": document.text, "spans": spans, **labels, "meta": meta}


def _document(values: Mapping[str, Any], number: int) -> Document:
    if not isinstance(values, Mapping):
        raise TypeError("it is not an object")
    answer = values.get("answer", "accept")
    if answer != "accept":
        raise BadInputError(f"its answer is {answer!r}")
    spans = values.get("spans") or ()
    meta = values.get("meta") or {}
    found = Document(
        id=str(meta.get("id", number)),
        text=text_of(values["text"], "text"),
        labels=tuple(str(one) for one in values.get("accept") or ()),
        metadata={str(key): str(value) for key, value in meta.items() if key != "id"},
    )
    return found.with_entities(
        Entity(int(one["start"]), int(one["end"]), str(one["label"])) for one in spans
    )
