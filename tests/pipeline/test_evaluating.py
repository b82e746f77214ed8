"""A model on a test set: what a caller told the annotator, and corpora of different types."""

from dataclasses import replace
from pathlib import Path

import pytest

from biobert import Annotator, CorpusPlaces, Document, Entity
from biobert.core.document import Span
from biobert.core.errors import BadInputError
from biobert.data.reading import write_documents
from biobert.pipeline import evaluating
from biobert.pipeline.comparing import compare
from biobert.pipeline.diagnosing import diagnose
from biobert.pipeline.evaluating import answered, evaluate
from biobert.pipeline.load import load_model
from tests.tiny import write_tiny_model_folder

TEXT = "Lithium caused cardiac arrest. Aspirin did not, nor did the breast cancer."
PARTS = {
    "names": {"name": "ner", "labels": ["Disease", "Chemical"]},
    "topics": {"name": "classification", "labels": ["heart", "cancer"]},
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "both"
    return write_tiny_model_folder(folder, task="multitask", others={"parts": PARTS})


@pytest.fixture
def places(tmp_path: Path) -> CorpusPlaces:
    return CorpusPlaces(tmp_path / "cache")


def test_a_part_is_evaluated_with_all_that_its_annotator_was_told(
    both: Path, tmp_path: Path, places: CorpusPlaces
) -> None:
    gold = Document("1", TEXT, annotated_labels=("Disease", "Chemical"))
    corpus = tmp_path / "test.jsonl"
    write_documents([gold], corpus, "jsonl")
    watched: list[Document] = []
    alone = Annotator(load_model(both).part("names")).annotate(TEXT).entities
    middle = sorted(one.score or 0.0 for one in alone)[len(alone) // 2]
    annotator = Annotator(
        both, minimum_score=middle, labels=["Disease", "heart"], watch=watched.append
    )
    report = evaluate(annotator, evaluating.TestSet(str(corpus), part="names"), places)
    kept = [one for one in alone if one.label == "Disease" and (one.score or 0.0) >= middle]
    assert report.errors is not None
    assert 0 < report.errors.counts["spurious"] == len(kept) < len(alone)
    assert len(watched) == 1
    assert annotator.part("names").labels == {"Disease"}
    assert annotator.part(None) is annotator


def test_labels_that_a_part_lacks_are_refused(both: Path) -> None:
    with pytest.raises(BadInputError, match="unknown label 'heart'"):
        Annotator(both, labels=["heart"]).part("names")


def mixed(folder: Path, model: Path) -> tuple[Path, list[Document]]:
    """Two documents that are annotated for a type each, as the model itself answers."""
    documents = [
        Document(str(number), f"{TEXT} {number}", sentences=(Span(0, len(TEXT) + 2),))
        for number in range(2)
    ]
    predicted = list(Annotator(model).annotate_many(documents))
    gold = [
        replace(
            one.with_entities(one.entities_labelled([label])),
            annotated_labels=(label,),
            provenance=documents[0].provenance,
        )
        for one, label in zip(predicted, ("Disease", "Chemical"), strict=True)
    ]
    pairs = zip(gold, predicted, strict=True)
    assert all(len(one.entities) < len(other.entities) for one, other in pairs)
    write_documents(gold, folder / "test.jsonl", "jsonl")
    return folder / "test.jsonl", gold


def test_documents_annotated_for_a_type_each_are_scored_by_it(
    tiny_model: Path, tmp_path: Path, places: CorpusPlaces
) -> None:
    corpus, gold = mixed(tmp_path, tiny_model)
    for labels in (None, ("Disease",), ("Chemical", "Disease")):
        test_set = evaluating.TestSet(str(corpus), labels=labels)
        report = evaluate(Annotator(tiny_model), test_set, places)
        assert report.scores.main == 1.0
        assert report.errors is not None
        assert report.errors.counts["spurious"] == report.errors.counts["missed"] == 0
        found = diagnose(Annotator(tiny_model), test_set, places)
        assert found.score == 1.0
        assert found.errors is not None and found.errors.counts["spurious"] == 0
        # What a document does not say is no label that could look wrong.
        if labels == ("Disease",):
            assert {one.document for one in found.suspects} <= {gold[0].id}
    result = compare(
        (str(tiny_model), str(tiny_model)), evaluating.TestSet(str(corpus)), places, samples=5
    )
    assert (result.first_score, result.second_score) == (1.0, 1.0)


def test_answers_say_how_long_they_took(tiny_model: Path) -> None:
    found = answered(Annotator(tiny_model), [Document("1", TEXT, entities=(Entity(0, 7, "X"),))])
    assert found.seconds > 0
    assert found.scores().micro.support == 0
