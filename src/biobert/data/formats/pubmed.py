"""PubMed XML: baseline and update files, or single records.

A document is title and abstract; an abstract's labelled sections are passages with their heading.
A record whose title is not English keeps it as `vernacular_title`. The deletions of an update file
are set aside by name, so that a caller can drop them.
"""

from collections.abc import Iterator
from pathlib import Path

from biobert.core.document import Document, Passage, Provenance
from biobert.core.files import open_binary
from biobert.data.formats._xml import Element, records, text_of
from biobert.data.rejects import Rejects

ENDINGS = (".xml",)
DELETED = "deleted citation"


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Records in file order, one in memory; those without any text are set aside."""
    name = Path(path).name
    with open_binary(path) as stream:
        tags = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation")
        for element in records(stream, tags, place=name):
            if element.tag == "DeleteCitation":
                for gone in element.iterfind("PMID"):
                    rejects.add(path, f"PMID {gone.text}", DELETED)
                continue
            document = _document(element, name)
            if document.text:
                yield document
            else:
                rejects.add(path, f"PMID {document.id}", "no text: neither title nor abstract")


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
    # PubMed puts a translated title in brackets.
    if article.find("VernacularTitle") is not None and title.startswith("["):
        return title.strip("[]. ") + "."
    return title


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
