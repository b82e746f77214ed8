"""The annotator: order, offsets, filters, provenance."""

from collections.abc import Callable
from pathlib import Path

import pytest

from biobert import Annotator, Document
from biobert.core.document import Argument, Entity, Provenance, Relation
from biobert.core.errors import BadInputError, BiobertError
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.runtime.settings import RuntimeSettings
from tests.tiny import write_tiny_model_folder

TEXT = "Lithium caused cardiac arrest. Aspirin did not.\n\nBreast cancer and diabetes."


def test_annotations_are_of_the_text_and_carry_probabilities(annotator: Annotator) -> None:
    document = annotator.annotate(TEXT)
    assert document.text == TEXT
    assert document.entities
    for entity in document.entities:
        assert document.mention(entity) == TEXT[entity.start : entity.end]
        assert document.mention(entity).strip() == document.mention(entity)
        assert entity.score is not None
        assert 0.0 < entity.score <= 1.0


def test_no_mention_has_the_mark_of_its_item_or_goes_over_a_heading() -> None:
    items = "- asthma\n- diabetes mellitus\n2. breast cancer\n•\tchronic renal failure\n"
    text = f"Diagnosis\nhypertension\n\nlung\n\ncancer\n{items}"
    document = Annotator().annotate(text)
    found = {document.mention(one) for one in document.entities}
    wanted = {"hypertension", "asthma", "diabetes mellitus", "breast cancer"}
    assert wanted | {"chronic renal failure"} <= found
    assert not any("\n" in one or one[0] in "-•2" for one in found)


def test_a_stream_gives_what_single_calls_give(annotator: Annotator) -> None:
    texts = [TEXT, "", "   ", "Diabetes.", TEXT * 3]
    together = list(annotator.annotate_many(texts))
    for text, document in zip(texts, together, strict=True):
        alone = annotator.annotate(text)
        assert document.text == text
        assert [(e.start, e.end, e.label) for e in document.entities] == [
            (e.start, e.end, e.label) for e in alone.entities
        ]


def test_half_of_a_surrogate_pair_stops_nothing(tmp_path: Path) -> None:
    broken = "Aspirin \ud800 causes ulcers."
    annotator = Annotator()
    document = annotator.annotate(broken)
    assert document.text == "Aspirin \ufffd causes ulcers."
    assert {document.mention(one) for one in document.entities} == {"Aspirin", "ulcers"}
    assert annotator.annotate(Document("1", broken)) == document
    write_documents([document], tmp_path / "out.jsonl")
    (again,) = read_documents(tmp_path / "out.jsonl", None, Rejects())
    assert again.text == document.text


def test_a_stream_is_read_few_chunks_ahead(annotator: Annotator) -> None:
    taken = 0

    def endless():  # type: ignore[no-untyped-def]
        nonlocal taken
        while True:
            taken += 1
            yield "cancer. " * 10_000

    next(annotator.annotate_many(endless()))
    # Two texts are a chunk; one is decoded, one predicted, one encoded, one begun.
    assert taken < 8


def test_a_fault_in_the_stream_is_raised(annotator: Annotator) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield "Diabetes."
        raise BadInputError("the file ends here")

    with pytest.raises(BadInputError, match="ends here"):
        list(annotator.annotate_many(broken()))


def test_the_model_is_named_and_old_annotations_go(annotator: Annotator) -> None:
    given = Document(
        "7", TEXT, entities=(Entity(0, 7, "Old"),), provenance=Provenance(source="a.txt")
    )
    document = annotator.annotate(given)
    assert document.id == "7"
    assert document.provenance.source == "a.txt"
    assert document.provenance.model == "tiny"
    assert "Old" not in {entity.label for entity in document.entities}


def test_relations_and_labels_of_others_are_not_signed(annotator: Annotator) -> None:
    ends = (Argument("chemical", "mesh:D1", "concept"), Argument("disease", "mesh:D2", "concept"))
    relations = (Relation("CID", ends),)
    given = Document("7", TEXT, relations=relations, labels=("old",), label_scores={"old": 0.5})
    document = annotator.annotate(given)
    assert (document.relations, document.labels, document.label_scores) == ((), (), {})


def test_filters_keep_a_part(annotator: Annotator, exported_model: Path) -> None:
    everything = annotator.annotate(TEXT).entities
    middle = sorted(entity.score or 0 for entity in everything)[len(everything) // 2]
    sure = Annotator(exported_model, minimum_score=middle).annotate(TEXT).entities
    assert sure == tuple(entity for entity in everything if (entity.score or 0) >= middle)
    one = Annotator(exported_model, labels=["Disease"]).annotate(TEXT).entities
    assert one == tuple(entity for entity in everything if entity.label == "Disease")


def test_filters_keep_a_part_of_what_a_document_is_called(tmp_path: Path) -> None:
    """The entities that it brings are no answers."""
    many = {"labels": ["a", "b"], "choice": "many", "thresholds": {"a": 0.01, "b": 0.01}}
    folder = write_tiny_model_folder(tmp_path / "m", task="classification", others=many)
    given = Document("7", TEXT, entities=(Entity(0, 7, "Chemical", score=0.1),))
    scores = Annotator(folder).annotate(given).label_scores
    assert Annotator(folder).annotate(given).labels == ("a", "b")
    for filters, labels in (
        ({"labels": ["b"]}, ("b",)),
        ({"minimum_score": max(scores.values())}, (max(scores, key=scores.__getitem__),)),
        ({"minimum_score": 1.0}, ()),
    ):
        found = Annotator(folder, **filters).annotate(given)  # type: ignore[arg-type]
        assert (found.labels, found.entities) == (labels, given.entities)
    assert Annotator(folder, labels=["b"]).annotate(given).label_scores == {"b": scores["b"]}


def test_the_labels_of_all_parts_of_a_multitask_may_be_kept(tmp_path: Path) -> None:
    parts = {
        part: {"name": "ner", "labels": [label]}
        for part, label in (("one", "Disease"), ("two", "Chemical"))
    }
    folder = write_tiny_model_folder(tmp_path / "m", task="multitask", others={"parts": parts})
    found = Annotator(folder).annotate(TEXT).entities
    kept = Annotator(folder, labels=["Chemical"]).annotate(TEXT).entities
    assert kept == tuple(one for one in found if one.label == "Chemical") != ()
    with pytest.raises(BiobertError, match="Disease"):
        Annotator(folder, labels=["Desease"])


def test_the_fingerprint_tells_what_runs_the_model(
    annotator: Annotator, exported_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Annotator(exported_model).fingerprint == annotator.fingerprint
    exact = RuntimeSettings(precision="float32")
    assert Annotator(exported_model, settings=exact).fingerprint != annotator.fingerprint
    before = annotator.fingerprint
    monkeypatch.setattr("biobert.pipeline.annotator.__version__", "0")
    assert annotator.fingerprint != before


def test_wrong_calls_say_what_is_right(exported_model: Path) -> None:
    with pytest.raises(BiobertError, match="Disease"):
        Annotator(exported_model, labels=["Desease"])
    with pytest.raises(BadInputError, match="between 0 and 1"):
        Annotator(exported_model, minimum_score=1.5)
    with pytest.raises(BadInputError, match="tiny relates nothing"):
        Annotator(exported_model, minimum_relation_score=0.5)
    with pytest.raises(BadInputError, match="no such model folder: nowhere"):
        Annotator("nowhere")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda one: Annotator(labels="A, B"), ["labels='A, B'", "['A', 'B']"]),
        (lambda one: Annotator(terms={"Disease": "asthma"}), ["Disease", "'asthma'", "['asthma']"]),
        (lambda one: one.annotate(None), ["text 1 is None", "Document"]),
        (lambda one: one.annotate(["Aspirin."]), ["text 1 is ['Aspirin.']", "annotate_many"]),
        (lambda one: list(one.annotate_many(["a", b"b"])), ["text 2 is b'b'", "string"]),
        (lambda one: list(one.annotate_many("Aspirin.")), ["'Aspirin.'", "['Aspirin.']"]),
        (lambda one: list(one.annotate_many(Document("1", "a"))), ["Document", "list"]),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named_with_their_cure(
    call: Callable[[Annotator], object], words: list[str], annotator: Annotator
) -> None:
    with pytest.raises(BadInputError) as problem:
        call(annotator)
    assert all(word in str(problem.value) for word in words), problem.value
