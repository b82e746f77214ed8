"""Questions with answers: SQuAD and BioASQ."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity, Provenance
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.questions import (
    CONTEXT,
    NO_ANSWER,
    exact_answers,
    is_untold,
    question_document,
)
from biobert.data.formats.bioasq import synonym_lists
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects

CONTEXT_TEXT = "Naïve mice (n = 8) got lithium 🐭. Lithium caused arrest."


def written(folder: Path, name: str, value: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def read(path: Path, format: str | None = None) -> tuple[list[Document], Rejects]:
    rejects = Rejects()
    return list(read_documents(path, format, rejects)), rejects


def mentions(document: Document) -> list[str]:
    return [document.mention(entity) for entity in document.entities]


def answer(text: str, start: int | None = None) -> dict[str, Any]:
    place = CONTEXT_TEXT.index(text) if start is None else start
    return {"text": text, "answer_start": place}


def squad(*questions: object, context: object = CONTEXT_TEXT) -> dict[str, Any]:
    paragraph = {"context": context, "qas": list(questions)}
    return {"version": "v2.0", "data": [{"title": "Mice", "paragraphs": [paragraph]}]}


def test_squad_answers_stand_where_the_file_says(tmp_path: Path) -> None:
    twice = [answer("lithium"), answer("lithium"), answer("Lithium caused arrest")]
    value = squad(
        {"id": "q1", "question": "What did they get?", "answers": twice},
        {"id": "q2", "question": "Who?", "answers": [], "is_impossible": True},
        {"id": "q3", "question": "Untold?"},
        {"id": "q4", "question": "Columns?", "answers": {"text": ["n = 8"], "answer_start": [12]}},
    )
    documents, rejects = read(written(tmp_path, "train.squad.json", value))
    assert rejects.count == 0
    assert [mentions(one) for one in documents] == [
        ["lithium", "Lithium caused arrest"], [], [], ["n = 8"],
    ]  # fmt: skip
    assert documents[0].id == "q1"
    assert documents[0].text.startswith("What did they get?\nNaïve mice")
    assert [one.kind for one in documents[0].passages] == ["question", "context"]
    assert documents[0].metadata["title"] == "Mice"


def test_squad_answers_at_wrong_places_are_set_aside(tmp_path: Path) -> None:
    value = squad(
        {"id": "q1", "question": "Half?", "answers": [answer("lithium"), answer("lithium", 3)]},
        {"id": "q2", "question": "None?", "answers": [answer("lithium", -33), answer("", 3)]},
        {"id": "q3", "question": "   ", "answers": []},
        {"id": "q4", "question": 7, "answers": []},
        {"question": "No name?"},
        {"id": "q6", "question": "Odd?", "answers": [{"text": "x"}]},
        {"id": "q7", "question": "Half a pair \ud83d?", "answers": []},
        "no question",
    )
    documents, rejects = read(written(tmp_path, "dev.squad.json", value))
    assert [one.id for one in documents] == ["q1"]
    assert not is_untold(documents[0])
    assert mentions(documents[0]) == ["lithium"]
    assert rejects.count == 9
    assert {one.place for one in rejects.kept} == {
        "q1", "q2", "q3", "q4", "article 1", "q6", "q7"
    }  # fmt: skip


def test_squad_without_answers_is_no_question_without_an_answer(tmp_path: Path) -> None:
    value = squad(
        {"id": "told", "question": "Who?", "answers": [answer("lithium")]},
        {"id": "none", "question": "Who?", "answers": []},
        {"id": "impossible", "question": "Who?", "is_impossible": True},
        {"id": "columns", "question": "Who?", "answers": {"text": [], "answer_start": []}},
        {"id": "untold", "question": "Who?"},
        {"id": "possible", "question": "Who?", "is_impossible": False},
        {"id": "null", "question": "Who?", "answers": None},
    )
    documents, rejects = read(written(tmp_path, "a.squad.json", value))
    assert rejects.count == 0
    untold = [one.id for one in documents if is_untold(one)]
    assert untold == ["untold", "possible", "null"]
    for name in ("b.squad.json", "b.jsonl", "b.bioc.json"):
        write_documents(documents, tmp_path / name)
        assert [one.id for one in read(tmp_path / name)[0] if is_untold(one)] == untold
    # What a model says of one is told.
    declined = [replace(one, labels=(NO_ANSWER,)) for one in documents]
    write_documents(declined, tmp_path / "c.squad.json")
    assert not any(map(is_untold, read(tmp_path / "c.squad.json")[0]))


@pytest.mark.parametrize(
    "answers",
    [
        "lithium",
        {"text": "n", "answer_start": [12]},
        {"text": ["n"], "answer_start": "1"},
        0,
    ],
)
def test_answers_of_squad_are_not_taken_letter_by_letter(answers: object, tmp_path: Path) -> None:
    value = squad({"id": "q1", "question": "Who?", "answers": answers})
    documents, rejects = read(written(tmp_path, "a.squad.json", value))
    assert documents == []
    assert [one.place for one in rejects.kept] == ["q1"]
    assert "not a list" in rejects.kept[0].reason


@pytest.mark.parametrize(
    ("value", "word"), [([], "JSON object"), ({"data": 3}, "no list 'data'"), ("{", "JSON object")]
)
def test_other_json_is_refused(value: object, word: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=word):
        read(written(tmp_path, "a.squad.json", value))


texts = st.text(alphabet="ab β🐭'\"\n\\\t\u2028", min_size=1, max_size=30).filter(str.strip)


@given(st.lists(st.tuples(texts, texts, st.data()), max_size=4))
def test_squad_comes_back_whatever_the_text(parts: list[tuple[str, str, Any]]) -> None:
    documents = []
    for number, (question, context, data) in enumerate(parts):
        start = data.draw(st.integers(0, len(context) - 1))
        end = data.draw(st.integers(start, len(context)))
        answers = [(start, end)] if start < end else []
        documents.append(question_document(f"q{number}", question, context, answers=answers))
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.squad.json"
        assert write_documents(documents, path) == len(documents)
        found, rejects = read(path)
    assert rejects.count == 0, rejects.kept
    assert [(one.text, one.entities) for one in found] == [
        (one.text, one.entities) for one in documents
    ]


def bioasq(kind: str, exact: object = None, **more: object) -> dict[str, Any]:
    """A question of the challenge, as its files have them."""
    snippets = [
        {
            "text": "Lithium  salts caused cardiac arrest.",
            "document": "http://www.ncbi.nlm.nih.gov/pubmed/1",
            "beginSection": "abstract",
            "endSection": "abstract",
            "offsetInBeginSection": 0,
            "offsetInEndSection": 36,
        },
        {"text": "Aspirin and (LITHIUM SALTS) did not; lithiums did."},
    ]
    question = {"id": f"5{kind}", "type": kind, "body": "What caused it?", "snippets": snippets}
    return {**question, **({} if exact is None else {"exact_answer": exact}), **more}


def test_bioasq_without_exact_answers_is_untold(tmp_path: Path) -> None:
    kinds = ("factoid", "list", "summary")
    questions = [bioasq(kind) for kind in kinds] + [bioasq("list", []), bioasq("factoid", "Li")]
    documents, rejects = read(written(tmp_path, "a.bioasq.json", {"questions": questions}))
    assert rejects.count == 0
    assert [is_untold(one) for one in documents] == [True, True, False, False, False]
    write_documents(documents, tmp_path / "b.bioasq.json")
    again = json.loads((tmp_path / "b.bioasq.json").read_text())["questions"]
    assert [one.get("exact_answer") for one in again] == [None, None, None, [], [["Li"]]]
    assert [is_untold(one) for one in read(tmp_path / "b.bioasq.json")[0]] == [
        is_untold(one) for one in documents
    ]


def test_snippets_of_bioasq_are_a_list(tmp_path: Path) -> None:
    value = {"questions": [bioasq("factoid", "Li", snippets="Lithium did.")]}
    documents, rejects = read(written(tmp_path, "a.bioasq.json", value))
    assert documents == []
    assert "'snippets' is 'Lithium did.', not a list" in rejects.kept[0].reason


def test_bioasq_answers_are_looked_up_in_the_snippets(tmp_path: Path) -> None:
    value = {
        "questions": [
            bioasq("factoid", ["lithium salts", "Li"], ideal_answer="Lithium did."),
            bioasq("list", [["aspirin", "ASA"], ["cardiac arrest"], ["placebo"]]),
            bioasq("yesno", "Yes."),
            bioasq("summary", ideal_answer=["It was lithium."], documents=["u1", "u2"]),
        ]
    }
    documents, rejects = read(written(tmp_path, "train.bioasq.json", value))
    assert rejects.count == 0, rejects.kept
    factoid, some, yes, summary = documents
    assert mentions(factoid) == ["Lithium  salts", "LITHIUM SALTS"]
    assert exact_answers(factoid) == [["lithium salts", "Li"]]
    assert json.loads(factoid.metadata["ideal_answer"]) == ["Lithium did."]
    assert mentions(some) == ["cardiac arrest", "Aspirin"]
    assert exact_answers(some) == [["aspirin", "ASA"], ["cardiac arrest"], ["placebo"]]
    assert yes.labels == ("yes",) and not yes.entities
    assert json.loads(summary.metadata["documents"]) == ["u1", "u2"]
    context = passage_of(factoid, CONTEXT)
    assert factoid.text[context.start : context.end].count("\n") == 1
    kinds = [passage.kind for passage in factoid.passages]
    assert kinds == ["question", "context", "context"]


@pytest.mark.parametrize(
    ("kind", "published", "lists"),
    [
        ("factoid", "a", [["a"]]),
        ("factoid", ["a", "b"], [["a", "b"]]),
        ("factoid", [["a", "b"]], [["a", "b"]]),
        ("factoid", [["a"], ["b"]], [["a"], ["b"]]),
        ("factoid", [[["a", "b"]]], [["a", "b"]]),
        ("list", ["a", "b"], [["a"], ["b"]]),
        ("list", [["a", "b"], ["c"]], [["a", "b"], ["c"]]),
        ("list", [["a", " a "], [], ""], [["a"]]),
        ("list", "a", [["a"]]),
    ],
)
def test_every_published_nesting(kind: str, published: object, lists: list[list[str]]) -> None:
    assert synonym_lists(published, kind) == lists


def test_bad_questions_of_bioasq_are_set_aside(tmp_path: Path) -> None:
    value = {
        "questions": [
            bioasq("essay"),
            bioasq("yesno", "perhaps"),
            bioasq("factoid", 7),
            bioasq("factoid", ["a"], snippets=[]),
            bioasq("factoid", ["a"], body=" "),
            {"id": "bare"},
            "text",
            bioasq("list", [["a", None]]),
        ]
    }
    documents, rejects = read(written(tmp_path, "a.bioasq.json", value))
    assert documents == []
    assert rejects.count == 8
    assert any("no snippets" in one.reason for one in rejects.kept)


def test_gold_questions_of_bioasq_come_back(tmp_path: Path) -> None:
    value = {
        "questions": [
            bioasq("factoid", [["lithium salts", "Li"]], ideal_answer=["So."], documents=["u"]),
            bioasq("list", [["aspirin"], ["x"]]),
            bioasq("yesno", "no"),
            bioasq("summary", ideal_answer=["It was."]),
        ]
    }
    documents, _ = read(written(tmp_path, "a.bioasq.json", value))
    write_documents(documents, tmp_path / "b.bioasq.json")
    again, rejects = read(tmp_path / "b.bioasq.json")
    assert rejects.count == 0
    same = [replace(one, provenance=documents[0].provenance) for one in again]
    assert same == documents
    question = json.loads((tmp_path / "b.bioasq.json").read_text())["questions"][0]
    assert question["snippets"][0] == value["questions"][0]["snippets"][0]
    assert question["exact_answer"] == [["lithium salts", "Li"]]


def test_a_submission_keeps_to_the_rules(tmp_path: Path) -> None:
    long = " ".join(["word"] * 30)
    context = f"aspirin Aspirin lithium {long} one two three four five"
    asked = question_document("1", "What?", context, metadata={"type": "factoid"})
    spans = [(0, 7), (8, 15), (24, 24 + len(long)), (16, 23)]
    shift = passage_of(asked, CONTEXT).start
    entities = [
        Entity(shift + start, shift + end, "answer", score=0.9 - number / 10)
        for number, (start, end) in enumerate(spans)
    ]
    nothing = replace(asked, id="2", labels=(NO_ANSWER,), label_scores={NO_ANSWER: 0.9})
    yes = replace(asked, id="3", labels=("yes",), metadata={"type": "yesno"})
    answered = replace(yes, label_scores={"yes": 0.9}, provenance=Provenance(model="m"))
    documents = [asked.with_entities(entities), nothing, yes, answered]
    write_documents(documents, tmp_path / "out.bioasq.json")
    questions = json.loads((tmp_path / "out.bioasq.json").read_text())["questions"]
    # Five answers of up to 100 characters, surest first, none twice, no synonyms.
    answers = [one["exact_answer"] for one in questions]
    assert answers == [[["aspirin"], ["lithium"]], [], "yes", "yes"]


def test_gold_is_no_prediction_of_a_model(tmp_path: Path) -> None:
    value = {"questions": [bioasq("factoid", ["aspirin"]), bioasq("yesno", "yes")]}
    gold, _ = read(written(tmp_path, "a.bioasq.json", value))
    by = Provenance(model="some-model", version="1")
    write_documents([replace(one, provenance=by) for one in gold], tmp_path / "b.bioasq.json")
    questions = json.loads((tmp_path / "b.bioasq.json").read_text())["questions"]
    assert [one.get("exact_answer") for one in questions] == [[], None]
    again, rejects = read(tmp_path / "b.bioasq.json")
    assert rejects.count == 0
    assert [(one.labels, one.entities) for one in again] == [((), ()), ((), ())]


def test_answers_that_stand_there_often_are_found_in_time(tmp_path: Path) -> None:
    question = bioasq("list", [["ab cd"], ["ab"], ["cd"]])
    question["snippets"] = [{"text": "ab cd, ab; " * 20_000}]
    (document,), rejects = read(written(tmp_path, "a.bioasq.json", {"questions": [question]}))
    assert rejects.count == 0
    assert Counter(mentions(document)) == {"ab cd": 20_000, "ab": 20_000}


def test_ideal_answers_of_bioasq_are_kept_as_they_are_spelled(tmp_path: Path) -> None:
    question = bioasq("summary") | {"ideal_answer": ["Sjögren’s syndrome."]}
    path = written(tmp_path, "a.bioasq.json", {"questions": [question]})
    (document,), _ = read(path)
    assert "Sjögren’s syndrome." in document.metadata["ideal_answer"]
    write_documents([document], tmp_path / "b.bioasq.json")
    (again,), _ = read(tmp_path / "b.bioasq.json")
    assert again.metadata == document.metadata
