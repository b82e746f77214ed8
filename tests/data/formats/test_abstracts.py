"""Abstracts in sections: without their conclusions, and with the roles of their sentences."""

import gzip
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.data.formats._abstracts import role_of
from biobert.data.reading import read_documents, read_together
from biobert.data.rejects import Rejects
from tests.data.articles import write_tar

SECTIONS = (
    ("Background", "Fever is common. It tires."),
    ("Methods and results", "We asked and heard."),
    ("Results", "Rest helped."),
    ("Conclusions/Significance", "Rest is good. Rest."),
    ("Trial registration", "NCT1."),
)


def jats(number: int, sections: tuple[tuple[str, str], ...]) -> str:
    inside = "".join(f"<sec><title>{h}</title><p>{text}</p></sec>" for h, text in sections)
    return (
        f'<article><front><article-meta><article-id pub-id-type="pmc">{number}</article-id>'
        "<title-group><article-title>On rest</article-title></title-group>"
        f"<abstract>{inside}</abstract></article-meta></front>"
        "<body><sec><title>Conclusions</title><p>SECRET</p></sec></body></article>"
    )


def citation(number: int, sections: tuple[tuple[str, str], ...]) -> str:
    inside = "".join(f'<AbstractText Label="{h}">{text}</AbstractText>' for h, text in sections)
    return (
        f"<PubmedArticle><MedlineCitation><PMID>{number}</PMID><Article><ArticleTitle>On rest"
        f"</ArticleTitle><Abstract>{inside}</Abstract></Article></MedlineCitation></PubmedArticle>"
    )


def read(path: Path, format: str) -> tuple[list[Document], Rejects]:
    rejects = Rejects()
    return list(read_documents(path, format, rejects)), rejects


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("Conclusions/Significance", "CONCLUSIONS"),
        ("Research Design and Methods", "METHODS"),
        ("MAIN OUTCOME MEASURES", "METHODS"),
        ("Aims & Objectives", "OBJECTIVE"),
        ("[Results]", "RESULTS"),
        ("Methods and Findings", None),
        ("What do these findings mean?", None),
        ("Trial registration", None),
        ("", None),
    ],
)
def test_a_heading_tells_one_role_or_none(heading: str, role: str | None) -> None:
    assert role_of(heading) == role


@pytest.mark.parametrize("kind", ["jats", "pubmed"])
def test_conclusions_stand_apart_from_what_leads_to_them(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.nxml" if kind == "jats" else "a.xml.gz")
    made = jats(7, SECTIONS) if kind == "jats" else citation(7, SECTIONS)
    if kind == "jats":
        path.write_text(made)
    else:
        path.write_bytes(gzip.compress(f"<PubmedArticleSet>{made}</PubmedArticleSet>".encode()))
    (document,), rejects = read(path, "conclusions")
    assert document.metadata["conclusion"] == "Rest is good. Rest."
    assert document.text == (
        "On rest\nFever is common. It tires.\nWe asked and heard.\nRest helped.\nNCT1."
    )
    assert [one.kind for one in document.passages] == ["title", *["abstract"] * 4]
    assert rejects.count == 0


def test_abstracts_that_do_not_conclude_are_set_aside_and_counted(tmp_path: Path) -> None:
    records = (
        citation(1, SECTIONS[:3])
        + citation(2, SECTIONS[3:4])
        + citation(3, (("", "No sections here."),))
        + citation(4, SECTIONS)
    )
    path = tmp_path / "a.xml"
    path.write_text(f"<PubmedArticleSet>{records}</PubmedArticleSet>")
    documents, rejects = read(path, "conclusions")
    assert [one.id for one in documents] == ["4"]
    assert [(one.place, one.reason.split(":")[0]) for one in rejects.kept] == [
        ("1", "no conclusions"),
        ("2", "nothing but conclusions"),
        ("3", "no sections"),
    ]


def test_sentences_have_the_role_of_their_section(tmp_path: Path) -> None:
    path = tmp_path / "a.nxml"
    path.write_text(jats(7, SECTIONS))
    (document,), _ = read(path, "abstract-roles")
    assert [(document.mention(one), one.label) for one in document.entities] == [
        ("Fever is common.", "BACKGROUND"),
        ("It tires.", "BACKGROUND"),
        ("Rest helped.", "RESULTS"),
        ("Rest is good.", "CONCLUSIONS"),
        ("Rest.", "CONCLUSIONS"),
    ]
    assert len(document.sentences) == 7
    assert "Background" not in document.text
    assert {one.heading for one in document.passages} == {""}


@pytest.mark.parametrize("type", ["", "normal", "main"])
def test_summaries_beside_an_abstract_tell_no_conclusion(type: str, tmp_path: Path) -> None:
    alone = jats(7, SECTIONS).replace("<abstract>", f'<abstract abstract-type="{type}">')
    summary = (
        '<abstract abstract-type="editor"><sec><title>Results</title><p>Rest is good.</p></sec>'
    )
    (tmp_path / "alone.nxml").write_text(alone)
    (tmp_path / "both.nxml").write_text(
        alone.replace("<abstract ", f"{summary}</abstract><abstract ")
    )
    for format in ("conclusions", "abstract-roles"):
        found = [read(tmp_path / name, format)[0] for name in ("alone.nxml", "both.nxml")]
        assert [one.text for one in found[0]] == [one.text for one in found[1]] != []
    (document,), _ = read(tmp_path / "both.nxml", "jats")
    kinds = [one.kind for one in document.passages if one.kind != "heading"]
    assert kinds[:3] == ["title", "editor-abstract", "abstract"]


def test_the_only_abstract_is_one_whatever_its_type(tmp_path: Path) -> None:
    written = jats(7, SECTIONS).replace("<abstract>", '<abstract abstract-type="key-points">')
    (tmp_path / "a.nxml").write_text(written)
    (document,), _ = read(tmp_path / "a.nxml", "conclusions")
    assert document.metadata["conclusion"] == "Rest is good. Rest."


def test_listed_articles_are_test_and_all_others_train(tmp_path: Path) -> None:
    members = {f"PMC{number}.nxml": jats(number, SECTIONS) for number in (7, 8)}
    write_tar(tmp_path / "a.tar.gz", members)
    listed = tmp_path / "test.txt"
    listed.write_text("8\n9\n")
    for format in ("conclusions", "abstract-roles"):
        found = read_together(tmp_path / "a.tar.gz", {"test-articles": listed}, format, Rejects())
        assert {one.id: one.metadata["split"] for one in found} == {"PMC7": "train", "PMC8": "test"}


def test_sentences_of_trials_are_joined_to_abstracts(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("###24\nOBJECTIVE\tTo see .\nRESULTS\tWe saw .\n\n###25\nMETHODS\tSo .\n")
    documents, _ = read(path, "pubmed-rct-abstracts")
    assert [one.text for one in documents] == ["To see .\nWe saw .", "So ."]
    assert [(documents[0].mention(one), one.label) for one in documents[0].entities] == [
        ("To see .", "OBJECTIVE"),
        ("We saw .", "RESULTS"),
    ]
