"""PubMed XML: baseline and update files, or single records.

A document is title and abstract; an abstract's labelled sections are passages with their heading.
A record whose title is not English keeps it as `vernacular_title`. The deletions of an update file
are set aside by name, so that a caller can drop them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from biobert.core.document import Document, Passage, Provenance
from biobert.core.errors import BadInputError
from biobert.core.files import open_binary, shown_name
from biobert.data.formats._xml import Element, parse, records, tell_unknown_entities, text_of
from biobert.data.rejects import Rejects

ENDINGS = (".xml",)
DELETED = "deleted citation"
RECORD_TAGS = ("PubmedArticle", "PubmedBookArticle")
ROOTS = ("PubmedArticleSet", *RECORD_TAGS)
RECORD_START = re.compile(rb"<Pubmed(?:Book)?Article[\s>]")
RECORD_END = re.compile(rb"</Pubmed(?:Book)?Article\s*>")
LONGEST_TAG = 40
# PubMed puts a translated title in brackets, and chemical names and corrections have theirs.
BRACKETED = re.compile(r"\[((?:[^\[\]]++|\[[^\[\]]*+\])++)\][. ]*")
STOPS = (".", "?", "!")
PMID = re.compile(rb"<PMID[^>]{0,40}>(\d{1,12})</PMID>")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Records in file order, one in memory; those without any text are set aside."""
    name = shown_name(path)
    with open_binary(path) as stream:
        for element in records(stream, (*RECORD_TAGS, "DeleteCitation"), place=name):
            if element.tag == "DeleteCitation":
                for gone in element.iterfind("PMID"):
                    rejects.add(path, f"PMID {gone.text}", DELETED)
                continue
            yield from _documents(element, name, rejects)


def read_record(data: bytes, source: str, rejects: Rejects) -> Iterator[Document]:
    """The document of one record's bytes, cut out of the file called `source`."""
    try:
        record = parse(data, place=source)
    except BadInputError as problem:
        number = PMID.search(data)
        place = f"PMID {number.group(1).decode()}" if number else "record"
        rejects.add(source, place, f"damaged XML: {problem}")
        return
    yield from _documents(record, source, rejects)


def _documents(element: Element, source: str, rejects: Rejects) -> Iterator[Document]:
    """The document of a record, if there is any text in it."""
    document = _document(element, source)
    place = f"PMID {document.id}"
    tell_unknown_entities(element, source, place, rejects)
    if document.text:
        yield document
    else:
        rejects.add(source, place, "no text: neither title nor abstract")


def _document(element: Element, source: str) -> Document:
    article = element.find(".//Article")
    citation = (
        element.find("MedlineCitation") if article is not None else element.find(".//BookDocument")
    )
    article = article if article is not None else citation
    parts = [("title", "", _title(article))] if article is not None else []
    if article is not None:
        for section in article.iterfind("Abstract/AbstractText"):
            parts.append(("abstract", section.get("Label", ""), text_of(section)))
    text = ""
    passages = []
    for kind, heading, content in parts:
        if content:
            start = len(text) + 1 if text else 0
            text = f"{text}\n{content}" if text else content
            passages.append(Passage(start, len(text), kind, heading))
    return Document(
        id=_identifier(element),
        text=text,
        passages=tuple(passages),
        provenance=Provenance(source=source),
        metadata=_metadata(element),
    )


def _title(article: Element) -> str:
    title = text_of(article.find("ArticleTitle"))
    translated = BRACKETED.fullmatch(title)
    if article.find("VernacularTitle") is None or translated is None:
        return title
    inside = translated[1].strip()
    return inside if inside.endswith(STOPS) else f"{inside}."


def _identifier(element: Element) -> str:
    return element.findtext(".//PMID") or ""


def _metadata(element: Element) -> dict[str, str]:
    found = {
        "journal": text_of(element.find(".//Journal/Title")),
        "year": text_of(element.find(".//PubDate/Year")),
        "language": text_of(element.find(".//Language")),
        "vernacular_title": text_of(element.find(".//VernacularTitle")),
        "mesh": "|".join(
            f"mesh:{one.get('UI')}" for one in element.iterfind(".//MeshHeading/DescriptorName")
        ),
    }
    for identifier in element.iterfind("PubmedData/ArticleIdList/ArticleId"):
        found[str(identifier.get("IdType"))] = text_of(identifier)
    return {key: value for key, value in found.items() if value}
