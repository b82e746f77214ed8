"""BioC XML, streamed document by document."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bioc.biocxml.encoder import encode_document
from lxml import etree

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import open_binary, shown_name
from biobert.data.formats._bioc import collection_of, document_from_bioc
from biobert.data.formats._xml import Element, records, tell_unknown_entities, whole_text
from biobert.data.lines import write_records
from biobert.data.rejects import Rejects

ENDINGS = (".bioc.xml", ".bioc")
HOLDS = ("entities", "relations", "labels")
ROOTS = ("collection",)
HEAD = """<?xml version='1.0' encoding='UTF-8' standalone='yes'?>
<collection>
<source>biobert</source>
<date/>
<key/>
"""
# What XML cannot hold, such as the form feeds that end the pages of a PDF's text.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents in file order, in constant memory."""
    name = shown_name(path)
    with open_binary(path) as stream:
        for element in records(stream, ("document",), place=name):
            place = f"document {element.findtext('id') or '?'}"
            tell_unknown_entities(element, path, place, rejects)
            try:
                yield document_from_bioc(_document(element), name, rejects)
            except (BadInputError, ValueError) as problem:
                rejects.add(path, place, f"bad document: {problem}")


def write(documents: Iterable[Document], path: Path | str) -> int:
    """One collection, written document by document."""
    elements = map(_element, collection_of(documents))
    written = (etree.tostring(one, encoding="unicode", pretty_print=True) for one in elements)
    return write_records(written, path, head=HEAD, foot="</collection>\n")


def _element(document: Any) -> Any:
    """The element of a `bioc.BioCDocument`."""
    try:
        return encode_document(document)
    except ValueError:
        return encode_document(_writable(document))


def _writable(value: Any) -> Any:
    """The same with a blank for each character that XML cannot hold, so that offsets stay."""
    if isinstance(value, str):
        return NOT_XML.sub(" ", value)
    if isinstance(value, dict):
        return {_writable(key): _writable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_writable(one) for one in value]
    if not isinstance(value, int):
        for name, one in vars(value).items():
            setattr(value, name, _writable(one))
    return value


def _document(element: Element) -> dict[str, Any]:
    return {
        "id": element.findtext("id") or "",
        "infons": _infons(element),
        "passages": [_passage(one) for one in element.findall("passage")],
        **_annotated(element),
    }


def _passage(element: Element) -> dict[str, Any]:
    return {
        "offset": element.findtext("offset") or 0,
        "infons": _infons(element),
        # An empty <text/> is an empty text; a missing one means that sentences hold it.
        "text": _text(element),
        "sentences": [
            {
                "offset": one.findtext("offset") or 0,
                "text": _text(one) or "",
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
                "text": _text(one),
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
    return {str(one.get("key")): whole_text(one) for one in element.findall("infon")}


def _text(element: Element) -> str | None:
    text = element.find("text")
    return None if text is None else whole_text(text)
