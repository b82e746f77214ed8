"""JSON lines: our own documents without loss, and the dialects of others.

Spans of spaCy and Prodigy (`text`, `spans`) and of Doccano (a list of `label`, or `entities` with
`start_offset`) become entities, `relations` of Prodigy and Doccano relations; a `label` that is a
name, or a list of names, is the document's own. Pairs as in SNLI, MedNLI and SciTail (`sentence1`,
`sentence2`, `gold_label`) become one text with two passages of these names; pairs whose annotators
do not agree (label `-`) are set aside.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from biobert.core.document import Document, Passage, Provenance, Relation
from biobert.core.errors import BadInputError
from biobert.data.formats._annotations import entity_of, relation_of, span_of
from biobert.data.formats._doccano import from_doccano
from biobert.data.formats._fields import Fields
from biobert.data.formats._json import BAD_LINE, json_line, keys_of, strings_of
from biobert.data.formats._passages import Part, joined
from biobert.data.formats._prodigy import from_prodigy
from biobert.data.formats._relations import standing
from biobert.data.lines import lines_of, write_records
from biobert.data.rejects import Rejects

ENDINGS = (".jsonl", ".ndjson")
HOLDS = ("entities", "relations", "labels")
NEVER_LEFT_OUT = ("kind", "label", "arguments")
"""Of passages, entities and relations: without them they are none."""
NO_AGREEMENT = "-"


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each line; a line that is none is set aside."""
    for number, line in lines_of(path, rejects):
        if line.strip():
            yield from read_line(line, path, number, rejects)


def read_line(line: str, path: Path | str, number: int, rejects: Rejects) -> Iterator[Document]:
    """The document of a line, if it is one."""
    try:
        document = document_from_json(json_line(line), default_id=str(number))
        standing(document, _refuse)
        yield document
    except BAD_LINE as problem:
        rejects.add(path, number, f"not a document: {problem}")


def begins(text: str) -> bool:
    """Whether the first line is a document."""
    return not keys_of(text).isdisjoint(("text", "sentence1"))


def write(documents: Iterable[Document], path: Path | str) -> int:
    """One line for each document, without loss."""
    values = map(document_to_json, documents)
    return write_records((json.dumps(one, ensure_ascii=False) + "\n" for one in values), path)


def document_to_json(document: Document) -> dict[str, Any]:
    """The document as plain values; empty parts are left out."""
    values = asdict(document)
    kept = {key: value for key, value in values.items() if value or key in ("id", "text")}
    for name in ("entities", "relations", "passages"):
        if name in kept:
            kept[name] = [_without_empty(item) for item in kept[name]]
    provenance = _without_empty(kept.pop("provenance"))
    return {**kept, **({"provenance": provenance} if provenance else {})}


def document_from_json(values: Mapping[str, Any], *, default_id: str = "1") -> Document:
    """The document of a JSON object, our own or Doccano's; `spans` are spaCy's and Prodigy's.

    Raises BadInputError where a value is of another kind than its key wants.
    """
    if "sentence1" in Fields(values):
        return _pair(Fields(values), default_id)
    found = Fields(from_prodigy(from_doccano(values)))
    scores = found.object("label_scores")
    source = found.object("provenance")
    return Document(
        id=found.name("id", found.object("meta").name("id", default_id)),
        text=found.text("text"),
        passages=tuple(map(_passage, found.objects("passages"))),
        entities=tuple(
            map(entity_of, found.objects("entities" if "entities" in found else "spans"))
        ),
        relations=tuple(
            relation_of(one) for one in found.objects("relations") if "arguments" in one
        ),
        sentences=tuple(map(span_of, found.objects("sentences"))),
        labels=_labels(found),
        label_scores={name: scores.number(name) for name in scores.values if name in scores},
        annotated_labels=found.names("annotated_labels"),
        provenance=Provenance(*(source.text(key, "") for key in ("source", "model", "version"))),
        metadata=strings_of(found.object("metadata").values),
    )


def _refuse(relation: Relation, reason: str) -> None:
    raise BadInputError(reason)


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in values.items()
        if key in NEVER_LEFT_OUT or value not in (None, "", (), {})
    }


def _pair(found: Fields, default_id: str) -> Document:
    parts = [Part(name, found.text(name)) for name in ("sentence1", "sentence2")]
    text, passages = joined(parts)
    if len(passages) < 2:
        raise BadInputError("one of its sentences is empty")
    label = found.name("gold_label", found.name("label", ""))
    if label == NO_AGREEMENT:
        raise BadInputError("no gold label: its annotators do not agree")
    return Document(
        id=found.name("pairID", found.name("id", default_id)),
        text=text,
        passages=passages,
        labels=(label,) if label else (),
    )


def _labels(found: Fields) -> tuple[str, ...]:
    """The labels of a document; a single `label` is that of a text."""
    if "labels" in found or "label" not in found:
        return found.names("labels")
    return (found.name("label"),)


def _passage(found: Fields) -> Passage:
    return Passage(
        start=found.whole("start"),
        end=found.whole("end"),
        kind=found.text("kind"),
        heading=found.text("heading", ""),
        metadata=strings_of(found.object("metadata").values),
    )
