"""Splits picked out of a file: the same ones everywhere, and each document in one of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.data.catalogue import (
    Corpus,
    CorpusFile,
    documents_in,
    find_split,
    load_corpus,
    local_split,
    read_split,
)
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.data.splits import documents_of, place_by_chance


def identifiers(documents: Sequence[Document], **chosen: Sequence[object]) -> list[str]:
    return [one.id for one in documents_of(documents, **chosen)]  # type: ignore[arg-type]


def test_a_document_keeps_its_place_on_every_machine_and_in_every_release() -> None:
    # Another number here would mix the test sets of models that were trained before.
    assert place_by_chance("11724768") == pytest.approx(PLACE_OF_11724768, abs=1e-15)
    assert place_by_chance("") == pytest.approx(PLACE_OF_NOTHING, abs=1e-15)
    assert 0 <= place_by_chance("\ud800") < 1


PLACE_OF_11724768 = 0.8370084941730144
PLACE_OF_NOTHING = 0.8931675160897388


@given(st.sets(st.text(max_size=12), max_size=60))
def test_shares_part_all_documents_between_them(names: set[str]) -> None:
    documents = [Document(name, "x") for name in sorted(names)]
    shares = [(0.0, 0.7), (0.7, 0.8), (0.8, 1.0)]
    parts = [identifiers(documents, share=share) for share in shares]
    assert sorted(name for part in parts for name in part) == sorted(names)


def test_shares_are_about_as_large_as_they_say() -> None:
    documents = [Document(str(number), "x") for number in range(10_000)]
    assert len(identifiers(documents, share=(0.8, 1.0))) == pytest.approx(2000, abs=150)


def test_parts_are_those_that_the_documents_name() -> None:
    documents = [
        Document(str(place), "x", metadata={"split": split} if split else {})
        for place, split in enumerate(("a", "b", "c", "a", ""))
    ]
    assert identifiers(documents, parts=("a", "c")) == ["0", "2", "3"]
    assert identifiers(documents) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("share", [(0.5,), (0.5, 0.5), (0.7, 0.2), (-0.1, 0.5), (0.5, 1.5)])
def test_shares_that_are_none_are_refused(share: tuple[float, ...]) -> None:
    with pytest.raises(BadInputError, match="two rising numbers from 0 to 1"):
        identifiers([Document("1", "x")], share=share)


def corpus(folder: Path, **changes: object) -> Corpus:
    lines = [{"id": str(n), "text": "x", "metadata": {"split": "ab"[n % 2]}} for n in range(20)]
    (folder / "all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    row = Corpus("own", "Own", "classification", "CC0", "none", format="jsonl")
    return replace(row, **changes)  # type: ignore[arg-type]


def test_a_catalogued_split_is_a_part_or_a_share_of_its_file(tmp_path: Path) -> None:
    row = corpus(
        tmp_path,
        splits={
            "train": CorpusFile("all.jsonl", part=("b",), share=(0.0, 0.5)),
            "test": CorpusFile("all.jsonl", part=("b",), share=(0.5, 1.0)),
        },
    )
    found = []
    for split in row.splits:
        place = find_split(row, split, CorpusPlaces(tmp_path, tmp_path))
        found += documents_in(row, split, place, Rejects())
    assert sorted(int(one.id) for one in found) == list(range(1, 20, 2))
    assert [place_by_chance(one.id) < 0.5 for one in found] == sorted(
        (place_by_chance(one.id) < 0.5 for one in found), reverse=True
    )


def test_a_split_is_here_where_all_files_that_are_read_with_it_are(tmp_path: Path) -> None:
    row = corpus(
        tmp_path,
        splits={"test": CorpusFile("all.jsonl")},
        files={"answers": CorpusFile("answers.txt")},
        obtain="ask its authors",
    )
    places = CorpusPlaces(tmp_path / "none", tmp_path)
    assert local_split(row, "test", places) is None
    with pytest.raises(BadInputError, match=r"ask its authors; put its file at .*answers\.txt"):
        find_split(row, "test", places)
    (tmp_path / "answers.txt").write_text("1")
    place = local_split(row, "test", places)
    assert place is not None
    assert place.beside == {"answers": tmp_path / "answers.txt"}
    with pytest.raises(BadInputError, match=r"'jsonl' cannot be read with other files.*pubmedqa"):
        documents_in(row, "test", place, Rejects())


def test_a_pair_corpus_of_a_row_is_read_with_the_rows_labels(tmp_path: Path) -> None:
    path = tmp_path / load_corpus("MedNLI").splits["train"].path
    path.parent.mkdir(parents=True)
    path.write_text('{"sentence1": "He is ill.", "sentence2": "He is.", "gold_label": "neutral"}')
    (found,) = read_split("MedNLI", "train", CorpusPlaces(tmp_path, tmp_path))
    assert found.labels == ("neutral",)
    assert [passage.kind for passage in found.passages] == ["sentence1", "sentence2"]
