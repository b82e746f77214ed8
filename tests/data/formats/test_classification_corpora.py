"""The real corpora of classification have the counts that are published, or documented here."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.data.catalogue import load_corpus, read_split
from biobert.data.formats.hoc import HALLMARKS
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects

Splits = Callable[[str], dict[str, list[Document]]]


@pytest.fixture(scope="module")
def splits_of(corpora: Path) -> Iterator[Splits]:
    known: dict[str, dict[str, list[Document]]] = {}

    def go(name: str) -> dict[str, list[Document]]:
        if name not in known:
            known[name] = {
                split: read_split(name, split, CorpusPlaces(corpora, corpora))
                for split in load_corpus(name).splits
            }
        return known[name]

    yield go


def labels(documents: list[Document]) -> Counter[str]:
    return Counter(label for one in documents for label in one.labels)


@pytest.mark.data
def test_hoc_is_read_whole_and_each_abstract_has_one_split(splits_of: Splits) -> None:
    splits = splits_of("HoC")
    identifiers = [one.id for some in splits.values() for one in some]
    assert len(identifiers) == len(set(identifiers)) == 1852
    assert {split: len(some) for split, some in splits.items()} == {
        "train": 1328,
        "devel": 166,
        "test": 358,
    }
    everything = [one for some in splits.values() for one in some]
    assert sum(len(one.sentences) for one in everything) == 17464
    assert labels(everything)["Resisting cell death"] == 429
    assert set(labels(splits["test"])) == set(HALLMARKS)


@pytest.mark.data
def test_pubmedqa_has_the_published_test_set_and_folds(splits_of: Splits, corpora: Path) -> None:
    splits = splits_of("PubMedQA")
    published = json.loads((corpora / "qa/PubMedQA/test_ground_truth.json").read_text())
    assert {one.id: one.labels[0] for one in splits["test"]} == published
    folds = [splits[f"fold-{number}"] for number in range(10)]
    assert [len(fold) for fold in folds] == [50] * 10
    assert [one.id for one in splits["devel"]] == [
        one.id for one in splits["devel"] if one in folds[0] + folds[1]
    ]
    numbers = [{one.id for one in some} for some in (*folds, splits["test"])]
    assert len(set.union(*numbers)) == sum(map(len, numbers)) == 1000
    everything = [one for name in ("train", "devel", "test") for one in splits[name]]
    assert labels(everything) == {"yes": 552, "no": 338, "maybe": 110}


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("evidence-inference", {"train": 2800, "devel": 342, "test": 363}),
        pytest.param(
            "evidence-inference-abstracts",
            {"train": 1790, "devel": 218, "test": 237},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_evidence_is_split_by_article(splits_of: Splits, name: str, sizes: dict[str, int]) -> None:
    splits = splits_of(name)
    assert {split: len(some) for split, some in splits.items()} == sizes
    articles = [{one.metadata["pmc"] for one in some} for some in splits.values()]
    assert all(not one & other for one, other in [*pairwise(articles), (articles[0], articles[2])])
    assert set(labels(splits["test"])) == set(load_corpus(name).labels)


@pytest.mark.data
def test_what_is_set_aside_of_the_evidence_is_counted(corpora: Path) -> None:
    rejects = Rejects()
    places = CorpusPlaces(corpora, corpora)
    read_split("evidence-inference-abstracts", "test", places, rejects=rejects)
    assert rejects.reasons == {
        "label refused by the verifier": 331,
        "evidence refused by the verifier": 72,
        "annotators divided": 18,
        "no abstract": 142,
    }
