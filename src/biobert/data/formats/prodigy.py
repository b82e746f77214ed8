"""Prodigy's JSON lines: texts to look through, and what was decided about them.

Written for `ner.manual`, `rel.manual` and `textcat.manual`: `text`, `spans`, `relations`, `accept`
and, under `meta`, what the annotator is shown (identifier, certainty). Where there are relations,
`tokens` are written too, cut where mentions begin and end. Relations are of mentions: one of
concepts is written between their first mentions, one of more than two as pairs with its first, and
one whose end has no mention in the text is left out. Read back, a task whose `answer` is another
than `accept` is set aside, and so is one that relates words which are no span.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from biobert.core.document import Document, RelationEnds
from biobert.data.formats._annotations import entity_of, relation_of
from biobert.data.formats._fields import Fields
from biobert.data.formats._json import BAD_LINE, json_line, strings_of
from biobert.data.formats._prodigy import accepted
from biobert.data.lines import lines_of, write_records
from biobert.data.rejects import Rejects

ENDINGS = (".prodigy.jsonl",)
HOLDS = ("entities", "relations", "labels")
TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
BLANK = " "


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each accepted task."""
    for number, line in lines_of(path, rejects):
        if not line.strip():
            continue
        try:
            document = _document(line, number)
        except BAD_LINE as problem:
            rejects.add(path, number, f"not a task of Prodigy: {problem}")
        else:
            yield document


def write(documents: Iterable[Document], path: Path | str) -> int:
    """A task for each document; mentions in pieces are shown from first to last."""
    tasks = map(_task, documents)
    return write_records((json.dumps(one, ensure_ascii=False) + "\n" for one in tasks), path)


def _task(document: Document) -> dict[str, Any]:
    spans = [{"start": one.start, "end": one.end, "label": one.label} for one in document.entities]
    related = _related(document, spans) if document.relations else {"spans": spans}
    labels = {"accept": list(document.labels)} if document.labels else {}
    meta = {"id": document.id, **document.metadata}
    return {"text": document.text, **related, **labels, "meta": meta}


def _related(document: Document, spans: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The tokens, the spans with the numbers of their tokens, and the relations between spans."""
    tokens = _tokens(document)
    starts = [one["start"] for one in tokens]
    numbered = [
        {
            **one,
            "token_start": bisect_left(starts, one["start"]),
            "token_end": bisect_left(starts, one["end"]) - 1,
        }
        for one in spans
    ]
    return {
        "tokens": tokens,
        "spans": numbered,
        "relations": list(_relations(RelationEnds(document), numbered)),
    }


def _tokens(document: Document) -> list[dict[str, Any]]:
    """Words, signs and white space; `ws` says that a blank follows, which is no token then."""
    text = document.text
    begun = {one.start for one in document.entities}
    cuts = {part.start() for part in TOKEN.finditer(text)} | begun
    cuts |= {one.end for one in document.entities} | {len(text)}
    tokens: list[dict[str, Any]] = []
    for cut, end in pairwise(sorted(cuts)):
        start = cut
        if text[cut] == BLANK and cut not in begun and tokens and not tokens[-1]["ws"]:
            tokens[-1]["ws"] = True
            start += 1
        if start < end:
            token = {"text": text[start:end], "start": start, "end": end}
            tokens.append({**token, "id": len(tokens), "ws": False})
    return tokens


def _relations(ends: RelationEnds, spans: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    by_id = {one.id: span for one, span in zip(ends.document.entities, spans, strict=True)}
    for relation in ends.document.relations:
        mentions = [ends.mention(one) for one in relation.arguments]
        places = [by_id[one.id] for one in mentions if one is not None]
        if len(places) < len(mentions):
            continue
        for child in places[1:]:
            yield {
                # The last token of a span stands for it.
                "head": places[0]["token_end"],
                "child": child["token_end"],
                "label": relation.label,
                "head_span": places[0],
                "child_span": child,
            }


def _document(line: str, number: int) -> Document:
    found = Fields(accepted(json_line(line)))
    document = Document(
        id=found.name("id", str(number)),
        text=found.text("text"),
        relations=tuple(map(relation_of, found.objects("relations"))),
        labels=found.names("labels"),
        metadata=strings_of(found.object("metadata").values),
    )
    return document.with_entities(map(entity_of, found.objects("entities")))
