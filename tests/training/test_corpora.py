"""Which documents of a corpus a recipe takes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.data.rejects import Rejects
from biobert.training.corpora import read_sources
from biobert.training.recipe import DataSource

LABELS = ("yes", "no", "maybe")
MANY = [
    Document(str(number), f"text {number}", labels=(LABELS[number % 3],)) for number in range(60)
]


def taken(folder: Path, documents: list[Document] = MANY, **settings: object) -> list[Document]:
    """What a source with these settings takes of the documents."""
    path = folder / "corpus.jsonl"
    write_documents(documents, path, "jsonl")
    source = DataSource(str(path), **settings)  # type: ignore[arg-type]
    (found,) = read_sources([source], CorpusPlaces(folder), rejects=Rejects()).values()
    return found


def test_so_many_documents_of_each_label_are_drawn(tmp_path: Path) -> None:
    found = taken(tmp_path, per_label=4)
    assert Counter(one.labels for one in found) == {(label,): 4 for label in LABELS}
    numbers = [int(one.id) for one in found]
    assert numbers == sorted(numbers)


def test_a_draw_is_the_same_whatever_the_order_and_another_draw_differs(tmp_path: Path) -> None:
    first = {one.id for one in taken(tmp_path, per_label=4)}
    assert {one.id for one in taken(tmp_path, MANY[::-1], per_label=4)} == first
    draws = [{one.id for one in taken(tmp_path, per_label=4, draw=number)} for number in range(5)]
    assert draws[0] == first
    assert len({frozenset(one) for one in draws}) == 5
    # More documents of a draw hold the fewer ones.
    assert first < {one.id for one in taken(tmp_path, per_label=8)}


def test_labels_count_as_they_are_renamed(tmp_path: Path) -> None:
    found = taken(tmp_path, per_label=5, rename={"maybe": "no"})
    assert Counter(one.labels for one in found) == {("yes",): 5, ("no",): 5}


def test_a_label_to_rename_that_the_corpus_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"to rename 'maybee'; did you mean 'maybe'"):
        taken(tmp_path, rename={"maybee": "no"})


def test_documents_are_taken_by_what_their_metadata_say(tmp_path: Path) -> None:
    documents = [
        replace(one, metadata={"type": "yesno" if int(one.id) % 2 else "list"}) for one in MANY
    ]
    found = taken(tmp_path, documents, where={"type": "yesno"})
    assert [int(one.id) for one in found] == list(range(1, 60, 2))
    with pytest.raises(BadInputError, match=r"where type=yes; there is type=list, type=yesno"):
        taken(tmp_path, documents, where={"type": "yes"})
    with pytest.raises(BadInputError, match=r"where kind=yesno; there is no such metadata"):
        taken(tmp_path, documents, where={"kind": "yesno"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"per_label": 21}, "per_label = 21, but there are only 20 documents with the label 'yes'"),
        ({"per_label": 0}, "per_label = 0: at least 1"),
        ({"draw": 2}, "draw = 2 needs per_label"),
        ({"share": 1e-9}, "share = 1e-09 takes none of"),
    ],
)
def test_draws_that_cannot_be_are_named(
    settings: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=words):
        taken(tmp_path, **settings)


@pytest.mark.parametrize("labels", [(), ("yes", "no")])
def test_documents_without_one_label_cannot_be_drawn(
    labels: tuple[str, ...], tmp_path: Path
) -> None:
    documents = [*MANY, Document("odd", "text", labels=labels)]
    with pytest.raises(BadInputError, match=rf"document 'odd' has {len(labels)}; use share"):
        taken(tmp_path, documents, per_label=2)
