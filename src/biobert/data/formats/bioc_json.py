"""BioC JSON, PubTator3's export among it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bioc import biocjson

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import open_text, shown_name
from biobert.data.formats._bioc import collection_of, document_from_bioc
from biobert.data.formats._json import keys_of, may_hold_half, text_of
from biobert.data.lines import write_records
from biobert.data.rejects import Rejects

ENDINGS = (".bioc.json", ".json")
HOLDS = ("entities", "relations", "labels")
LARGEST_FILE = 500_000_000
LISTS = ("documents", "PubTator3")
COLLECTION = {"source": "biobert", "date": "", "key": "", "version": "1.0", "infons": {}}


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents of a collection, of PubTator3's list, or of lines that are each any of these."""
    name = shown_name(path)
    with open_text(path, rejects.lost_in(path)) as stream:
        text = stream.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise BadInputError(
            f"{name}: more than {LARGEST_FILE} characters in one JSON value; use BioC XML, which "
            "is streamed, or one document a line"
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as problem:
        values = _by_line(text, name, rejects)
        if not values and text.strip():
            rejects.add(name, "file", f"not JSON: {problem}")
    may_hold_halves = may_hold_half(text)
    for number, one in enumerate(_documents_in(values), start=1):
        if _is_document(one):
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
    values = collection_of(documents)
    written = ("\n" + biocjson.dumps(one, ensure_ascii=False) for one in values)
    head = json.dumps(COLLECTION)[:-1] + ', "documents": ['
    return write_records(written, path, head=head, between=",", foot="\n]}\n")


def _by_line(text: str, name: str, rejects: Rejects) -> list[object]:
    """The values of the lines, bad ones set aside; none where no line is a document."""
    values: list[object] = []
    bad = Rejects()
    # Not `splitlines`: JSON may hold characters at which that parts a line, such as U+2028.
    for number, line in enumerate(text.split("\n"), start=1):
        # In a damaged collection, too, a document may stand on a line, with a comma behind it.
        if written := line.strip().removesuffix(","):
            try:
                values.append(json.loads(written))
            except (ValueError, RecursionError) as problem:
                bad.add(name, number, f"not JSON: {problem}")
    if not any(map(_is_document, _documents_in(values))):
        return []
    rejects.extend(bad)
    return values


def _documents_in(value: Any) -> Iterator[Any]:
    """What stands in a collection, in PubTator3's list, or in a list of these."""
    for one in value if isinstance(value, list) else [value]:
        key = next((name for name in LISTS if isinstance(one, dict) and name in one), None)
        held = one if key is None else one[key]
        yield from held if isinstance(held, list) and key else [held]


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and "passages" in value
