"""BioC XML, streamed document by document."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bioc
from bioc import biocxml

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import open_binary, write_text
from biobert.data.formats._bioc import collection_of, document_from_bioc
from biobert.data.formats._xml import Element, records
from biobert.data.rejects import Rejects

ENDINGS = (".bioc.xml", ".bioc")
HOLDS = ("entities", "relations", "labels")
ROOTS = ("collection",)
# What XML cannot hold, such as the form feeds that end the pages of a PDF's text.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents in file order, in constant memory."""
    name = Path(path).name
    with open_binary(path) as stream:
        for element in records(stream, ("document",), place=name):
            try:
                yield document_from_bioc(_document(element), name, rejects)
            except (BadInputError, ValueError) as problem:
                place = f"document {element.findtext('id') or '?'}"
                rejects.add(path, place, f"bad document: {problem}")


def write(documents: Iterable[Document], path: Path | str) -> int:
    """One collection; a character that XML cannot hold becomes a blank, so that offsets stay."""
    collection = bioc.BioCCollection()
    collection.source = "biobert"
    for document in collection_of(map(_writable, documents)):
        collection.add_document(document)
    with write_text(path) as stream:
        stream.write(biocxml.dumps(collection))
    return len(collection.documents)


def _writable(document: Document) -> Document:
    metadata = {key: NOT_XML.sub(" ", one) for key, one in document.metadata.items()}
    return replace(document, text=NOT_XML.sub(" ", document.text), metadata=metadata)


def _document(element: Element) -> dict[str, Any]:
    return {
        "id": element.findtext("id") or "",
        "infons": _infons(element),
        "passages": [_passage(one) for one in element.findall("passage")],
        **_annotated(element),
    }


def _passage(element: Element) -> dict[str, Any]:
    text = element.find("text")
    return {
        "offset": element.findtext("offset") or 0,
        "infons": _infons(element),
        # An empty <text/> is an empty text; a missing one means that sentences hold it.
        "text": None if text is None else (text.text or ""),
        "sentences": [
            {
                "offset": one.findtext("offset") or 0,
                "text": one.findtext("text") or "",
                **_annotated(one),
            }
            for one in element.findall("sentence")
        ],
        **_annotated(element),
    }


def _annotated(element: Element) -> dict[str, Any]:
    return {
        "annotations": [
            {
                "id": one.get("id"),
                "infons": _infons(one),
                "text": one.findtext("text"),
                "locations": [dict(place.attrib) for place in one.findall("location")],
            }
            for one in element.findall("annotation")
        ],
        "relations": [
            {
                "id": one.get("id"),
                "infons": _infons(one),
                "nodes": [dict(node.attrib) for node in one.findall("node")],
            }
            for one in element.findall("relation")
        ],
    }


def _infons(element: Element) -> dict[str, str]:
    return {str(one.get("key")): one.text or "" for one in element.findall("infon")}
