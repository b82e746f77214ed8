"""Articles in JATS, one by one, and the archives that hold them: what several readers share."""

from collections.abc import Iterator
from pathlib import Path

from biobert.core.document import Document, Passage, Provenance
from biobert.core.errors import BadInputError
from biobert.data.formats._archives import tar_members
from biobert.data.formats._xml import (
    Element,
    folded,
    parse,
    stretches,
    tell_unknown_entities,
)
from biobert.data.rejects import Rejects

LARGEST_ARTICLE = 100_000_000

# Blocks that are left out, by the kind of passage that keeps their place.
LEFT_OUT = {
    "table-wrap": "table",
    "table-wrap-group": "table",
    "table": "table",
    "fig": "figure",
    "fig-group": "figure",
    "disp-formula": "formula",
    "disp-formula-group": "formula",
    "supplementary-material": "supplement",
    "media": "supplement",
    "graphic": "figure",
    "array": "table",
    "chem-struct": "formula",
    "chem-struct-wrap": "formula",
}
OMITTED = frozenset({*LEFT_OUT, "inline-formula", "tex-math", "xref-group", "fn", "object-id"})
PARAGRAPHS = frozenset(
    {
        *("p", "disp-quote", "verse-group", "list-item", "def-item", "statement"),
        *("preformat", "code"),
    }
)
# What parts words inside a paragraph even where no blank stands in the file.
PARTED = (PARAGRAPHS - {"code"}) | {
    "list",
    "label",
    "title",
    "break",
    "term",
    "def",
    "verse-line",
    "sec",
}
ABSTRACT = "abstract"
OWN_ABSTRACTS = ("", "normal", "main")
HYPERLINK = "{http://www.w3.org/1999/xlink}href"


def read_article(data: bytes | None, name: str, rejects: Rejects) -> Iterator[Document]:
    """The articles of a file's bytes, mostly one; None stands for a file that is too large."""
    if data is None:
        rejects.add(name, "file", f"too large: more than {LARGEST_ARTICLE} bytes")
        return
    try:
        root = parse(data, place=name)
    except BadInputError as problem:
        rejects.add(name, "file", f"damaged XML: {problem}")
        return
    articles = [root] if root.tag == "article" else list(root.iter("article"))
    if not articles:
        rejects.add(name, "file", "no <article>: not a JATS file")
    for article in articles:
        document = _Draft().document(article, name)
        tell_unknown_entities(article, name, document.id, rejects)
        if document.text:
            yield document
        else:
            rejects.add(name, document.id, "no text: neither title, abstract nor body")


def archive_members(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Names and bytes of an archive's articles, in order; None is one that is too large."""
    for name, data in tar_members(path, endings=(".nxml", ".xml"), largest=LARGEST_ARTICLE):
        yield Path(name).name, data


class _Draft:
    """An article in the making."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.passages: list[Passage] = []

    def document(self, article: Element, source: str) -> Document:
        """Title, abstracts and body, in that order."""
        meta = article.find("front/article-meta")
        if meta is not None:
            self.add("title", "", _title(meta))
            for kind, abstract in _abstracts(meta):
                self.add_section(abstract, kind, "")
        body = article.find("body")
        if body is not None:
            self.add_section(body, "body", "")
        return Document(
            id=_identifier(meta, source),
            text="".join(self.parts),
            passages=tuple(self.passages),
            provenance=Provenance(source=source),
            metadata=_metadata(article, meta),
        )

    def add(self, kind: str, heading: str, text: str) -> None:
        """A passage on a line of its own; a kind that is left out has an empty one."""
        if text:
            if self.parts:
                self.parts.append("\n")
                self.length += 1
            self.parts.append(text)
            self.passages.append(Passage(self.length, self.length + len(text), kind, heading))
            self.length += len(text)
        elif kind in LEFT_OUT.values():
            self.passages.append(Passage(self.length, self.length, kind, heading))

    def add_section(self, section: Element, kind: str, heading: str) -> None:
        """The blocks of a section; headings of nested sections are joined by ` > `."""
        stack: list[tuple[Element, str]] = [(section, heading)]
        while stack:
            block, heading = stack.pop()
            if block is not section and not isinstance(block.tag, str):
                continue
            if block.tag in LEFT_OUT:
                self.add(LEFT_OUT[str(block.tag)], heading, "")
            elif block.tag in PARAGRAPHS:
                self._paragraph(block, kind, heading)
            elif block.tag == "title":
                self.add("heading", heading, _inline(block))
            else:
                title = _inline(block.find("title")) if block is not section else ""
                inner = " > ".join(part for part in (heading, title) if part)
                stack += [(child, inner) for child in reversed(block)]

    def _paragraph(self, block: Element, kind: str, heading: str) -> None:
        self.add(kind, heading, _inline(block))
        for part in block.iter(*LEFT_OUT):
            self.add(LEFT_OUT[str(part.tag)], heading, "")


def _abstracts(meta: Element) -> Iterator[tuple[str, Element]]:
    """The abstracts, each with the kind of its passages.

    Beside the article's own, those with a type are an editor's summary, a blurb, key points: some
    tell the conclusion again.
    """
    found = meta.findall(ABSTRACT)
    own = [one for one in found if _type_of(one) in OWN_ABSTRACTS] or found[:1]
    for one in found:
        yield ABSTRACT if one in own else f"{_type_of(one)}-{ABSTRACT}", one


def _type_of(abstract: Element) -> str:
    return abstract.get("abstract-type", "").lower()


def _title(meta: Element) -> str:
    """The article's title, with its subtitles behind a colon."""
    parts = [meta.find("title-group/article-title"), *meta.iterfind("title-group/subtitle")]
    return ": ".join(filter(None, map(_inline, parts)))


def _inline(element: Element | None) -> str:
    """The text of a paragraph or title, without what is left out, white space folded."""
    if element is None:
        return ""
    return folded("".join(stretches(element, parted=PARTED, left_out=OMITTED)))


def _identifier(meta: Element | None, source: str) -> str:
    found = {}
    if meta is not None:
        for one in meta.iterfind("article-id"):
            found[one.get("pub-id-type", "")] = (one.text or "").strip()
    for kind in ("pmcid", "pmc", "pmid", "doi"):
        if found.get(kind):
            prefix = "PMC" if kind in ("pmc", "pmcid") and found[kind].isdigit() else ""
            return prefix + found[kind]
    return source.rpartition(".")[0]


def _metadata(article: Element, meta: Element | None) -> dict[str, str]:
    found = {"journal": _inline(article.find("front/journal-meta//journal-title"))}
    found["language"] = article.get("{http://www.w3.org/XML/1998/namespace}lang", "")
    found["type"] = article.get("article-type", "")
    if meta is not None:
        for one in meta.iterfind("article-id"):
            found[one.get("pub-id-type", "id")] = (one.text or "").strip()
        found["licence"] = _licence(meta)
        found["year"] = meta.findtext("pub-date/year", "")
    return {key: value for key, value in found.items() if value}


def _licence(meta: Element) -> str:
    """The licence's addresses and what the article says of it; older files have it elsewhere."""
    for path in ("permissions/license", "license"):
        licence = meta.find(path)
        if licence is not None:
            linked = dict.fromkeys(one.get(HYPERLINK) or "" for one in licence.iter())
            return " ".join(filter(None, (*linked, _inline(licence))))
    statement = meta.find("permissions/copyright-statement")
    return _inline(meta.find("copyright-statement") if statement is None else statement)
