"""PubMed RCT: sentences of trial abstracts, each with its role (background, methods, ...).

A line `###NUMBER` begins an abstract, a blank line ends it, and `ROLE TAB sentence` stands between.
Each sentence is one document, with its place in the abstract in the metadata (Dernoncourt and Lee
2017, arXiv:1710.06071).
"""

from collections.abc import Iterator
from pathlib import Path

from biobert.core.document import Document, Provenance, Span
from biobert.core.files import shown_name
from biobert.data.lines import lines_of
from biobert.data.rejects import Rejects

ENDINGS: tuple[str, ...] = ()
START = "###"
LONGEST_LINE = 100_000


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The sentences in file order; a line that is no labelled sentence is set aside."""
    number, place = "", 0
    for line_number, line in lines_of(path, rejects, LONGEST_LINE):
        if line.startswith(START) or not line.strip():
            number, place = line.removeprefix(START).strip(), 0
            continue
        role, _, sentence = (part.strip() for part in line.partition("\t"))
        if number and role and sentence:
            place += 1
            yield _document(number, place, role, sentence, shown_name(path))
        else:
            what = "no role or no sentence" if number else "no abstract"
            rejects.add(path, line_number, f"{what}: write ###NUMBER, then ROLE TAB sentence")


def _document(number: str, place: int, role: str, sentence: str, source: str) -> Document:
    return Document(
        id=f"{number}-{place}",
        text=sentence,
        sentences=(Span(0, len(sentence)),),
        labels=(role,),
        provenance=Provenance(source=source),
        metadata={"pmid": number, "sentence": str(place)},
    )
