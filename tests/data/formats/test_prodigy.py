"""Prodigy's tasks: what annotators accepted is read, the rest is set aside."""

import json
from pathlib import Path

from biobert.core.document import Document, Entity
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects

DOCUMENT = Document(
    "d:0-14",
    "Aspirin helps.",
    entities=(Entity(0, 7, "Drug", score=0.4),),
    labels=("pain",),
    metadata={"certainty": "0.4000"},
)


def test_a_task_shows_text_spans_and_where_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "next.prodigy.jsonl"
    write_documents([DOCUMENT], path)
    assert json.loads(path.read_text()) == {
        "text": "Aspirin helps.",
        "spans": [{"start": 0, "end": 7, "label": "Drug"}],
        "accept": ["pain"],
        "meta": {"id": "d:0-14", "certainty": "0.4000"},
    }


def test_what_was_not_accepted_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "done.prodigy.jsonl"
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
