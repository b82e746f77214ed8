"""A build gives the same bytes whatever runs it: what is kept of the sources, and what is not."""

import hashlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.data.building import CorpusSettings
from biobert.data.catalogue import load_corpus
from biobert.data.cleaning import FilterSettings
from biobert.data.contamination import catalogued_test_splits
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.data.shards import TokenCorpus, open_corpus
from biobert.text.sentences import sentences_of
from tests.data.articles import jats, prose, pubmed
from tests.data.built import EXACT, SMALL, build, checksums, identifiers
from tests.tiny import tiny_tokenizer


def sentences(corpus: TokenCorpus) -> list[list[int]]:
    found = []
    for number in range(len(corpus.shards)):
        shard = corpus.load(number)
        ends = [0, *shard.sentence_ends.tolist()]
        found += [shard.tokens[a:b].tolist() for a, b in pairwise(ends)]
    return found


def test_documents_become_the_ids_of_their_sentences_in_order(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    for number in range(3):
        (place / f"{number}.txt").write_text(f"{prose(number)}\n\n{prose(number + 50)}")
    build(place, tmp_path / "out", settings=CorpusSettings(heldout_share=0.0))
    corpus = open_corpus(tmp_path / "out")
    texts = []
    for number in range(3):
        document = Document("", f"{prose(number)}\n\n{prose(number + 50)}")
        texts += [document.text[one.start : one.end] for one in sentences_of(document)]
    expected = [one.ids.tolist() for one in tiny_tokenizer().pieces(texts)]
    assert sentences(corpus) == expected
    shard = corpus.load(0)
    assert shard.document_ends.tolist() == [8, 16, 24]
    assert shard.tokens.dtype == np.uint16
    assert [one["id"] for one in corpus.document_records(0)] == ["0", "1", "2"]
    manifest = corpus.manifest
    assert manifest.tokenizer == tiny_tokenizer().fingerprint()
    assert manifest.total("train", "text_bytes") == sum(map(len, texts))


def test_the_manifest_tells_all_and_nothing_of_the_machine(folder: Path, tmp_path: Path) -> None:
    rejects = Rejects()
    manifest = build(folder, tmp_path / "out", rejects=rejects)
    kept = sum(shard.documents for shard in manifest.shards)
    assert manifest.rejects == {"duplicate, exact": 1, "too short": 1, "not a document": 1}
    assert rejects.count == 3
    assert kept == 25 + 40 + 1 == sum(manifest.licences.values())
    assert manifest.licences == {"cc-by": 25, "unknown": 41}
    assert [one["name"] for one in manifest.sources][:2] == ["in/a.tar.gz", "in/b.xml"]
    for one in manifest.sources:
        path = folder / one["name"].removeprefix("in/")
        assert one["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(tmp_path) not in (tmp_path / "out" / "manifest.json").read_text()
    assert len([one for one in manifest.shards if one.split == "train"]) > 2
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_workers_changes_nothing(folder: Path, tmp_path: Path, workers: int) -> None:
    alone, many = Rejects(), Rejects()
    build(folder, tmp_path / "one", rejects=alone)
    build(folder, tmp_path / "many", workers=workers, rejects=many)
    assert checksums(tmp_path / "one") == checksums(tmp_path / "many")
    assert alone.kept == many.kept


def test_the_same_documents_are_held_out_whatever_their_order_and_tokenizer(
    folder: Path, tmp_path: Path
) -> None:
    names = sorted(str(path) for path in folder.iterdir())
    build(folder, tmp_path / "a", names=names)
    build(folder, tmp_path / "b", names=names[::-1])
    held = set(identifiers(tmp_path / "a", "heldout"))
    assert 3 <= len(held) <= 30
    assert held - {"c", "d"} == set(identifiers(tmp_path / "b", "heldout")) - {"c", "d"}
    assert not held & set(identifiers(tmp_path / "a", "train"))
    build(folder, tmp_path / "c", names=names, settings=replace(SMALL, seed=2))
    assert set(identifiers(tmp_path / "c", "heldout")) != held


def test_near_duplicates_go_and_can_be_kept(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.txt").write_text(prose(1, 60))
    (place / "b.txt").write_text(prose(1, 59) + " It is an other end.")
    (place / "c.txt").write_text(prose(2, 60))
    assert build(place, tmp_path / "out").rejects == {"duplicate, near": 1}
    assert sorted(identifiers(tmp_path / "out")) == ["a", "c"]
    kept = build(place, tmp_path / "all", settings=CorpusSettings(duplicates=EXACT))
    assert kept.rejects == {}


def test_deleted_citations_are_dropped_wherever_the_deletion_stands(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.xml").write_text(pubmed([1, 2, 3]))
    (place / "b.xml").write_text(pubmed([4], deleted=(2, 99)))
    manifest = build(place, tmp_path / "out")
    assert sorted(identifiers(tmp_path / "out")) == ["1", "3", "4"]
    assert manifest.rejects == {"deleted citation": 1}


def test_documents_of_test_splits_are_left_out_and_training_splits_live(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    shared = [prose(number, 1) for number in range(3)]
    corpus = load_corpus("NCBI-disease")

    def conll(texts: list[str]) -> str:
        return "\n".join("".join(f"{word}\tO\n" for word in one.split()) for one in texts)

    for split, texts in (
        ("test", shared),
        ("train", [*shared, *(prose(number, 1) for number in range(10, 30))]),
    ):
        path = place / corpus.splits[split].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(conll(texts) + "\n")
    whole, once = place / "whole.txt", place / "once.txt"
    whole.write_text(f"{shared[0]} {prose(40)} {shared[1]}")
    once.write_text(f"{shared[0]} {prose(50)}")
    splits = catalogued_test_splits(CorpusPlaces(place, place))
    names = [str(whole), str(once), "NCBI-disease:train"]
    manifest = build(place, tmp_path / "out", names=names, test_splits=splits)
    assert manifest.rejects == {"test split of NCBI-disease": 1}
    assert manifest.removed == {"test sentence of NCBI-disease": 4}
    assert sorted(identifiers(tmp_path / "out")) == ["once", "train-1"]
    assert "BC5CDR" in manifest.absent_test_splits
    found = [
        tuple(one)
        for split in ("train", "heldout")
        for one in sentences(open_corpus(tmp_path / "out", split))
    ]  # type: ignore[arg-type]
    assert len(found) == 4 + 20
    assert not set(found) & {tuple(one.ids) for one in tiny_tokenizer().pieces(shared)}
    kept = build(place, tmp_path / "all", names=names)
    assert kept.rejects == {} and kept.removed == {}


def test_licences_are_filtered_and_counted(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    licences = ["http://creativecommons.org/licenses/by/4.0/"] * 2 + ["Some terms", ""]
    for number, licence in enumerate(licences):
        (place / f"{number}.nxml").write_text(jats(number, licence=licence))
    settings = replace(SMALL, filter=FilterSettings(licences=("cc-by", "unknown")))
    manifest = build(place, tmp_path / "out", settings=settings)
    assert manifest.licences == {"cc-by": 2, "unknown": 1}
    assert manifest.rejects == {"licence other": 1}
