"""BioC JSON, PubTator3's export among it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from bioc import biocjson

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import open_text, write_text
from biobert.data.formats._bioc import collection_of, document_from_bioc
from biobert.data.formats._json import keys_of, text_of
from biobert.data.rejects import Rejects

ENDINGS = (".bioc.json", ".json")
HOLDS = ("entities", "relations", "labels")
LARGEST_FILE = 500_000_000
COLLECTION = {"source": "biobert", "date": "", "key": "", "version": "1.0", "infons": {}}


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents of a collection, of PubTator3's list, or of one document a line."""
    name = Path(path).name
    with open_text(path, rejects.lost_in(path)) as stream:
        text = stream.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise BadInputError(
            f"{name}: more than {LARGEST_FILE} characters in one JSON value; use BioC XML, which "
            "is streamed, or one document a line"
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = list(_lines(text, name, rejects))
    if isinstance(values, dict):
        values = values.get("documents", values.get("PubTator3", [values]))
    if not isinstance(values, list):
        values = [values]
    may_hold_halves = "\\ud" in text or "\\uD" in text
    for number, one in enumerate(values, start=1):
        if isinstance(one, dict) and "passages" in one:
            try:
                if may_hold_halves:
                    text_of(json.dumps(one, ensure_ascii=False), "one of its strings")
                yield document_from_bioc(one, name, rejects)
            except (BadInputError, ValueError, TypeError, AttributeError) as problem:
                rejects.add(path, f"document {number}", f"bad document: {problem}")
        else:
            rejects.add(path, f"document {number}", "no passages: not a BioC document")


def begins(text: str) -> bool:
    """Whether it is a collection, PubTator3's list or a document, not a line of our own."""
    keys = keys_of(text)
    return "text" not in keys and not keys.isdisjoint(("documents", "PubTator3", "passages"))


def write(documents: Iterable[Document], path: Path | str) -> int:
    """One collection, written document by document."""
    count = 0
    with write_text(path) as stream:
        stream.write(json.dumps(COLLECTION)[:-1] + ', "documents": [')
        for count, document in enumerate(collection_of(documents), start=1):
            separator = ",\n" if count > 1 else "\n"
            stream.write(separator + biocjson.dumps(document, ensure_ascii=False))
        stream.write("\n]}\n")
    return count


def _lines(text: str, name: str, rejects: Rejects) -> Iterator[object]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as problem:
                rejects.add(name, number, f"not JSON: {problem}")
                if number == 1:
                    return
