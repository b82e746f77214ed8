"""Real corpora survive a trip through four formats."""

from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects

ROAD = ("bioc-xml", "bioc-json", "brat", "pubtator")


def content(document: Document) -> tuple[object, ...]:
    """Text, mentions with identifiers, and relations, whatever the formats call them."""
    mentions = sorted(
        (one.start, one.end, one.label, tuple(sorted(one.concept_ids))) for one in document.entities
    )
    relations = sorted(
        (one.label, tuple(argument.target for argument in one.arguments))
        for one in document.relations
    )
    return document.text, mentions, relations


@pytest.mark.data
@pytest.mark.parametrize("split", ["train", "devel", "test"])
@pytest.mark.parametrize("corpus", ["BC5CDR", "NCBI-disease"])
def test_nothing_is_lost_on_the_way(corpora: Path, corpus: str, split: str, tmp_path: Path) -> None:
    rejects = Rejects()
    source = corpora / "pubtator" / corpus / f"{split}.PubTator.txt"
    documents = list(read_documents(source, "pubtator", rejects))
    assert rejects.count == 0
    there = [content(document) for document in documents]
    for format in ROAD:
        path = tmp_path / format
        assert write_documents(documents, path, format) == len(there)
        documents = list(read_documents(path, format, rejects))
        assert rejects.count == 0, rejects.kept[:3]
    back = [content(document) for document in documents]
    # BRAT is a folder: its documents come by name.
    assert sorted(back) == sorted(there)


@pytest.mark.data
def test_articles_come_straight_from_the_archive(corpora: Path) -> None:
    archive = corpora / "pmc" / "pmc_oa_articles.tar.xz"
    rejects = Rejects()
    articles = read_documents(archive, None, rejects)
    found = [next(articles) for _ in range(100)]
    assert rejects.count == 0
    kinds = {passage.kind for article in found for passage in article.passages}
    assert {"title", "abstract", "table"} <= kinds
    assert sum(len(article.text) for article in found) > 1_500_000
    for article in found:
        for passage in article.passages:
            if passage.kind == "table":
                assert passage.start == passage.end
