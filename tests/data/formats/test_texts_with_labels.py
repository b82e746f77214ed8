"""Corpora of classification: what their readers make of them, and what they set aside."""

import csv
import io
import json
import tarfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.data.formats.pubmedqa import official_splits
from biobert.data.reading import read_documents, read_together
from biobert.data.rejects import Rejects
from tests.data.articles import write_tar

Reading = tuple[list[Document], Rejects]


def read(path: Path, format: str) -> Reading:
    rejects = Rejects()
    return list(read_documents(path, format, rejects)), rejects


def passages(document: Document) -> list[tuple[str, str, str]]:
    return [
        (one.kind, one.heading, document.text[one.start : one.end]) for one in document.passages
    ]


# HoC


def archive(path: Path, members: Mapping[str, str]) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_hallmarks_of_sentences_become_those_of_the_abstract(tmp_path: Path) -> None:
    labels = (
        "< <Resisting cell death--Apoptosis ANDCellular energetics--< "
        "<Resisting cell death--Necrosis<NULL "
    )
    text = "A cell .\nIt died .\nWe saw it .\nIt died again .\nAll well .\n"
    path = archive(
        tmp_path / "hoc.tar.xz",
        {
            "labels/1234567.txt": labels,
            "text/1234567.txt": text,
            "labels/2.txt": " < ",
            "text/2.txt": "None .\n",
        },
    )
    (first, second), rejects = read(path, "hoc")
    assert rejects.count == 0
    assert first.labels == ("Resisting cell death", "Cellular energetics")
    assert first.text.split("\n")[3] == "It died again ."
    assert [first.text[one.start : one.end] for one in first.sentences] == first.text.split("\n")
    assert first.metadata["pmid"] == first.id == "1234567"
    assert second.labels == ()


def test_abstracts_whose_halves_do_not_fit_are_set_aside(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "hoc.tar.xz",
        {
            "labels/1.txt": " < ",
            "text/2.txt": "Alone .\n",
            "labels/3.txt": " < < ",
            "text/3.txt": "One sentence .\n",
            "labels/4.txt": " <Growing wings--Feathers",
            "text/4.txt": "It flies .\n",
            "text/5.txt": "\n",
            "labels/5.txt": "",
            "text/6.txt": "First the text .\n",
            "labels/6.txt": " <Inducing angiogenesis--",
            "README.md": "no abstract",
        },
    )
    documents, rejects = read(path, "hoc")
    assert [(one.id, one.labels) for one in documents] == [("6", ("Inducing angiogenesis",))]
    assert {(one.place, one.reason) for one in rejects.kept} == {
        ("1", "half an abstract: only its labels"),
        ("2", "half an abstract: only its text"),
        ("3", "labels of 2 sentences: the abstract has 1"),
        ("4", "unknown hallmark: 'Growing wings'"),
        ("5", "no text: the abstract is empty"),
    }


# PubMedQA


def question(**changes: Any) -> dict[str, Any]:
    values = {
        "QUESTION": "Does rest help?",
        "CONTEXTS": ["We asked.", "It did."],
        "LABELS": ["METHODS", "RESULTS"],
        "MESHES": ["Humans", "Rest"],
        "YEAR": "2011",
        "final_decision": "yes",
        "LONG_ANSWER": "Rest helps.",
    }
    return {key: value for key, value in (values | changes).items() if value is not None}


def write_questions(path: Path, questions: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(questions))
    return path


def test_a_question_stands_beside_the_sections_of_its_abstract(tmp_path: Path) -> None:
    path = write_questions(tmp_path / "q.json", {"1234567": question()})
    (document,), rejects = read(path, "pubmedqa")
    assert rejects.count == 0
    assert passages(document) == [
        ("question", "", "Does rest help?"),
        ("context", "METHODS", "We asked."),
        ("context", "RESULTS", "It did."),
    ]
    assert document.labels == ("yes",)
    assert document.metadata == {
        "pmid": "1234567",
        "year": "2011",
        "mesh_names": "Humans|Rest",
        "long_answer": "Rest helps.",
    }
    assert "Rest helps" not in document.text


def test_questions_that_are_none_are_set_aside_and_unlabelled_ones_are_not(tmp_path: Path) -> None:
    questions = {
        "1": question(final_decision=None),
        "2": question(final_decision="perhaps"),
        "3": question(QUESTION=" "),
        "4": question(CONTEXTS=["", "  "]),
        "5": question(QUESTION=None),
        "6": question(QUESTION=7),
        "7": question(CONTEXTS=["\ud800"], LABELS=["X"]),
        "8": "no question",
        "9": question(LABELS=["METHODS"]),
        "10": question(MESHES=None, YEAR=None, LONG_ANSWER=None),
    }
    documents, rejects = read(write_questions(tmp_path / "q.json", questions), "pubmedqa")
    assert {one.id: one.labels for one in documents} == {"1": (), "9": ("yes",), "10": ("yes",)}
    assert sorted(one.place for one in rejects.kept) == ["2", "3", "4", "5", "6", "7", "8"]
    assert {heading for _, heading, _ in passages(documents[1])} == {""}


def test_a_string_where_pubmedqa_has_a_list_is_not_taken_letter_by_letter(tmp_path: Path) -> None:
    nulls = {**question(), "LABELS": None, "MESHES": None, "LONG_ANSWER": None}
    questions = {
        "1": question(CONTEXTS="Aspirin helps."),
        "2": question(MESHES="Aspirin"),
        "3": question(LABELS="AB"),
        "4": question(CONTEXTS=[7]),
        "5": {**question(), "CONTEXTS": None},
        "6": nulls,
    }
    (document,), rejects = read(write_questions(tmp_path / "q.json", questions), "pubmedqa")
    assert document.id == "6"
    assert passages(document)[1:] == [("context", "", "We asked."), ("context", "", "It did.")]
    assert {one.place: one.reason.removeprefix("not a question: ") for one in rejects.kept} == {
        "1": "'CONTEXTS' is 'Aspirin helps.', not a list",
        "2": "'MESHES' is 'Aspirin', not a list",
        "3": "'LABELS' is 'AB', not a list",
        "4": "one of 'CONTEXTS' is not a string",
        "5": "its question or its context is empty",
    }


def answers(count: int) -> dict[str, str]:
    return {str(number): ("yes", "no", "yes", "maybe")[number % 4] for number in range(count)}


def test_the_draw_of_folds_is_that_of_the_authors_program() -> None:
    # What Python's generator with seed 0 has given since version 3.2; another draw would mix the
    # published test questions into training.
    splits = official_splits(answers(40))
    assert "".join("t" if splits[str(n)] == "test" else splits[str(n)][-1] for n in range(40)) == (
        GOLDEN_DRAW
    )
    sizes = Counter(splits.values())
    assert sizes["test"] == 20
    assert sum(sizes.values()) == 40


GOLDEN_DRAW = "99t49t91t2t3t1t0tt9t9t3ttttt90tt2t9994tt"


def test_the_split_of_a_question_is_in_its_metadata(tmp_path: Path) -> None:
    given = answers(40)
    questions = {number: question(final_decision=answer) for number, answer in given.items()}
    path = write_questions(tmp_path / "q.json", questions)
    splits = official_splits(given)
    listed = {number: given[number] for number, split in splits.items() if split == "test"}
    beside = {"test-answers": write_questions(tmp_path / "test.json", listed)}
    found = list(read_together(path, beside, "pubmedqa", Rejects()))
    assert {one.id: one.metadata["split"] for one in found} == splits
    write_questions(tmp_path / "test.json", {**listed, "nowhere": "yes"})
    with pytest.raises(BadInputError, match=r"1 questions are in one.*as published"):
        list(read_together(path, beside, "pubmedqa", Rejects()))


# Evidence inference

ROWS = [
    ("0", "1", "9", "True", "True", "significantly increased", 'A "rose",\nsays\n7.0\n'),
    ("1", "1", "9", "True", "True", "significantly increase", "A  rose"),
    ("2", "1", "9", "True", "False", "significantly increased", "Not this"),
    ("3", "1", "9", "False", "True", "no significant difference", "Nor this"),
    ("0", "2", "9", "True", "True", "no significant difference", "B stayed"),
    ("1", "2", "9", "True", "True", "no significant difference", "B  stayed "),
    ("0", "3", "8", "True", "True", "significantly decreased", "C fell"),
    ("1", "3", "8", "True", "True", "significantly increase", "C rose"),
    ("0", "4", "8", "True", "True", "significantly decreased", "D fell"),
    ("1", "4", "8", "True", "True", "significantly decrease", "D sank"),
    ("2", "4", "8", "True", "True", "no significant difference", "D stayed"),
    ("0", "5", "7", "True", "True", "invalid prompt", "E"),
    ("0", "77", "7", "True", "True", "significantly decreased", "F fell"),
]


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Tables of annotations and of prompts, side by side."""
    with (tmp_path / "annotations.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["UserID", "PromptID", "PMCID", "Valid Label", "Valid Reasoning", "Label",
             "Annotations", "Label Code"]
        )  # fmt: skip
        writer.writerows((*row, "0") for row in ROWS)
    with (tmp_path / "prompts_merged.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["PromptID", "PMCID", "Outcome", "Intervention", "Comparator"])
        for number, article in (("1", "9"), ("2", "9"), ("3", "8"), ("4", "8"), ("5", "7")):
            writer.writerow([number, article, f"outcome {number}", "drug ", "placebo"])
    return tmp_path


def test_evidence_stands_beside_its_prompt_once_under_the_majoritys_label(evidence: Path) -> None:
    documents, rejects = read(evidence / "annotations.csv", "evidence-inference")
    assert [(one.id, one.labels[0], passages(one)[1][2]) for one in documents] == [
        ("prompt-1-1", "significantly increased", 'A "rose", says 7.0'),
        ("prompt-1-2", "significantly increased", "A rose"),
        ("prompt-2-1", "no significant difference", "B stayed"),
        ("prompt-4-1", "significantly decreased", "D fell"),
        ("prompt-4-2", "significantly decreased", "D sank"),
    ]
    assert passages(documents[0])[0] == ("prompt", "", "outcome 1: drug compared with placebo")
    assert documents[0].metadata["outcome"] == "outcome 1"
    assert documents[0].metadata["pmc"] == "9"
    assert "split" not in documents[0].metadata
    assert rejects.reasons == {
        "label refused by the verifier": 1,
        "evidence refused by the verifier": 1,
        "annotators divided": 1,
        "label outvoted": 1,
        "unknown label": 1,
        "no prompt": 1,
    }


def test_lists_of_articles_give_the_splits(evidence: Path) -> None:
    beside = {"prompts": evidence / "prompts_merged.csv"}
    for split, numbers in (("train", "9\n5\n"), ("test", "4")):
        path = evidence / f"{split}.txt"
        path.write_text(numbers)
        beside[f"{split}-articles"] = path
    rejects = Rejects()
    found = list(read_together(evidence / "annotations.csv", beside, "evidence-inference", rejects))
    assert {one.metadata["pmc"] for one in found} == {"9"}
    assert {one.metadata["split"] for one in found} == {"train"}
    assert rejects.reasons["no split"] == 1


ARTICLE = """<article><front><article-meta><title-group><article-title>On A</article-title>
</title-group><abstract><sec><title>Methods</title><p>We gave the drug.</p></sec>
<sec><title>Results</title><p>It rose.</p></sec></abstract></article-meta></front>
<body><p>SECRET</p></body></article>"""


def test_abstracts_stand_in_for_the_cited_words(evidence: Path) -> None:
    write_tar(evidence / "articles.tar.gz", {"PMC9.nxml": ARTICLE, "PMC8.nxml": "<article/>"})
    beside = {
        "prompts": evidence / "prompts_merged.csv",
        "articles": evidence / "articles.tar.gz",
    }
    rejects = Rejects()
    documents = list(
        read_together(evidence / "annotations.csv", beside, "evidence-inference", rejects)
    )
    assert [(one.id, one.labels) for one in documents] == [
        ("prompt-1", ("significantly increased",)),
        ("prompt-2", ("no significant difference",)),
    ]
    assert passages(documents[0])[1:] == [
        ("abstract", "Methods", "We gave the drug."),
        ("abstract", "Results", "It rose."),
    ]
    assert rejects.reasons["no abstract"] == 1


def test_a_table_without_its_columns_or_prompts_says_so(evidence: Path) -> None:
    other = evidence / "other.csv"
    other.write_text("PromptID,Label\n1,x\n")
    documents, rejects = read(other, "evidence-inference")
    assert documents == []
    assert rejects.kept[0].reason == "no header: column 'UserID' is missing"
    (evidence / "prompts_merged.csv").unlink()
    with pytest.raises(BadInputError, match=r"no such file: .*prompts_merged\.csv"):
        read(evidence / "annotations.csv", "evidence-inference")


# PubMed RCT and pairs of sentences


def test_sentences_of_trials_have_their_role_and_place(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text(
        "###24\nOBJECTIVE\tTo see .\nRESULTS\tWe\tsaw .\nno role\nMETHODS\t\n\n"
        "RESULTS\tLost .\n###25\r\nCONCLUSIONS\tSo it is .\r\n"
    )
    documents, rejects = read(path, "pubmed-rct")
    assert [(one.id, one.labels[0], one.text) for one in documents] == [
        ("24-1", "OBJECTIVE", "To see ."),
        ("24-2", "RESULTS", "We\tsaw ."),
        ("25-1", "CONCLUSIONS", "So it is ."),
    ]
    assert documents[1].metadata == {"pmid": "24", "sentence": "2"}
    assert [(one.place, one.reason.split(":")[0]) for one in rejects.kept] == [
        ("4", "no role or no sentence"),
        ("5", "no role or no sentence"),
        ("7", "no abstract"),
    ]


def test_pairs_of_sentences_are_json_lines_too(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"pairID": "a", "sentence1": "He is ill.", "sentence2": "He is well.",
         "gold_label": "contradiction"},
        {"sentence1": "One.", "sentence2": "Two."},
        {"sentence1": "One.", "sentence2": "Two.", "gold_label": "-"},
        {"sentence1": "One.", "sentence2": " ", "gold_label": "neutral"},
        {"sentence1": "One.", "gold_label": "neutral"},
        {"text": "A text.", "label": "Topic"},
        {"text": "A text.", "labels": "Topic"},
    ]  # fmt: skip
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    documents, rejects = read(path, "jsonl")
    assert [(one.id, one.labels) for one in documents] == [
        ("a", ("contradiction",)),
        ("2", ()),
        ("6", ("Topic",)),
    ]
    assert passages(documents[0]) == [
        ("sentence1", "", "He is ill."),
        ("sentence2", "", "He is well."),
    ]
    assert [one.place for one in rejects.kept] == ["3", "4", "5", "7"]
