"""JATS: full articles of PubMed Central, single files or straight from a tar archive.

Title, abstract and body become passages with their section headings. Tables, figures and display
formulas are left out, and an empty passage of that kind keeps their place. Beside an abstract, an
editor's summary, a blurb and the like are passages such as `editor-abstract` and `toc-abstract`.
"""

from collections.abc import Iterator
from pathlib import Path

from biobert.core.document import Document
from biobert.core.files import open_binary, plain_name, read_at_most, shown_name
from biobert.data.formats._jats import LARGEST_ARTICLE, archive_members, read_article
from biobert.data.rejects import Rejects

ENDINGS = (".nxml", ".jats", ".tar")
ROOTS = ("article", "pmc-articleset")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Articles in archive order, one in memory; damaged or empty ones are set aside."""
    if plain_name(path).endswith(".tar"):
        yield from _read_archive(Path(path), rejects)
        return
    with open_binary(path) as stream:
        data = read_at_most(stream, LARGEST_ARTICLE)
    yield from read_article(data, shown_name(path), rejects)


def _read_archive(path: Path, rejects: Rejects) -> Iterator[Document]:
    for name, data in archive_members(path):
        yield from read_article(data, name, rejects)
