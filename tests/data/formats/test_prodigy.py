"""Prodigy's tasks: what annotators accepted is read, the rest is set aside."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biobert.core.document import Argument, Document, Entity, Relation, RelationEnds
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects

DOCUMENT = Document(
    "d:0-14",
    "Aspirin helps.",
    entities=(Entity(0, 7, "Drug", score=0.4),),
    labels=("pain",),
    metadata={"certainty": "0.4000"},
)
TEXT = "Colistin eases pain, p53-null or not."
DRUG, SIGN = {"start": 0, "end": 8, "label": "Drug"}, {"start": 15, "end": 19, "label": "Sign"}
GENE = {"start": 21, "end": 24, "label": "Gene"}
RELATED = {
    "text": TEXT,
    "tokens": [{"text": "Colistin", "start": 0, "end": 8, "id": 0, "ws": True}],
    "spans": [{**GENE, "token_start": 4, "token_end": 4}, SIGN, {**SIGN, "label": "Word"}, DRUG],
    "relations": [
        {"head": 0, "child": 2, "label": "EASES", "head_span": DRUG, "child_span": SIGN},
        {
            "head": 2,
            "child": 4,
            "label": "OF",
            "color": "#96e8ce",
            "head_span": {**SIGN, "label": "Word"},
            "child_span": {**GENE, "label": None},
        },
    ],
    "answer": "accept",
}
"""As `rel.manual` leaves it."""


def relations(document: Document) -> list[tuple[str, list[str]]]:
    """Labels and the words and labels of both ends."""
    found, of_document = [], RelationEnds(document)
    for one in document.relations:
        ends = [of_document.mention(end) for end in one.arguments]
        found.append((one.label, [f"{document.mention(end)} {end.label}" for end in ends if end]))
    return found


def written(document: Document, folder: Path) -> dict[str, Any]:
    write_documents([document], folder / "a.prodigy.jsonl")
    task: dict[str, Any] = json.loads((folder / "a.prodigy.jsonl").read_text())
    return task


def test_a_task_shows_text_spans_and_where_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "next.prodigy.jsonl"
    write_documents([DOCUMENT], path)
    assert json.loads(path.read_text()) == {
        "text": "Aspirin helps.",
        "spans": [{"start": 0, "end": 7, "label": "Drug"}],
        "accept": ["pain"],
        "meta": {"id": "d:0-14", "certainty": "0.4000"},
    }


@pytest.mark.parametrize("name", ["done.prodigy.jsonl", "done.jsonl"])
def test_what_was_not_accepted_is_set_aside(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    task = {"text": "Aspirin helps.", "spans": [{"start": 0, "end": 7, "label": "Drug"}]}
    tasks = [{**task, "answer": answer} for answer in ("accept", "reject", "ignore")]
    beyond = {"text": "a", "spans": [{"start": 0, "end": 7, "label": "Drug"}]}
    lines = [*map(json.dumps, [*tasks, task, beyond, ["no", "task"]]), "{broken"]
    path.write_text("\n".join(lines))
    rejects = Rejects()
    found = list(read_documents(path, rejects=rejects))
    assert [one.id for one in found] == ["1", "4"]
    assert found[0].mention(found[0].entities[0]) == "Aspirin"
    assert [one.place for one in rejects.kept] == ["2", "3", "5", "6", "7"]
    assert "'reject'" in rejects.kept[0].reason


def test_an_export_is_read_alike_whatever_its_ending(tmp_path: Path) -> None:
    """`prodigy db-out` writes to any name: what was chosen is the document's labels."""
    task = {"text": "Aspirin helps.", "answer": "accept", "_task_hash": 1}
    tasks: list[dict[str, Any]] = [
        {**task, "accept": ["pain", "drug"], "options": [{"id": "pain", "text": "Pain"}]},
        {**task, "label": "pain", "meta": {"id": "n7", "score": 0.5, "source": "x"}},
        {**task, "accept": [], "options": []},
        {**task, "id": "own", "spans": [{"start": 0, "end": 7, "label": "Drug"}], "entities": []},
        {"text": "Aspirin helps.", "accept": ["pain"]},
        {**task, "label": "pain", "answer": "reject"},
    ]
    found = []
    for name in ("a.jsonl", "a.prodigy.jsonl"):
        (tmp_path / name).write_text("\n".join(map(json.dumps, tasks)))
        rejects = Rejects()
        found.append(list(read_documents(tmp_path / name, rejects=rejects)))
        assert [one.place for one in rejects.kept] == ["6"]
    assert found[0] == found[1]
    assert [one.labels for one in found[0]] == [("pain", "drug"), ("pain",), (), (), ("pain",)]
    assert (found[0][1].id, found[0][1].metadata) == ("n7", {"score": "0.5", "source": "x"})
    assert (found[0][3].id, found[0][3].entities) == ("own", (Entity(0, 7, "Drug"),))


def test_an_answer_to_a_question_makes_no_task(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a", "answer": "b", "accept": true}')
    assert [one.text for one in read_documents(tmp_path / "a.jsonl")] == ["a"]


@pytest.mark.parametrize("name", ["a.prodigy.jsonl", "a.jsonl"])
def test_relations_of_spans_are_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(json.dumps(RELATED))
    rejects = Rejects()
    (document,) = read_documents(tmp_path / name, rejects=rejects)
    assert rejects.count == 0, rejects.kept
    assert len(document.entities) == 4
    assert relations(document) == [
        ("EASES", ["Colistin Drug", "pain Sign"]),
        ("OF", ["pain Word", "p53 Gene"]),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"head_span": {"start": 9, "end": 14, "label": None}}, "'EASES' points at [9, 14)"),
        ({"child_span": None}, "'EASES' has no 'child_span'"),
        ({"head_span": {}}, "'start'"),
    ],
)
def test_a_relation_of_what_is_no_span_is_set_aside(
    change: dict[str, object], reason: str, tmp_path: Path
) -> None:
    first, second = RELATED["relations"]  # type: ignore[misc]
    tasks = [RELATED, {**RELATED, "relations": [second, {**first, **change}]}]
    for name in ("a.prodigy.jsonl", "a.jsonl"):
        (tmp_path / name).write_text("\n".join(map(json.dumps, tasks)))
        rejects = Rejects()
        assert len(list(read_documents(tmp_path / name, rejects=rejects))) == 1
        (reject,) = rejects.kept
        assert reject.place == "2"
        assert reason in reject.reason


def test_tokens_and_relations_are_written_for_rel_manual(tmp_path: Path) -> None:
    mentions = (Entity(0, 8, "Drug"), Entity(15, 19, "Sign"), Entity(21, 24, "Gene"))
    ends = (Argument("Arg1", "T1"), Argument("Arg2", "T2"))
    document = Document("1", TEXT, entities=mentions, relations=(Relation("EASES", ends),))
    task = written(document, tmp_path)
    words = ["Colistin", "eases", "pain", ",", "p53", "-", "null", "or", "not", "."]
    assert [one["text"] for one in task["tokens"]] == words
    assert [one["text"] for one in task["tokens"] if not one["ws"]] == "pain p53 - not .".split()
    assert task["tokens"][2] == {"id": 2, "text": "pain", "start": 15, "end": 19, "ws": False}
    drug, sign, gene = task["spans"]
    assert drug == {**DRUG, "token_start": 0, "token_end": 0}
    assert gene == {**GENE, "token_start": 4, "token_end": 4}
    assert task["relations"] == [
        {"head": 0, "child": 2, "label": "EASES", "head_span": drug, "child_span": sign}
    ]
    (again,) = read_documents(tmp_path / "a.prodigy.jsonl")
    assert replace(again, entities=mentions) == document


def test_relations_that_are_no_pairs_of_mentions(tmp_path: Path) -> None:
    """Concepts stand for their first mentions, more than two for pairs with the first."""
    mentions = tuple(
        Entity(start, end, label, (concept,))
        for start, end, label, concept in (
            (0, 8, "Drug", "mesh:D003091"),
            (15, 19, "Sign", "mesh:D010146"),
            (21, 24, "Gene", "ncbigene:7157"),
        )
    )
    of_concepts = tuple(Argument("", one.concept_ids[0], "concept") for one in mentions)
    astray = (of_concepts[0], Argument("", "mesh:D000001", "concept"))
    made = (Relation("MANY", of_concepts), Relation("ASTRAY", astray), Relation("NONE", ()))
    written(Document("1", TEXT, entities=mentions, relations=made), tmp_path)
    (again,) = read_documents(tmp_path / "a.prodigy.jsonl")
    assert relations(again) == [
        ("MANY", ["Colistin Drug", "pain Sign"]),
        ("MANY", ["Colistin Drug", "p53 Gene"]),
    ]


@given(st.text("ab1_-. \n\té", min_size=1, max_size=30), st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tokens_make_the_text_and_spans_begin_and_end_with_them(
    tmp_path: Path, text: str, data: st.DataObject
) -> None:
    places = st.integers(0, len(text) - 1).flatmap(
        lambda start: st.tuples(st.just(start), st.integers(start + 1, len(text)))
    )
    mentions = [Entity(*place, "X") for place in data.draw(st.lists(places, max_size=4))]
    document = Document("1", text, relations=(Relation("R", ()),)).with_entities(mentions)
    task = written(document, tmp_path)
    tokens = task["tokens"]
    assert "".join(one["text"] + " " * one["ws"] for one in tokens) == text
    assert all(text[one["start"] : one["end"]] == one["text"] for one in tokens)
    assert [one["id"] for one in tokens] == list(range(len(tokens)))
    for one in task["spans"]:
        first, last = tokens[one["token_start"]], tokens[one["token_end"]]
        assert first["start"] == one["start"]
        assert last["end"] + last["ws"] * (last["end"] < one["end"]) == one["end"]


def test_what_a_task_says_is_neither_bent_nor_dropped(tmp_path: Path) -> None:
    span = {"start": 0, "end": 1, "label": "X", "kb_id": "mesh:D000001", "score": 0.5}
    tasks: list[dict[str, Any]] = [
        {"text": "a", "id": None, "label": ["A", 0], "entities": [span]},
        {"text": "a", "label": "", "labels": ["B"], "answer": None},
        {"text": "a", "label": 0},
    ]
    for name in ("a.prodigy.jsonl", "a.jsonl"):
        lines = [json.dumps({"answer": "accept", **task}) for task in tasks]
        (tmp_path / name).write_text("\n".join(lines))
        first, second, third = read_documents(tmp_path / name)
        assert first.entities == (Entity(0, 1, "X", ("mesh:D000001",), 0.5),)
        assert [one.id for one in (first, second, third)] == ["1", "2", "3"]
        assert first.labels == ("A", "0")
        assert third.labels == ("0",)
    assert second.labels == ("B",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"accept": "yes"}, "'accept' is 'yes', not a list"),
        ({"accept": 5}, "'accept' is 5, not a list"),
        ({"spans": 5}, "'spans' is 5, not a list"),
        ({"spans": ["X"]}, "one of 'spans' is 'X', not an object"),
        ({"spans": [{"start": 0, "end": 1}]}, "'label' is None, not a string or number"),
        ({"spans": [{"start": "0", "end": 1, "label": "X"}]}, "'start' is '0', not a number"),
        ({"relations": 5}, "'relations' is 5, not a list"),
        ({"relations": [{"label": None, "head_span": {}}]}, "'label' is None, not a string"),
        ({"meta": "web"}, "'meta' is 'web', not an object"),
        ({"text": 5}, "'text' is 5, not a string"),
        ({"label": "\ud83d"}, "half of a surrogate pair"),
    ],
)
def test_a_task_of_wrong_kinds_names_value_and_key(
    values: dict[str, Any], said: str, tmp_path: Path
) -> None:
    for name in ("a.prodigy.jsonl", "a.jsonl"):
        (tmp_path / name).write_text(json.dumps({"text": "a", "answer": "accept", **values}))
        rejects = Rejects()
        assert list(read_documents(tmp_path / name, rejects=rejects)) == []
        assert said in rejects.kept[0].reason


def test_values_of_other_kinds_are_set_aside(tmp_path: Path) -> None:
    span = {"start": 0, "end": float("inf"), "label": "X"}
    tasks = [{"text": "a", "meta": ["b"]}, {"text": "a", "spans": [span]}, {"text": "a"}]
    tasks += [{"text": "a", "relations": [7]}, {"text": "a", "relations": [{"label": "X"}]}]
    (tmp_path / "a.prodigy.jsonl").write_text("\n".join(map(json.dumps, tasks)))
    rejects = Rejects()
    assert len(list(read_documents(tmp_path / "a.prodigy.jsonl", rejects=rejects))) == 1
    assert [one.place for one in rejects.kept] == ["1", "2", "4", "5"]
