"""What a user writes becomes files with names that say nothing of the machine."""

import gzip
import hashlib
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError, BiobertError
from biobert.data import sources
from biobert.data.catalogue import load_corpus
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.data.sources import Source, find_sources, survey
from tests.data.articles import pubmed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "papers"
    (place / "deep").mkdir(parents=True)
    for name in ("a.txt", "b.nxml", "deep/c.jsonl.gz", ".hidden.txt", "picture.png", "page.html"):
        (place / name).write_bytes(b"")
    return place


def find(
    *names: object,
    format: str | None = None,
    root: Path | None = None,
    rejects: Rejects | None = None,
) -> list[Source]:
    return find_sources(
        [str(name) for name in names],
        format=format,
        places=CorpusPlaces(Path("/nowhere"), root),
        rejects=rejects,
    )


def test_folders_files_and_globs_are_found_in_order(folder: Path) -> None:
    found = find(folder, folder / "a.txt", folder / "**" / "*.gz")
    assert [(one.name, one.format) for one in found] == [
        ("papers/a.txt", "text"),
        ("papers/b.nxml", "jats"),
        ("papers/deep/c.jsonl.gz", "jsonl"),
        ("a.txt", "text"),
        ("deep/c.jsonl.gz", "jsonl"),
    ]
    assert all(str(folder.parent) not in one.name for one in found)
    assert all(one.path.is_absolute() for one in found)


def test_files_of_a_folder_that_are_not_read_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "README").write_text("What lies here.")
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    for name in ("a.txt", "a.ann", "b.nxml"):
        (pairs / name).write_bytes(b"")
    rejects = Rejects()
    find(folder, folder / "a.txt", pairs, rejects=rejects)
    found = [(one.file, one.reason.partition(":")[0]) for one in rejects.kept]
    assert found == [
        ("README", "ending not known"),
        ("page.html", "ending not known"),
        ("picture.png", "ending not known"),
    ]
    find(pairs, format="brat", rejects=(others := Rejects()))
    assert [one.file for one in others.kept] == ["b.nxml"]
    find(folder, format="text", rejects=(none := Rejects()))
    assert none.count == 0


def test_archives_and_endings_are_known_however_they_are_written(tmp_path: Path) -> None:
    for name in ("a.tar.gz", "b.tgz", "c.tar.bz2", "d.TAR.XZ", "e.NXML.GZ", "f.Jsonl"):
        (tmp_path / name).write_bytes(b"")
    assert [one.format for one in find(tmp_path)] == ["jats"] * 5 + ["jsonl"]


def test_a_named_format_overrules_the_endings(folder: Path) -> None:
    found = find(folder, format="text")
    assert {one.format for one in found} == {"text"}
    assert "papers/picture.png" in [one.name for one in found]
    with pytest.raises(BiobertError, match="html"):
        find(folder / "page.html")


def test_a_folder_of_brat_pairs_is_one_source(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Cancer.")
    (tmp_path / "a.ann").write_text("")
    (one,) = survey(find(tmp_path), workers=1).sources
    assert (one.format, one.name, one.bytes) == ("brat", tmp_path.name, 7)
    (tmp_path / "a.ann").write_text("T1\tDisease 0 6\tCancer\n")
    (other,) = survey(find(tmp_path), workers=1).sources
    assert other.sha256 != one.sha256


def test_splits_of_the_catalogue_are_found_with_their_licence(tmp_path: Path) -> None:
    corpus = load_corpus("NCBI-disease")
    for split in ("train", "devel"):
        path = tmp_path / corpus.splits[split].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Cancer\tB-Disease\n")
    found = find("ncbi-disease:train+devel", root=tmp_path)
    assert [one.name for one in found] == ["NCBI-disease:train", "NCBI-disease:devel"]
    assert {(one.format, one.licence) for one in found} == {("conll", "CC BY 4.0")}


@pytest.mark.parametrize("name", ["HoC:train", "PubMedQA:fold-3", "evidence-inference:devel"])
def test_a_split_that_is_a_part_of_a_file_says_so(name: str, tmp_path: Path) -> None:
    row, _, split = name.partition(":")
    corpus = load_corpus(row)
    files = [corpus.splits[split], *corpus.files.values()]
    for file in files:
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_text(file.path)
    (one,) = survey(find(name, root=tmp_path), workers=1).sources
    assert one.part is not None
    assert (one.part.corpus, one.part.split) == (row, split)
    assert one.bytes == sum(len(file.path) for file in files)
    (tmp_path / files[-1].path).write_text("other")
    (other,) = survey(find(name, root=tmp_path), workers=1).sources
    assert other.sha256 != one.sha256


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.txt", r"no such file or folder: .*nowhere\.txt.*NAME:split"),
        ("*.nothing", "no sources found"),
        ("NCBI-diseas:train", "did you mean 'NCBI-disease'"),
        ("NCBI-disease:trian", "did you mean 'train'"),
        ("i2b2-2010:train", "i2b2"),
    ],
)
def test_what_is_not_there_says_so(name: str, words: str, tmp_path: Path) -> None:
    shown = name if ":" in name else str(tmp_path / name)
    with pytest.raises(BiobertError, match=words):
        find(shown)


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"")
    with pytest.raises(BadInputError, match=r"a\.docx.*known: .*\.nxml"):
        find(tmp_path / "a.docx")
    with pytest.raises(BadInputError, match="no sources found"):
        find(tmp_path)


def test_a_survey_gives_sizes_and_checksums(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Cancer.")
    (one,) = survey(find(tmp_path / "a.txt"), workers=2).sources
    assert one.bytes == 7
    assert one.sha256 == hashlib.sha256(b"Cancer.").hexdigest()


@pytest.mark.parametrize("block", [7, 60, 200, 1 << 20])
def test_deletions_of_updates_are_found_wherever_blocks_end(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CHUNK_BYTES", block)
    text = pubmed([1, 2], deleted=(1, 22_222_222, 33)) + pubmed([4], deleted=(5,))
    with gzip.open(tmp_path / "update.xml.gz", "wb") as stream:
        stream.write(text.encode())
    (tmp_path / "other.xml").write_text(pubmed([6], deleted=(7,)))
    (tmp_path / "cut.xml.gz").write_bytes(gzip.compress(text.encode())[:-20])
    found = survey(find(tmp_path / "update.xml.gz", tmp_path / "other.xml"), workers=2)
    assert found.deleted == {"1", "22222222", "33", "5", "7"}
    survey(find(tmp_path / "cut.xml.gz"), workers=1)  # what it deletes is lost, not the build
