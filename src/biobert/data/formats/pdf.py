"""PDF: the text layer of an article, in the order in which its file has it. Read only.

Lines become paragraphs again, each a passage with its `page`, and words that were parted at the end
of a line become whole. Running heads, page numbers and tables stay where the file has them. A PDF
that is encrypted, damaged, endless, or made of pictures alone is set aside. The extra `pdf` brings
what reads it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from biobert.core.document import Document, Provenance
from biobert.core.errors import MissingExtraError
from biobert.core.files import open_binary, plain_name, read_at_most, shown_name
from biobert.data.formats._passages import Part, joined
from biobert.data.formats._pdf import read_pages
from biobert.data.rejects import Rejects

ENDINGS = (".pdf",)
LARGEST_FILE = 200_000_000
NO_TEXT = "no text in it: pages that were scanned need text recognition first"
LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
SOFT_HYPHEN = "\xad"
# Control characters, and soft hyphens at which no line ends.
UNSEEN = re.compile(rf"[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff]|{SOFT_HYPHEN}(?!\s*\n)")
WHOLE_COMPOUND = re.compile(r"[^\W\d_]+-[^\W\d_]+")
PARTED = re.compile(r"([^\W\d_]+)-$")
SHORT_SHARE = 0.75
"""A line that is shorter than this share of its page's median line may be a paragraph's last."""
FINAL = (".", "!", "?", ":", '"', "”")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    page: int
    is_short: bool


def read(
    path: Path | str, rejects: Rejects, check: Callable[[], None] = lambda: None
) -> Iterator[Document]:
    """The one document of a file, or none where it has no text that can be read.

    `check` is called again and again while it is read; what it raises ends that.
    """
    if find_spec("pypdf") is None:
        raise MissingExtraError("pypdf", "pdf")
    with open_binary(path) as stream:
        data = read_at_most(stream, LARGEST_FILE)
    if data is None:
        rejects.add(path, "file", f"too large: more than {LARGEST_FILE} bytes")
        return
    found = read_pages(data, check=check)
    paragraphs = list(_paragraphs(_lines(found.texts)))
    if found.problem or not paragraphs:
        rejects.add(path, "file", found.problem or NO_TEXT)
        return
    text, passages = joined(Part("paragraph", one.text) for one in paragraphs)
    numbered = (
        replace(passage, metadata={"page": str(one.page)})
        for passage, one in zip(passages, paragraphs, strict=True)
    )
    name = plain_name(path)
    yield Document(
        id=name.rpartition(".")[0] or name,
        text=text,
        passages=tuple(numbered),
        provenance=Provenance(source=shown_name(path)),
    )


def begins(text: str) -> bool:
    """Whether it says that it is a PDF."""
    return text.startswith("%PDF-")


def _lines(pages: Iterable[str]) -> list[_Line]:
    """Lines with their pages; an empty one is a gap between paragraphs."""
    found = []
    for number, page in enumerate(pages, start=1):
        lines = [" ".join(line.split()) for line in _cleaned(page).strip().split("\n")]
        usual = median([len(line) for line in lines if line] or [0])
        found += [_Line(line, number, len(line) < SHORT_SHARE * usual) for line in lines]
    return found


def _cleaned(page: str) -> str:
    """Text that can be written again: no halves of surrogate pairs, no ligatures."""
    whole = page.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return UNSEEN.sub("", whole.translate(LIGATURES))


def _paragraphs(lines: list[_Line]) -> Iterator[_Line]:
    """Paragraphs as long lines, each with the page on which it begins."""
    compounds = {one for line in lines for one in WHOLE_COMPOUND.findall(line.text)}
    parts: list[str] = []
    first = last = _Line("", 1, is_short=False)
    for line in lines:
        if parts and (not line.text or _ends(last, line)):
            yield replace(first, text="".join(parts))
            parts = []
        if not line.text:
            continue
        if parts:
            parts[-1] = _before(parts[-1], line.text, compounds)
        else:
            first = line
        parts.append(line.text)
        last = line
    if parts:
        yield replace(first, text="".join(parts))


def _ends(last: _Line, following: _Line) -> bool:
    """Whether a line is its paragraph's last: it is short, and a sentence or a heading ends."""
    if not last.is_short:
        return False
    begins = following.text.lstrip("\"“('[")[:1]
    return last.text.endswith(FINAL) or begins.isupper() or begins.isdigit()


def _before(line: str, following: str, compounds: set[str]) -> str:
    """A line that another follows: with a blank, or without the hyphen that parts a word.

    The hyphen stays where the text has the compound elsewhere in one piece.
    """
    if line.endswith(SOFT_HYPHEN):
        return line[:-1]
    parted = PARTED.search(line)
    if parted is None or not following[:1].islower():
        return f"{line} " if not line.endswith("-") else line
    rest = re.match(r"[^\W\d_]+", following)
    compound = f"{parted.group(1)}-{rest.group() if rest else ''}"
    return line if compound in compounds else line[:-1]
