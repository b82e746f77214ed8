"""HoC, the hallmarks of cancer: a tar archive of abstracts and of the labels of their sentences.

`text/NUMBER.txt` holds a sentence a line, `labels/NUMBER.txt` as many fields after `<`: each a path
of the hierarchy (`Resisting cell death--Apoptosis`), several joined by `AND`, none at all or
`NULL`. An abstract gets the hallmarks, the first steps of these paths, that any of its sentences
has (Baker et al. 2016, doi:10.1093/bioinformatics/btv585).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from biobert.core.document import Document, Provenance, Span
from biobert.core.errors import BadInputError
from biobert.core.files import InMemoryFile, open_text, shown_name
from biobert.data.formats._archives import tar_members
from biobert.data.rejects import Rejects

ENDINGS: tuple[str, ...] = ()
HALLMARKS = (
    "Sustaining proliferative signaling",
    "Evading growth suppressors",
    "Avoiding immune destruction",
    "Enabling replicative immortality",
    "Tumor promoting inflammation",
    "Activating invasion and metastasis",
    "Inducing angiogenesis",
    "Genomic instability and mutation",
    "Resisting cell death",
    "Cellular energetics",
)
NOTHING = frozenset({"", "NULL"})
LARGEST_MEMBER = 1_000_000
MOST_WAITING = 200_000_000
"""In characters: halves of abstracts that wait for their other half."""


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """An abstract for each pair of files, once both were read; one half alone is set aside."""
    waiting: dict[str, dict[str, str]] = {}
    held = 0
    for member, data in tar_members(Path(path), endings=(".txt",), largest=LARGEST_MEMBER):
        place = PurePosixPath(member)
        if data is None:
            rejects.add(path, member, f"too large: more than {LARGEST_MEMBER} bytes")
        elif place.parent.name in ("text", "labels"):
            with open_text(InMemoryFile(member, data), rejects.lost_in(member)) as stream:
                content = stream.read()
            halves = waiting.setdefault(place.stem, {})
            halves[place.parent.name] = content
            held += len(content)
            if len(halves) == 2:
                held -= sum(map(len, waiting.pop(place.stem).values()))
                yield from _document(place.stem, halves, shown_name(path), rejects)
        if held > MOST_WAITING:
            raise BadInputError(f"{path}: more than {MOST_WAITING} characters without other half")
    for number, halves in waiting.items():
        (half,) = halves
        rejects.add(path, number, f"half an abstract: only its {half}")


def _document(
    number: str, halves: dict[str, str], source: str, rejects: Rejects
) -> Iterator[Document]:
    sentences = [line.strip() for line in halves["text"].split("\n") if line.strip()]
    try:
        labels = _hallmarks(halves["labels"], len(sentences))
    except ValueError as problem:
        rejects.add(source, number, str(problem))
        return
    if not sentences:
        rejects.add(source, number, "no text: the abstract is empty")
        return
    yield Document(
        id=number,
        text="\n".join(sentences),
        sentences=_spans(sentences),
        labels=labels,
        provenance=Provenance(source=source),
        metadata={"pmid": number},
    )


def _hallmarks(text: str, sentences: int) -> tuple[str, ...]:
    before, *fields = text.split("<")
    if before.strip() or len(fields) != sentences:
        raise ValueError(f"labels of {len(fields)} sentences: the abstract has {sentences}")
    found = set()
    for path in (path for field in fields for path in field.split("AND")):
        hallmark = path.split("--")[0].strip()
        if hallmark not in (*HALLMARKS, *NOTHING):
            raise ValueError(f"unknown hallmark: {hallmark[:60]!r}")
        found.add(hallmark)
    return tuple(one for one in HALLMARKS if one in found)


def _spans(sentences: Sequence[str]) -> tuple[Span, ...]:
    spans, start = [], 0
    for sentence in sentences:
        spans.append(Span(start, start + len(sentence)))
        start += len(sentence) + 1
    return tuple(spans)
