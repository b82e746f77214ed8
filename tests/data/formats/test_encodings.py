"""Text formats in the encodings that editors and spreadsheets save; what is lost is counted."""

from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import InMemoryFile
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from tests.data.formats.test_every_format import BOTH, plain, target

TEXTS = [name for name in BOTH if name not in ("brat", "bioc-xml")]
NAMED = "Ménière"


def accented(format: str) -> Document:
    """The document that the format can hold, with a name that is not ASCII (and not in a mention).

    A byte that is not UTF-8 stands alone, so that one character is lost.
    """
    document = plain(format)
    return Document(
        document.id, document.text.replace("Lithium", NAMED), passages=document.passages
    )


def saved(format: str, folder: Path, encoding: str) -> tuple[Path, Document]:
    """The document's file in another encoding, and what is read of it in UTF-8."""
    assert len(NAMED) == len("Lithium")
    path = target(folder, format)
    write_documents([accented(format)], path, format)
    (expected,) = read_documents(path, format)
    assert NAMED in expected.text
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    return path, expected


@pytest.mark.parametrize("format", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(format: str, encoding: str, tmp_path: Path) -> None:
    path, expected = saved(format, tmp_path, encoding)
    rejects = Rejects()
    (found,) = read_documents(path, format, rejects)
    assert found == expected
    assert rejects.count == 0


@pytest.mark.parametrize("format", TEXTS)
def test_characters_that_are_lost_are_counted(format: str, tmp_path: Path) -> None:
    path, expected = saved(format, tmp_path, "latin-1")
    rejects = Rejects()
    (found,) = read_documents(path, format, rejects)
    assert found.text == expected.text.replace("é", "\ufffd").replace("è", "\ufffd")
    lost = expected.text.count("é") + expected.text.count("è")
    (reject,) = rejects.kept
    assert (reject.file, reject.place) == (path.name, "file")
    assert reject.reason.startswith(f"not UTF-8: {lost} characters ")


def test_of_a_brat_pair_both_files_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(f"{NAMED} disease".encode("utf-16"))
    (tmp_path / "a.ann").write_bytes(f"T1\tDisease 0 7\t{NAMED}\n".encode("utf-16"))
    (tmp_path / "b.txt").write_bytes(f"{NAMED} disease".encode("latin-1"))
    rejects = Rejects()
    whole, damaged = read_documents(tmp_path, "brat", rejects)
    assert whole.mention(whole.entities[0]) == NAMED
    assert damaged.text == "M\ufffdni\ufffdre disease"
    assert [(one.file, one.reason[:12]) for one in rejects.kept] == [("b.txt", "not UTF-8: 2")]


def test_a_replacement_character_that_the_text_has_is_none_that_was_lost() -> None:
    rejects = Rejects()
    content = f"{'a' * 8191}\ufffd{'b' * 70_000}\ufffd".encode()
    (found,) = read_documents(InMemoryFile("a.txt", content), "text", rejects)
    assert found.text.count("\ufffd") == 2
    assert rejects.count == 0
    list(read_documents(InMemoryFile("a.txt", content + b"\xe9"), "text", rejects))
    assert rejects.kept[0].reason.startswith("not UTF-8: 1 character ")


XML = {
    "jats": "<article><front><article-meta><title-group><article-title>%s</article-title>"
    "</title-group></article-meta></front></article>",
    "pubmed": "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>"
    "<ArticleTitle>%s</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    "</PubmedArticleSet>",
    "bioc-xml": "<collection><document><id>1</id><passage><offset>0</offset><text>%s</text>"
    "</passage></document></collection>",
}


@pytest.mark.parametrize(
    "begins", ['<!DOCTYPE a PUBLIC "-//NLM//DTD" "a.dtd">', "", "<!-- <a -->\n"]
)
@pytest.mark.parametrize("format", XML)
def test_entities_are_characters_and_unknown_ones_are_named(
    format: str, begins: str, tmp_path: Path
) -> None:
    written = XML[format] % "TNF-&alpha;<!-- alpha --> rises 5&ndash;<?page 2?>10 &odd;%."
    path = tmp_path / "a.xml"
    path.write_text(f'<?xml version="1.0"?>\n{begins}{written}')
    rejects = Rejects()
    (found,) = read_documents(path, format, rejects)
    assert found.text == "TNF-α rises 5–10 &odd;%."
    (reject,) = rejects.kept
    assert reject.reason == "unknown entities, read as they stand: &odd;"


def test_an_entity_that_a_document_type_lacks_is_named(tmp_path: Path) -> None:
    written = XML["pubmed"] % "&odd; rises."
    path = tmp_path / "a.xml"
    path.write_text(f"<!DOCTYPE PubmedArticleSet [ <!ELEMENT a ANY> ]>\n{written}")
    with pytest.raises(BadInputError, match=r"Entity 'odd' not defined, line 2"):
        list(read_documents(path, "pubmed"))
