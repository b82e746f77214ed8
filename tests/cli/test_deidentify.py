"""`biobert deidentify`, as a user meets it."""

import json
import stat
from pathlib import Path

import pytest

from biobert.core.document import Document, Entity
from biobert.data.reading import read_documents, write_documents
from biobert.pipeline.lock import sole_run
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

TEXT = "Mrs. Sullivan, MRN 00482913, was seen on 3/14/2024."
TAGGED = "Mrs. [NAME], MRN [MEDICAL_RECORD], was seen on [DATE]."


def test_standard_input_becomes_standard_output() -> None:
    done = call("deidentify", "-", "-o", "-", stdin=TEXT)
    assert done.code == 0
    assert done.out.strip() == TAGGED
    assert "MEDICAL_RECORD" in done.err
    assert "Sullivan" not in done.err


def test_every_input_keeps_its_name_and_format(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(TEXT)
    (tmp_path / "two.jsonl").write_text(json.dumps({"id": "b", "text": TEXT}) + "\n")
    done = call(
        "deidentify", tmp_path / "one.txt", tmp_path / "two.jsonl", "-o", tmp_path / "out", "--json"
    )
    assert done.code == 0
    data = done.json["data"]
    assert data["documents"] == 2
    assert data["identifiers"] == {"NAME": 2, "MEDICAL_RECORD": 2, "DATE": 2}
    assert (tmp_path / "out/one.txt").read_text().strip() == TAGGED
    (document,) = read_documents(tmp_path / "out/two.jsonl")
    assert (document.id, document.text) == ("b", TAGGED)
    assert "Sullivan" not in done.out + done.err


def test_formats_may_be_named_and_annotations_move(tmp_path: Path) -> None:
    start = TEXT.index("seen")
    document = Document("a", TEXT, entities=(Entity(start, start + 4, "Event"),))
    write_documents([document], tmp_path / "a.jsonl")
    done = call(
        "deidentify", tmp_path / "a.jsonl", "-o", tmp_path / "out", "--to", "bioc-json", "--to",
        "brat",
    )  # fmt: skip
    assert done.code == 0, done.err
    for path in (tmp_path / "out/a.bioc.json", tmp_path / "out/a"):
        (read,) = read_documents(path)
        assert [read.mention(one) for one in read.entities] == ["seen"]
        assert "Sullivan" not in read.text


def test_a_format_that_cannot_be_written_becomes_json_lines(tmp_path: Path) -> None:
    abstract = (
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>"
        f"<ArticleTitle>{TEXT}</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
        "</PubmedArticleSet>"
    )
    (tmp_path / "a.xml").write_text(abstract)
    done = call(
        "deidentify", tmp_path / "a.xml", "--from", "pubmed", "-o", tmp_path / "out", "--json"
    )
    assert done.code == 0, done.err
    assert done.json["data"]["outputs"] == [str(tmp_path / "out/a.jsonl")]


def test_a_format_to_write_must_be_one_that_can_be(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    done = call("deidentify", tmp_path / "a.txt", "-o", tmp_path / "out", "--to", "pubtater")
    assert done.code == 2
    assert "pubtator" in done.err
    assert not (tmp_path / "out").exists()


def test_a_key_file_makes_runs_alike(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef\n")
    runs = [
        call("deidentify", "-", "-o", "-", "--replace", "surrogates", *more, stdin=TEXT).out
        for more in (["--key-file", tmp_path / "key"], ["--key-file", tmp_path / "key"], [])
    ]
    assert runs[0] == runs[1] != runs[2]
    assert "Sullivan" not in runs[0]


@pytest.mark.parametrize(("patient", "shifts"), [("p", 1), ("", 2)])
def test_documents_of_a_patient_move_together(patient: str, shifts: int, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef\n")
    lines = [
        {"id": number, "text": "Seen on 3/14/2024.", "metadata": {"patient": patient}}
        for number in "ab"
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    done = call(
        "deidentify", tmp_path / "a.jsonl", "-o", tmp_path / "b.jsonl", "--replace", "surrogates",
        "--patient-field", "patient", "--key-file", tmp_path / "key",
    )  # fmt: skip
    assert done.code == 0, done.err
    texts = {one.text for one in read_documents(tmp_path / "b.jsonl")}
    assert len(texts) == shifts
    assert "Seen on 3/14/2024." not in texts


def test_the_mapping_is_for_its_owner_alone(tmp_path: Path) -> None:
    done = call(
        "deidentify", "-", "-o", tmp_path / "a.txt", "--mapping", tmp_path / "m.jsonl", stdin=TEXT
    )
    assert done.code == 0, done.err
    path = tmp_path / "m.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = json.loads(path.read_text().splitlines()[0])
    assert first == {
        "document": "stdin",
        "kind": "NAME",
        "start": 5,
        "end": 13,
        "surrogate": "[NAME]",
        "field": "text",
        "original": "Sullivan",
    }


def test_the_mapping_and_the_counts_hold_headings_and_metadata(tmp_path: Path) -> None:
    line = {
        "id": "a",
        "text": TEXT,
        "passages": [{"start": 0, "end": 9, "kind": "title", "heading": "Call Dr. Katz"}],
        "metadata": {"mrn": 482913},
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    done = call(
        "deidentify", tmp_path / "a.jsonl", "-o", tmp_path / "out.jsonl", "--mapping",
        tmp_path / "m.jsonl", "--json",
    )  # fmt: skip
    assert done.json["data"]["identifiers"] == {"NAME": 2, "MEDICAL_RECORD": 2, "DATE": 1}
    mapping = [json.loads(one) for one in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert [(one["field"], one["original"]) for one in mapping[-2:]] == [
        ("metadata.mrn", "482913"),
        ("passages.0.heading", "Katz"),
    ]


PARTS = {label: {"name": "ner", "labels": [label]} for label in ("PATIENT", "PROFESSION")}


@pytest.mark.parametrize(
    ("task", "settings"), [("ner", {"labels": list(PARTS)}), ("multitask", {"parts": PARTS})]
)
def test_a_model_says_which_of_its_labels_are_ignored(
    tmp_path: Path, task: str, settings: dict[str, object]
) -> None:
    model = write_tiny_model_folder(tmp_path / "model", task=task, others=settings)
    done = call("deidentify", "-", "-o", "-", "--names", model, stdin=TEXT)
    assert done.code == 0, done.err
    assert "no identifier: PROFESSION\n" in done.err


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    for output in (tmp_path / "a.txt", tmp_path):
        done = call("deidentify", tmp_path / "a.txt", "-o", output)
        assert done.code == 2
        assert "overwritten" in done.err
    for mapping in (tmp_path / "a.txt", tmp_path / "b.txt"):
        done = call(
            "deidentify", tmp_path / "a.txt", "-o", tmp_path / "b.txt", "--mapping", mapping
        )
        assert done.code == 2
        assert "overwritten" in done.err
    assert (tmp_path / "a.txt").read_text() == TEXT
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_two_runs_do_not_write_into_one_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    wanted = ("deidentify", tmp_path / "a.txt", "-o", tmp_path / "out", "--names", "none")
    with sole_run(tmp_path / "out"):
        done = call(*wanted)
        assert done.code == 1
        assert "out: another run is at work there" in done.err
    assert call(*wanted).code == 0
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["a.txt"]


def test_the_list_of_rejects_quotes_nothing(tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    (tmp_path / "n/a.txt").write_text(TEXT)
    (tmp_path / "n/a.ann").write_text("T1\tName 5 13\tKowalczyk\n")
    done = call(
        "deidentify", tmp_path / "n", "-o", tmp_path / "o", "--rejects", tmp_path / "r.jsonl"
    )
    assert done.code == 0, done.err
    listed = (tmp_path / "r.jsonl").read_text()
    assert "bad annotation" in listed
    assert "Sullivan" not in listed
    assert "Kowalczyk" not in listed


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["-", "-o", "-", "--replace", "stars"], 2, "surrogates"),
        (["-", "-o", "-", "--shift-by", "months"], 2, "weeks"),
        (["-", "-o", "-", "--key-file", "nowhere"], 1, "nowhere"),
        (["-", "-o", "-", "--names", "embedded"], 2, "no persons or places"),
        (["nowhere.txt", "-o", "-"], 1, "nowhere.txt"),
        (["-"], 2, "output"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(arguments: list[str], code: int, word: str) -> None:
    done = call("deidentify", *arguments, stdin=TEXT)
    assert done.code == code
    assert word in done.err


def test_an_error_quotes_nothing_of_the_record(tmp_path: Path) -> None:
    source = tmp_path / "bad.pubtator"
    source.write_text("1|a|Mrs. Sullivan came.\n1\t0\t13\tMr. Sullivan\tName\n")
    done = call("deidentify", source, "-o", tmp_path / "out.txt", "--names", "none", "--json")
    assert done.code == 1 and done.json["error"]["code"] == "all-set-aside"
    source = tmp_path / "bad.jsonl"
    entity = {"start": 0, "end": 99, "label": "Sullivan"}
    source.write_text(json.dumps({"text": "Mrs. Sullivan", "entities": [entity]}) + "\n")
    done = call("deidentify", source, "-o", tmp_path / "out.txt", "--names", "none", "--json")
    assert done.code == 1 and "bad.jsonl:1: " in done.json["error"]["message"]
    assert "Sullivan" not in done.out + done.err
