"""A flat table with a row for each mention, for spreadsheets and data frames.

The columns are `document`, `start` and `end` (code points, end excluded), `label`, `mention`,
`score` and `concepts` (joined by `|`), with a header; a score or concept that is not known is an
empty cell. A mention in pieces has the ends of the whole and its pieces joined by blanks. The text
around mentions is not in it, so that it is written alone.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from biobert.core.document import Document
from biobert.core.files import plain_name, write_text

ENDINGS = (".mentions.tsv", ".mentions.csv")
HOLDS = ("entities",)
COLUMNS = ("document", "start", "end", "label", "mention", "score", "concepts")


def write(documents: Iterable[Document], path: Path | str) -> int:
    """A row for each mention, in the order of documents and entities."""
    count, delimiter = 0, "," if plain_name(path).endswith(".csv") else "\t"
    with write_text(path) as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        writer.writerow(COLUMNS)
        for document in documents:
            writer.writerows(_rows(document))
            count += 1
    return count


def _rows(document: Document) -> Iterator[tuple[str | int, ...]]:
    for one in document.entities:
        score = "" if one.score is None else f"{one.score:.4f}"
        name, label, mention, concepts = map(
            _cell, (document.id, one.label, document.mention(one), "|".join(one.concept_ids))
        )
        yield name, one.start, one.end, label, mention, score, concepts


def _cell(text: str) -> str:
    """A cell is one line: one that goes over two would part the row for line-wise readers."""
    return " ".join(text.split())
