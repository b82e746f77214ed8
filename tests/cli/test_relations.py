"""Relations through the command line: train, score, relate what a tagger finds."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from biobert import Annotator
from biobert.core.document import Argument, Document, Entity, Relation
from biobert.core.errors import BadInputError
from biobert.core.task import Outputs, Window
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.pipeline import annotator as annotator_module
from biobert.pipeline.annotator import Refused
from biobert.pipeline.load import load_model
from biobert.tasks import relations
from tests.cli.calling import call, trained
from tests.tiny import write_tiny_encoder_folder, write_tiny_model_folder

DRUGS, DISEASES = ("lithium", "aspirin"), ("cancer", "diabetes")
RECIPE = """name = "toy-relations"
[task]
name = "relations"
labels = ["CAUSES", "TREATS"]
pairs = [["Chemical", "Disease"]]
marking = "{marking}"
[model]
encoder = "{encoder}"
[data]
train = [{{ corpus = "{corpus}" }}]
devel = [{{ corpus = "{corpus}" }}]
[optimizer]
learning_rate = 5e-3
[batches]
tokens = 256
[run]
epochs = 25
"""
TEXT = "Lithium and cardiac arrest. Aspirin the cancer and diabetes."


def sentence(number: int, drug: str, disease: str, word: str) -> Document:
    """`and` says that the drug causes the disease, `the` that it treats it."""
    text = f"{drug} {word} {disease}"
    entities = (
        Entity(0, len(drug), "Chemical", id="T1"),
        Entity(len(text) - len(disease), len(text), "Disease", id="T2"),
    )
    label = "CAUSES" if word == "and" else "TREATS"
    relation = Relation(label, (Argument("Chemical", "T1"), Argument("Disease", "T2")))
    return Document(str(number), text, entities=entities, relations=(relation,))


@pytest.fixture(scope="module", params=["markers", "anonymous"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that has learnt what both words mean."""
    folder = tmp_path_factory.mktemp("relations")
    sentences = [
        sentence(number, drug, disease, word)
        for number in range(4)
        for drug in DRUGS
        for disease in DISEASES
        for word in ("and", "the")
    ]
    write_documents(sentences, folder / "toy.jsonl", "jsonl")
    encoder = write_tiny_encoder_folder(folder / "encoder", dropout=0.0)
    text = RECIPE.format(encoder=encoder, corpus=folder / "toy.jsonl", marking=request.param)
    found = trained(folder, text)
    assert found.json["data"]["metrics"]["devel"] == 1.0
    return folder / "model"


def test_what_was_learnt_can_be_scored(model: Path) -> None:
    scored = call("evaluate", model, model.with_name("toy.jsonl"), "--json")
    assert scored.code == 0, scored.err
    scores = scored.json["data"]["scores"]
    assert scores["micro"]["f1"] == 1.0
    assert scores["by_label"]["CAUSES"]["support"] == 16
    assert scores["uncovered"] == 0


def test_relations_of_found_entities_are_in_every_format_that_holds_them(
    model: Path, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    formats = ("jsonl", "bioc-xml", "bioc-json", "brat", "pubtator", "html")
    chosen = [word for format in formats for word in ("--to", format)]
    found = call(
        "annotate", tmp_path / "a.txt", "--model", tiny_model, "--relations", model,
        "--output", tmp_path / "out", *chosen, "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    data = found.json["data"]
    count = sum(data["relations"].values())
    assert count > 0
    assert data["model"] == "tiny 1 + toy-relations 1"
    by_format = dict(zip(formats, data["outputs"], strict=True))
    for format in formats[:4]:
        (document,) = read_documents(by_format[format], format, Rejects())
        assert len(document.relations) == count
        labels = {entity.id: entity.label for entity in document.entities}
        for relation in document.relations:
            ends = [labels[argument.target] for argument in relation.arguments]
            assert ends == ["Chemical", "Disease"]
    (document,) = read_documents(by_format["jsonl"], "jsonl", Rejects())
    for relation in document.relations:
        assert 0.5 <= (relation.score or 0) <= 1.0
        (span,) = relation.evidence
        assert TEXT[span.start : span.end].endswith(".")
    assert document.provenance.model == "tiny + toy-relations"
    lines = Path(by_format["pubtator"]).read_text().splitlines()
    labels = {"CAUSES", "TREATS"}
    assert sum(line.split("\t")[1] in labels for line in lines if "\t" in line) == count
    assert Path(by_format["html"]).read_text().count("<li>") == count


def test_the_summary_shows_relations_and_what_says_so(
    model: Path, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    found = call("annotate", tmp_path / "a.txt", "--model", tiny_model, "--relations", model)
    assert found.code == 0, found.err
    assert "relations: " in found.out
    assert any(label in found.out for label in ("CAUSES: ", "TREATS: "))
    none = call(
        "annotate", tmp_path / "a.txt", "--model", tiny_model, "--relations", model,
        "--min-relation-score", "1.0", "--json",
    )  # fmt: skip
    assert none.json["data"]["relations"] == {}


def test_a_document_with_too_many_pairs_is_refused_and_the_others_go_on(
    model: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = Annotator(tiny_model, relations=model)
    pairs = len(annotator.annotate(TEXT[:27]).relations)
    monkeypatch.setattr(relations, "MOST_PAIRS", pairs)
    given = [Document("few", TEXT[:27]), Document("many", TEXT * 9), Document("none", "")]
    ((few, many, none),) = annotator.annotate_chunks(given)
    assert isinstance(few, Document)
    assert isinstance(none, Document)
    assert isinstance(many, Refused)
    assert many.document.id == "many"
    assert str(many.problem).startswith(f"document 'many': more than {pairs} pairs")
    with pytest.raises(BadInputError, match="that may be related"):
        list(annotator.annotate_many(given))


def test_the_parts_of_a_multitask_find_what_is_related(model: Path, tmp_path: Path) -> None:
    parts = {label: {"name": "ner", "labels": [label]} for label in ("Chemical", "Disease")}
    tagger = write_tiny_model_folder(tmp_path / "m", task="multitask", others={"parts": parts})
    assert Annotator(tagger, relations=model).relations is not None
    with pytest.raises(BadInputError, match="the entities found are Chemical"):
        Annotator(tagger, relations=model, labels=["Chemical"])


def test_few_pairs_are_in_memory_at_once(
    model: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, rows = load_model(model), []

    class Counting:
        def predict(self, windows: Sequence[Window]) -> list[Outputs]:
            rows.append(len(windows))
            return loaded.predictor.predict(windows)

    annotator = Annotator(tiny_model, relations=replace(loaded, predictor=Counting()))

    def labels() -> list[list[str]]:
        found = annotator.annotate_many([TEXT, "", TEXT[:27], TEXT])
        return [[one.label for one in document.relations] for document in found]

    expected = labels()
    monkeypatch.setattr(annotator_module, "PAIRS_AT_ONCE", 1)
    assert labels() == expected
    assert len(rows) > 3 and sum(rows[1:]) == rows[0] and max(rows[1:]) < rows[0]


def test_relations_can_be_found_between_given_entities(model: Path) -> None:
    given = sentence(1, "aspirin", "cancer", "and")
    (relation,) = Annotator(model).annotate(given).relations
    assert relation.label == "CAUSES"
    assert Annotator(model, labels=["TREATS"]).annotate(given).relations == ()
    assert Annotator(model, labels=["TREATS"]).annotate(given).entities == given.entities
    assert Annotator(model, minimum_score=1.0).annotate(given).relations == ()
    assert Annotator(model, minimum_relation_score=1.0).annotate(given).relations == ()


def test_a_text_without_entities_to_relate_is_told(model: Path) -> None:
    for text, options in (("aspirin and cyclo", ()), (TEXT, ("--json",))):
        found = call("annotate", "-", "--model", model, *options, stdin=text)
        assert found.code == 0, found.err
        said = found.json["data"]["unrelated"] if options else found.out.replace("\n", " ")
        assert "and the texts have no such entities" in said and "--relations" in said


def test_exported_models_relate_alike(model: Path, tmp_path: Path) -> None:
    given = sentence(1, "lithium", "diabetes", "the")
    exported = call("export", model, "--output", tmp_path / "exported", "--weights", "float32")
    assert exported.code == 0, exported.err
    one = Annotator(model).annotate(given).relations[0]
    other = Annotator(tmp_path / "exported").annotate(given).relations[0]
    assert one.label == other.label == "TREATS"
    assert one.score == pytest.approx(other.score, abs=0.02)


def test_what_does_not_fit_together_is_said(model: Path, tiny_model: Path) -> None:
    with pytest.raises(BadInputError, match="a model for 'ner', not for relations"):
        Annotator(tiny_model, relations=tiny_model)
    with pytest.raises(BadInputError, match="relates Chemical and Disease; the entities found are"):
        Annotator(tiny_model, labels=["Disease"], relations=model)
    with pytest.raises(BadInputError, match="not between 0 and 1"):
        Annotator(tiny_model, relations=model, minimum_relation_score=2.0)


def test_relations_of_other_makers_go_with_their_mentions(tiny_model: Path, tmp_path: Path) -> None:
    write_documents([sentence(1, "aspirin", "cancer", "and")], tmp_path / "a.jsonl")
    found = call(
        "annotate", tmp_path / "a.jsonl", "--model", tiny_model, "-o", "-", "--to", "jsonl"
    )
    assert "relations" not in json.loads(found.out)
