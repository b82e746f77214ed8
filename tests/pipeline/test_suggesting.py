"""What to label next: the least sure, the most different, none twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.annotate import Answer
from biobert.core.document import Document, Provenance, Span
from biobert.core.errors import BadInputError
from biobert.core.passages import pair_document
from biobert.core.version import __version__
from biobert.data.rejects import Rejects
from biobert.pipeline.load import LoadedModel, load_model
from biobert.pipeline.suggesting import CERTAINTY, SuggestionSettings, choose, diverse, suggest
from biobert.runtime.settings import RuntimeSettings
from tests.tiny import write_tiny_model_folder

TOPICS = ("lithium caused cardiac arrest", "the breast cancer grew", "no diabetes was found")


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> LoadedModel:
    return load_model(tiny_model, RuntimeSettings(engine="torch"))


def texts() -> list[Document]:
    return [
        Document(f"d{number}", f"In case {number} {topic}. Again {number} {topic}.")
        for topic in TOPICS
        for number in range(8)
    ]


def test_the_least_sure_sentences_come_first(model: LoadedModel) -> None:
    found = suggest(texts(), model, SuggestionSettings(5, by="uncertainty"))
    assert found.considered == 48
    certainties = [float(one.metadata[CERTAINTY]) for one in found.documents]
    assert certainties == sorted(certainties)
    least = sorted(one.certainty for one in model.answered(texts()))[:5]
    assert certainties == pytest.approx(least, abs=1e-4)
    for one in found.documents:
        assert one.sentences == (Span(0, len(one.text)),)
        assert one.provenance == model.provenance("")
        assert one.provenance.version.endswith(f"(biobert {__version__})")


def test_pre_annotations_are_those_of_the_whole_document(model: LoadedModel) -> None:
    (document,) = texts()[:1]
    (whole,) = model.annotated([document])
    found = suggest([document], model, SuggestionSettings(9, by="uncertainty")).documents
    mentions = sorted(one.mention(entity) for one in found for entity in one.entities)
    assert mentions == sorted(map(whole.mention, whole.entities))
    assert mentions


def test_what_is_labelled_or_came_before_is_not_suggested(model: LoadedModel) -> None:
    documents = texts()
    twice = [*documents, *(replace(one, id="again") for one in documents)]
    settings = SuggestionSettings(100, by="uncertainty")
    found = suggest(twice, model, settings, labelled=documents[:8])
    assert found.considered == 32
    assert len(found.documents) == 32
    assert not any(TOPICS[0] in one.text for one in found.documents)


def test_what_the_task_cannot_read_is_set_aside(tmp_path: Path) -> None:
    settings = {"labels": ["a", "b"], "passages": ["first", "second"]}
    folder = write_tiny_model_folder(tmp_path / "m", task="classification", others=settings)
    pairs = [pair_document(str(number), f"lithium {number}", "aspirin") for number in range(3)]
    alone = Document("alone", "diabetes", provenance=Provenance(source="in/some.txt"))
    rejects = Rejects()
    found = suggest(
        [pairs[0], alone, *pairs[1:]],
        load_model(folder, RuntimeSettings(engine="torch")),
        SuggestionSettings(9, by="uncertainty"),
        rejects=rejects,
    )
    assert {one.id for one in found.documents} == {"0", "1", "2"}
    (reject,) = rejects.kept
    assert (reject.file, reject.place) == ("some.txt", "alone")
    assert "needs a passage 'first'" in reject.reason


def test_diversity_takes_one_of_each_kind() -> None:
    some = [f"{topic} {number}" for topic in TOPICS for number in range(10)]
    chosen = diverse(some, count=3, seed=1)
    assert {number // 10 for number in chosen} == {0, 1, 2}
    assert chosen == diverse(some, count=3, seed=1)
    assert sorted(diverse(some, count=29, seed=1)) != list(range(30))
    assert len(set(diverse(some, count=29, seed=1))) == 29
    assert diverse(["a", "b"], count=5, seed=1) == [0, 1]


def test_both_looks_for_diversity_among_the_least_sure() -> None:
    answers = [
        Answer(Document(str(number), f"{TOPICS[number % 3]} {number}"), certainty=number / 40)
        for number in range(40)
    ]
    chosen = choose(answers, SuggestionSettings(3, by="both"))
    assert {number % 3 for number in chosen} == {0, 1, 2}
    assert max(chosen) < 15
    assert choose(answers, SuggestionSettings(3, by="uncertainty")) == [0, 1, 2]
    with pytest.raises(BadInputError, match="--count 0"):
        SuggestionSettings(0)
