"""JSON lines: our own documents without loss, and the dialects of others.

Spans of spaCy and Prodigy (`text`, `spans`) and of Doccano (a list of `label`, or `entities` with
`start_offset`) become entities, Doccano's `relations` relations; a `label` that is a name, or a
list of names, is the document's own. Pairs as in SNLI, MedNLI and SciTail (`sentence1`,
`sentence2`, `gold_label`) become one text with two passages of these names; pairs whose annotators
do not agree (label `-`) are set aside.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from biobert.core.document import (
    Argument,
    Document,
    Entity,
    Passage,
    Provenance,
    Relation,
    Span,
)
from biobert.core.errors import BadInputError
from biobert.core.files import bounded_lines, open_text, write_text
from biobert.data.curies import curies
from biobert.data.formats._doccano import from_doccano
from biobert.data.formats._json import keys_of, text_of
from biobert.data.formats._passages import Part, joined
from biobert.data.formats._relations import check_arguments
from biobert.data.rejects import TOO_LONG, Rejects

ENDINGS = (".jsonl", ".ndjson")
HOLDS = ("entities", "relations", "labels")
NEVER_LEFT_OUT = ("kind", "label", "arguments")
"""Of passages, entities and relations: without them they are none."""
NO_AGREEMENT = "-"
BAD_LINE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    BadInputError,
)


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each line; a line that is none is set aside."""
    with open_text(path, rejects.lost_in(path)) as stream:
        for number, line in bounded_lines(stream):
            if line is None:
                rejects.add(path, number, TOO_LONG)
            elif line.strip():
                yield from read_line(line, path, number, rejects)


def read_line(line: str, path: Path | str, number: int, rejects: Rejects) -> Iterator[Document]:
    """The document of a line, if it is one."""
    try:
        values = json.loads(line)
        if "\\ud" in line or "\\uD" in line:
            text_of(json.dumps(values, ensure_ascii=False), "one of its strings")
        document = document_from_json(values, default_id=str(number))
        _check_relations(document)
        yield document
    except BAD_LINE as problem:
        rejects.add(path, number, f"not a document: {problem}")


def begins(text: str) -> bool:
    """Whether the first line is a document."""
    return not keys_of(text).isdisjoint(("text", "sentence1"))


def write(documents: Iterable[Document], path: Path | str) -> int:
    """One line for each document, without loss."""
    count = 0
    with write_text(path) as stream:
        for count, document in enumerate(documents, start=1):  # noqa: B007
            line = json.dumps(document_to_json(document), ensure_ascii=False)
            stream.write(line + "\n")
    return count


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
    """The document of a JSON object, our own or Doccano's; `spans` are spaCy's and Prodigy's."""
    if "sentence1" in values:
        return _pair(values, default_id)
    values = from_doccano(values)
    text = values["text"]
    if not isinstance(text, str):
        raise TypeError("its text is not a string")
    meta = values.get("meta") or {}
    return Document(
        id=str(values.get("id", meta.get("id", default_id))),
        text=text,
        passages=tuple(Passage(**one) for one in values.get("passages", ())),
        entities=tuple(_entity(one) for one in values.get("entities", values.get("spans", ()))),
        relations=tuple(
            _relation(one) for one in values.get("relations", ()) if "arguments" in one
        ),
        sentences=tuple(Span(**one) for one in values.get("sentences", ())),
        labels=_labels(values),
        label_scores={name: float(one) for name, one in values.get("label_scores", {}).items()},
        annotated_labels=tuple(values.get("annotated_labels", ())),
        provenance=Provenance(**values.get("provenance", {})),
        metadata=_metadata(values.get("metadata") or {}),
    )


def _check_relations(document: Document) -> None:
    if not document.relations:
        return
    # A mention without an identifier has the one that its place gives it.
    known = {one.id for one in document.with_entity_ids().entities}
    known |= {one.id for one in document.relations}
    for relation in document.relations:
        check_arguments(relation, known)


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in values.items()
        if key in NEVER_LEFT_OUT or value not in (None, "", (), {})
    }


def _pair(values: Mapping[str, Any], default_id: str) -> Document:
    parts = [Part(name, text_of(values[name], name)) for name in ("sentence1", "sentence2")]
    text, passages = joined(parts)
    if len(passages) < 2:
        raise BadInputError("one of its sentences is empty")
    label = values.get("gold_label", values.get("label"))
    if label == NO_AGREEMENT:
        raise BadInputError("no gold label: its annotators do not agree")
    return Document(
        id=str(values.get("pairID", values.get("id", default_id))),
        text=text,
        passages=passages,
        labels=() if label is None else (str(label),),
    )


def _metadata(values: Mapping[str, Any]) -> dict[str, str]:
    """All values as strings: others write numbers and lists too, such as `"pmid": 12345678`."""
    return {
        str(key): one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
        for key, one in values.items()
        if one is not None
    }


def _labels(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels of a document, names or numbers; a single `label` is that of a text."""
    labels, label = values.get("labels"), values.get("label")
    if isinstance(labels, str) or isinstance(label, dict):
        raise TypeError("its labels are not a list")
    if labels is None and label is not None:
        labels = [label]
    return tuple(str(label) for label in labels or () if label is not None)


def _entity(values: Mapping[str, Any]) -> Entity:
    label = values["label"]
    linked = values.get("concept_ids")
    if linked is None:
        linked = curies(str(values.get("kb_id") or ""), label)
    return Entity(
        start=int(values["start"]),
        end=int(values["end"]),
        label=str(label),
        concept_ids=tuple(linked),
        score=values.get("score"),
        fragments=tuple(Span(**one) for one in values.get("fragments", ())),
        id=values.get("id") if isinstance(values.get("id"), str) else None,
    )


def _relation(values: Mapping[str, Any]) -> Relation:
    arguments = tuple(Argument(**one) for one in values["arguments"])
    evidence = tuple(Span(**one) for one in values.get("evidence", ()))
    return Relation(values["label"], arguments, values.get("score"), values.get("id"), evidence)
