"""The corpus check finds what spoils a corpus."""

from pathlib import Path

import pytest

from biobert.core.document import Document, Entity, Span
from biobert.data.catalogue import load_corpus, read_split
from biobert.data.check import check_splits
from biobert.data.rejects import Rejects
from tests.cli.calling import call


def sentences(identifier: str, *texts: str, label: str = "Disease") -> Document:
    spans, text = [], ""
    for one in texts:
        spans.append(Span(len(text), len(text) + len(one)))
        text += one + "\n"
    entities = [Entity(one.start, one.start + 6, label) for one in spans]
    return Document(identifier, text, sentences=tuple(spans), entities=tuple(entities))


def test_shared_sentences_are_found_whatever_their_blanks() -> None:
    train = [sentences("1", "Cancer is old.", "Asthma too.")]
    test = [sentences("2", "Cancer  is old.", "Fevers are new.")]
    report = check_splits("mine", {"train": train, "test": test}, Rejects())
    assert report.shared_sentences == {"test in train": 1}
    assert report.shared_examples == ["Cancer is old."]


def test_duplicates_and_mixed_labels_are_named() -> None:
    first, again = sentences("1", "Cancer."), sentences("9", "Cancer.")
    other = sentences("3", "Cancer again.", label="Anatomy")
    report = check_splits("mine", {"train": [first, again, other]}, Rejects())
    assert report.duplicate_documents == ["train:1 = train:9"]
    (mixed,) = report.inconsistent_labels
    assert (mixed.mention, mixed.labels) == ("Cancer", {"Disease": 2, "Anatomy": 1})
    assert report.splits["train"].mentions == {"Anatomy": 1, "Disease": 2}


def test_a_folder_is_checked_from_the_command_line(tmp_path: Path) -> None:
    rows = "Cancer\tB-Disease\nis\tO\n\n"
    (tmp_path / "train.tsv").write_text(rows + "broken line without a tag\n\n" + rows)
    (tmp_path / "test.tsv").write_text(rows)
    found = call("data", "check", tmp_path, "--report", tmp_path / "report.json", "--json")
    assert found.code == 0, found.err
    data = found.json["data"]
    assert data["malformed"] == 1
    assert data["shared_sentences"] == {"test in train": 1}
    assert data["splits"]["train"]["mentions"] == {"Disease": 2}
    assert (tmp_path / "report.json").is_file()


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "shared"),
    [("NCBI-disease", 2), ("BC5CDR", 11), ("BC2GM", 39), ("AnatEM", 45), ("linnaeus", 157)],
)
def test_known_leaks_of_real_corpora_are_found(corpora: Path, name: str, shared: int) -> None:
    splits = {
        split: read_split(name, split, data_root=corpora, cache=corpora)
        for split in load_corpus(name).splits
    }
    report = check_splits(name, splits, Rejects())
    assert report.shared_sentences["test in any other"] == shared
