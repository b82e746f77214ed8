"""Every row of the catalogue keeps its promises."""

import re
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import sha256_of
from biobert.core.questions import question_document
from biobert.data.catalogue import corpus_names, find_split, load_corpus, read_split
from biobert.data.formats import SHELF
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.data.rejects import Rejects

PINNED = re.compile(r"/[0-9a-f]{7,40}/")


@pytest.mark.parametrize("name", corpus_names())
def test_a_row_says_what_it_must(name: str) -> None:
    row = load_corpus(name)
    assert row.name == name
    assert row.title and row.licence and row.citation and row.task
    assert row.homepage.startswith("https://")
    assert not row.format or row.format in SHELF.names()
    assert len(set(row.labels)) == len(row.labels)
    assert row.splits or row.obtain
    assert not row.test_identifiers or row.test_identifiers in row.files
    assert not row.test_of or load_corpus(row.test_of).test_identifiers
    for file in (*row.splits.values(), *row.files.values()):
        assert file.url or row.obtain
        assert not Path(file.path).is_absolute()
        assert not file.sha256 or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        if file.url.startswith("https://raw.githubusercontent.com"):
            assert PINNED.search(file.url), file.url


def test_the_well_known_corpora_are_there() -> None:
    known = """AnatEM BC2GM BC4CHEMD BC5CDR BIOSSES BioASQ BioNLP13CG BioRED ChemProt DDI2013 EU-ADR
    GAD HoC JNLPBA MedMentions MedNLI NCBI-disease PubMedQA S800 linnaeus"""
    assert set(known.split()) <= set(corpus_names())


def test_a_typo_names_the_nearest() -> None:
    with pytest.raises(BiobertError, match="BC5CDR"):
        load_corpus("BC5CRD")
    with pytest.raises(BiobertError, match="devel"):
        find_split(load_corpus("BC5CDR"), "develop", CorpusPlaces(Path("none")))


def test_case_does_not_matter() -> None:
    assert load_corpus("ncbi-DISEASE").name == "NCBI-disease"


def test_a_walled_corpus_says_how_to_get_it(tmp_path: Path) -> None:
    walled = [row for row in map(load_corpus, corpus_names()) if not row.splits]
    assert walled
    for row in walled:
        with pytest.raises(BiobertError):
            read_split(row.name, "train", CorpusPlaces(tmp_path))


def test_published_folders_of_biobert_are_read_unchanged(tmp_path: Path) -> None:
    for name, word in (("train", "Cancer"), ("train_dev", "Both"), ("devel", "Fever")):
        (tmp_path / f"{name}.tsv").write_text(f"{word}\tB\nis\tO\n\n")
    (tmp_path / "test.tsv").write_text("Asthma\tB\ncough\tI\n\n")

    def text(split: str) -> str:
        (document,) = read_split(str(tmp_path), split, CorpusPlaces(tmp_path))
        assert len(document.entities) == 1
        return document.text

    assert text("train") == "Cancer is"
    assert text("train+devel") == "Both is"
    assert text("devel") == "Fever is"
    assert text("test") == "Asthma cough"
    with pytest.raises(BadInputError, match=r"there is .*train\.tsv"):
        read_split(str(tmp_path), "extra", CorpusPlaces(tmp_path))


@pytest.mark.data
@pytest.mark.parametrize("name", corpus_names())
def test_local_copies_have_the_catalogued_checksums(corpora: Path, name: str) -> None:
    row = load_corpus(name)
    for file in (*row.splits.values(), *row.files.values()):
        path = corpora / file.path
        if path.is_file() and file.sha256 and path.stat().st_size < 50_000_000:
            assert sha256_of(path) == file.sha256


@pytest.mark.data
@pytest.mark.parametrize("name", ["NCBI-disease", "AnatEM", "BC2GM", "linnaeus", "BioNLP13CG"])
def test_labels_are_those_that_occur(corpora: Path, name: str) -> None:
    row = load_corpus(name)
    found = set()
    for split in row.splits:
        for document in read_split(name, split, CorpusPlaces(corpora, corpora)):
            found |= {entity.label for entity in document.entities}
    assert found == set(row.labels)


def test_a_folder_may_hold_its_splits_in_any_format(tmp_path: Path) -> None:
    document = question_document("1", "What?", "Asthma did.", answers=[(0, 6)])
    write_documents([document], tmp_path / "train.squad.json")
    (found,) = read_split(str(tmp_path), "train", CorpusPlaces(tmp_path))
    assert found.text == document.text
    assert found.annotated_labels == ("answer",)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tsv", "id\ttext\tlabel\n7\tIt helps.\tgood\n", ("It helps.", ("good",), {})),
        (
            "a.sts.tsv",
            "sentence1\tsentence2\tscore\nIt helps.\tIt is.\t3.5\n",
            ("It helps.\nIt is.", (), {"similarity": "3.5"}),
        ),
        ("a.tsv", "Abstract\tO\nhelps\tO\n\n", ("Abstract helps", (), {})),
        ("a.csv", "It helps.,good\n", ("It helps.", ("good",), {})),
        ("a.tsv", "0\tIt helps.\tyes\n", ("It helps.", ("yes",), {})),
        ("a.tsv", "It helps.\tB\n", ("It helps.", ("B",), {})),
        ("a.tsv", "\n-DOCSTART-\n\nIt PRP O\nhelps VBZ O\n", ("It helps", (), {})),
    ],
)
def test_a_users_own_table_is_read_as_what_it_is(
    name: str, content: str, expected: tuple[object, ...], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    rejects = Rejects()
    path = str(tmp_path / name)
    (one,) = read_split(path, "test", CorpusPlaces(tmp_path), rejects=rejects)
    assert (one.text, one.labels, one.metadata) == expected
    assert rejects.count == 0
