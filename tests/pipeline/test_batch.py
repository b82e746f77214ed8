"""Annotating many inputs: where results go, what is skipped, what is set aside."""

import gzip
import json
from errno import EIO
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.core.files import bounded_lines
from biobert.data import lines
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.batch import KEPT_MENTIONS, BatchResult
from biobert.pipeline.inputs import find_inputs
from biobert.pipeline.outputs import FolderPlan, write_spooled, write_whole
from tests.pipeline.conftest import run
from tests.tiny import write_tiny_model_folder


def test_every_input_gets_a_file_in_every_format(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    rejects = Rejects()
    formats = ("pubtator", "bioc-json", "html", "jsonl")
    result = run(annotator, [str(inputs)], rejects, output=str(out), formats=formats)
    assert result.documents == 5
    assert rejects.count == 1
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert len(names) == 3 * 4
    assert {"one.pubtator", "one~2.pubtator", "two.html"} <= names
    found = list(read_documents(out / "two.jsonl", "jsonl", Rejects()))
    assert len(found) == 3
    assert sum(result.labels.values()) > 0


def test_one_file_takes_all_documents(annotator: Annotator, inputs: Path, tmp_path: Path) -> None:
    target = tmp_path / "all.jsonl.gz"
    run(annotator, [str(inputs / "one.txt"), str(inputs / "two.pubtator")], output=str(target))
    assert len(list(read_documents(target, "jsonl", Rejects()))) == 4


def test_resuming_skips_what_is_done(annotator: Annotator, inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = [str(inputs / "one.txt"), str(inputs / "two.pubtator")]
    settings = {"output": str(out), "formats": ("jsonl",)}
    run(annotator, names[:1], **settings)
    stamp = (out / "one.jsonl").stat().st_mtime_ns
    # A line that a kill cut short counts as not done.
    with (out / ".biobert-done.jsonl").open("a") as stream:
        stream.write('{"input": "' + names[1])
    result = run(annotator, names, resume=True, **settings)
    assert result.skipped == 1
    assert result.documents == 3
    assert (out / "one.jsonl").stat().st_mtime_ns == stamp
    assert run(annotator, names, resume=True, **settings).skipped == 2
    (out / "two.jsonl").unlink()
    assert run(annotator, names, resume=True, **settings).documents == 3
    (inputs / "one.txt").write_text("Aspirin and breast cancer.")
    assert run(annotator, names, resume=True, **settings).documents == 1
    with pytest.raises(BadInputError, match="--resume needs a folder"):
        run(annotator, names, resume=True, output=str(tmp_path / "all.jsonl"))


def test_what_another_model_or_filter_did_is_done_again(
    annotator: Annotator, exported_model: Path, inputs: Path, tmp_path: Path
) -> None:
    names, settings = [str(inputs / "one.txt")], {"output": str(tmp_path / "out"), "resume": True}
    run(annotator, names, **settings)
    assert run(annotator, names, **settings).skipped == 1
    for other in ({"minimum_score": 0.9}, {"labels": ["Disease"]}):
        assert run(Annotator(exported_model, **other), names, **settings).skipped == 0


def test_a_path_is_known_however_it_is_spelled(
    annotator: Annotator, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    assert find_inputs(["../in/one.txt", "../run/../in/one.txt"], None) == ["../in/one.txt"]
    assert run(annotator, ["../in"], output="out", formats=("jsonl",)).documents == 5
    monkeypatch.chdir(tmp_path)
    again = run(annotator, ["in"], output="run/out", formats=("jsonl",), resume=True)
    assert (again.skipped, again.documents) == (3, 0)


def test_a_file_that_another_run_wrote_over_is_written_again(
    annotator: Annotator, exported_model: Path, inputs: Path, tmp_path: Path
) -> None:
    names, settings = [str(inputs / "one.txt")], {"output": str(tmp_path / "out"), "resume": True}
    run(annotator, names, formats=("jsonl", "pubtator"), **settings)
    strict = Annotator(exported_model, minimum_score=0.9)
    run(strict, names, formats=("pubtator",), **settings)
    assert run(strict, names, formats=("pubtator",), **settings).skipped == 1
    assert run(annotator, names, formats=("jsonl", "pubtator"), **settings).skipped == 0


def test_a_resumed_run_lists_again_what_was_set_aside(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    first, second = Rejects(), Rejects()
    settings = {"output": str(tmp_path / "out"), "formats": ("jsonl",)}
    run(annotator, [str(inputs / "two.pubtator")], first, **settings)
    result = run(annotator, [str(inputs)], second, resume=True, **settings)
    assert result.skipped == 1
    assert second.kept == first.kept != []


def test_inputs_of_one_name_keep_their_files(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def texts() -> dict[str, str]:
        documents = {path.name: next(read_documents(path)) for path in out.glob("[a-z]*")}
        return {name: document.text for name, document in documents.items()}

    first, second = str(inputs / "one.txt"), str(inputs / "deeper" / "one.txt")
    (inputs / "one~2.txt").write_text("Lithium.")
    settings = {"output": str(out), "formats": ("jsonl",), "resume": True}
    for names in ([second], [first], [str(inputs / "one~2.txt"), first, second]):
        run(annotator, names, **settings)
    assert texts() == {
        "one.jsonl": "Breast cancer.",
        "one~2.jsonl": "Aspirin and diabetes.",
        "one~2~2.jsonl": "Lithium.",
    }


@pytest.mark.parametrize("pattern", ["", "**/*.*"])
def test_results_inside_the_input_folder_are_no_inputs(
    annotator: Annotator, inputs: Path, pattern: str
) -> None:
    settings = {"output": str(inputs / "out"), "formats": ("jsonl",), "resume": True}
    assert run(annotator, [str(inputs / pattern)], **settings).documents == 5
    assert run(annotator, [str(inputs / pattern)], **settings).documents == 0
    with pytest.raises(BadInputError, match="is searched, and would be filled"):
        run(annotator, [str(inputs)], output=str(inputs))


def test_standard_input_is_never_done(
    annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("Aspirin.", "Lithium."):
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(text.encode())))
        run(annotator, ["-"], output=str(tmp_path / "out"), formats=("jsonl",), resume=True)
        assert next(read_documents(tmp_path / "out" / "stdin.jsonl")).text == text


def test_what_a_killed_run_left_is_cleared(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in (".one.jsonl.123.part", ".other.jsonl.123.part"):
        (out / name).touch()
    for resume in (False, True):
        (out / ".one.spool").touch()
        settings = {"output": str(out), "formats": ("jsonl",), "resume": resume}
        assert run(annotator, [str(inputs / "one.txt")], **settings).skipped == resume
        assert {path.name for path in out.iterdir()} == {
            *("one.jsonl", ".biobert-done.jsonl", ".other.jsonl.123.part")
        }


@pytest.mark.parametrize("resume", [False, True])
def test_two_runs_do_not_work_in_one_folder(
    resume: bool,
    annotator: Annotator,
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other would clear away what the first has begun, and its journal."""
    names = [str(inputs / "one.txt"), str(inputs / "two.pubtator")]
    settings = {"output": str(tmp_path / "out"), "formats": ("jsonl",)}

    def write_late(*arguments: Any) -> None:
        with pytest.raises(BadInputError, match="out: another run is at work there"):
            run(annotator, names, resume=resume, **settings)
        write_spooled(*arguments)

    monkeypatch.setattr("biobert.pipeline.batch.write_spooled", write_late)
    assert run(annotator, names, **settings).documents == 4
    monkeypatch.undo()
    assert run(annotator, names, resume=True, **settings).skipped == 2


def test_two_runs_do_not_work_on_one_input(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    plan = FolderPlan([str(inputs / "one.txt")], tmp_path / "out", ("jsonl",), by="x", resume=True)
    (one,) = plan.waiting
    with one.spool(), pytest.raises(BadInputError, match="another run is at work"):
        one.spool()


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("classification", {"labels": ["a", "b"]}),
        ("relations", {"labels": ["a"], "pairs": [["Chemical", "Disease"]]}),
        (
            "multitask",
            {
                "parts": {
                    "names": {"name": "ner", "labels": ["Chemical"]},
                    "answers": {"name": "classification", "labels": ["a", "b"]},
                }
            },
        ),
    ],
)
def test_sentences_are_counted_whatever_is_answered(
    task: str, settings: dict[str, object], tmp_path: Path
) -> None:
    model = write_tiny_model_folder(tmp_path / "model", task=task, others=settings)
    (tmp_path / "one.txt").write_text("Aspirin helped. Lithium did not. Diabetes is common.")
    result = run(Annotator(model), [str(tmp_path / "one.txt")], output=str(tmp_path / "a.jsonl"))
    assert (result.documents, result.sentences) == (1, 3)


def test_the_rarest_of_many_mentions_are_forgotten() -> None:
    result, other = BatchResult("x"), BatchResult("x")
    result.mentions.update({(str(number), "Disease"): 2 for number in range(KEPT_MENTIONS)})
    other.mentions.update({(str(number), "Disease"): 1 for number in range(3 * KEPT_MENTIONS)})
    result.add(other)
    assert len(result.mentions) == KEPT_MENTIONS
    assert set(result.mentions.values()) == {3}


def test_an_empty_input_has_an_empty_output_in_its_turn(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    (inputs / "aaa.pubtator").write_text("")
    (inputs / "two-none.jsonl").write_text("")
    out = tmp_path / "out"
    result = run(annotator, [str(inputs)], output=str(out), formats=("jsonl",))
    assert (out / "aaa.jsonl").read_text() == (out / "two-none.jsonl").read_text() == ""
    assert len(list(read_documents(out / "two.jsonl", "jsonl", Rejects()))) == 3
    assert result.documents == 5
    assert len(result.outputs) == 5


def test_an_input_that_cannot_be_read_is_set_aside(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    (inputs / "two.xml").write_bytes(b"\x00 neither BioC nor JATS nor PubMed")
    packed = gzip.compress(b'{"text": "Zinc."}\n' * 2000)
    (inputs / "yyy.jsonl.gz").write_bytes(packed[:-20])
    (inputs / "zzz.txt").write_text("Diabetes.")
    out, rejects = tmp_path / "out", Rejects()
    settings = {"output": str(out) + "/", "formats": ("jsonl",)}
    result = run(annotator, [str(inputs)], rejects, **settings)
    assert {path.name for path in out.glob("[a-z]*.jsonl")} == {
        *("one.jsonl", "one~2.jsonl", "two.jsonl", "zzz.jsonl")
    }
    assert [Path(path).name for path in result.unreadable] == ["two.xml", "yyy.jsonl.gz"]
    assert result.documents == 6
    assert [one.place for one in rejects.kept if one.file == "yyy.jsonl.gz"] == ["file"]
    (inputs / "yyy.jsonl.gz").write_bytes(packed)
    again = run(annotator, [str(inputs)], resume=True, **settings)
    assert (again.skipped, again.documents, len(again.unreadable)) == (4, 2000, 1)


def test_a_fault_of_the_disk_sets_one_input_aside(
    annotator: Annotator, inputs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def read(path: Path, rejects: Rejects) -> None:
        raise OSError(EIO, "Input/output error", str(path))

    monkeypatch.setattr("biobert.data.formats.text.read", read)
    result = run(annotator, [str(inputs)], output=str(tmp_path / "out"))
    assert list(result.unreadable.values()) == ["Input/output error"] * 2
    assert result.documents == 3


@pytest.mark.parametrize("name", ["notes.docx", "page.html"])
def test_a_named_file_without_a_format_is_refused_before_the_work(
    annotator: Annotator, inputs: Path, tmp_path: Path, name: str
) -> None:
    (inputs / name).touch()
    with pytest.raises(BadInputError, match=name.replace("page", "cannot be read|")):
        run(annotator, [str(inputs / "*.*")], output=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_no_document_is_too_long_for_several_formats(
    annotator: Annotator, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "bounded_lines", lambda stream, _: bounded_lines(stream, 50))
    settings = {"output": str(tmp_path / "out"), "formats": ("pubtator", "jsonl")}
    run(annotator, [str(inputs / "one.txt")], **settings)
    assert "Aspirin" in (tmp_path / "out" / "one.pubtator").read_text()


def test_what_a_killed_run_may_have_replaced_is_done_again(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    names, formats = [str(inputs / "one.txt")], ("jsonl", "html")
    settings = {"output": str(tmp_path / "out"), "formats": formats, "resume": True}
    run(annotator, names, **settings)
    before = (tmp_path / "out" / "one.jsonl").read_text()
    (plan,) = FolderPlan(names, tmp_path / "out", formats, by="another", resume=True).waiting
    write_whole([], plan.targets["jsonl"], "jsonl")  # and there it is killed
    assert run(annotator, names, **settings).documents == 1
    assert (tmp_path / "out" / "one.jsonl").read_text() == before


def test_a_pair_deeper_in_a_folder_is_one_input_and_what_is_hidden_none(
    annotator: Annotator, tmp_path: Path
) -> None:
    for name in ("train/b.txt", "train/b.ann", "train/c.txt", ".snapshot/b.txt"):
        place = tmp_path / "corpus" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("" if name.endswith(".ann") else "Aspirin.")
    names, settings = [str(tmp_path / "corpus")], {"output": str(tmp_path / "out"), "resume": True}
    found = find_inputs(names, None)
    assert [Path(one).name for one in found] == ["b.ann", "c.txt"]
    assert run(annotator, names, **settings).documents == 2
    (tmp_path / "corpus" / "train" / "b.txt").write_text("Aspirin and diabetes.")
    assert run(annotator, names, **settings).documents == 1


def test_into_one_file_goes_all_that_can_be_read(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    (inputs / "aaa.xml").write_bytes(b"\x00 neither BioC nor JATS nor PubMed")
    target = tmp_path / "all.jsonl"
    result = run(annotator, [str(inputs)], output=str(target))
    assert len(result.unreadable) == 1
    assert len(list(read_documents(target))) == result.documents == 5
    with pytest.raises(BadInputError, match="unknown format"):
        run(annotator, [str(inputs)], source_format="pubtater")


def test_globs_and_folders_are_expanded(inputs: Path) -> None:
    found = find_inputs([str(inputs / "**" / "*.txt")], None)
    assert [Path(one).name for one in found] == ["one.txt", "one.txt"]
    assert find_inputs([*found, str(inputs / "one.txt")], None) == found
    with pytest.raises(BadInputError, match=r"no such file, folder or pattern: .*nothing"):
        find_inputs([str(inputs / "nothing*.txt")], None)


def test_files_of_a_folder_that_cannot_be_read_are_passed_over(inputs: Path) -> None:
    before = find_inputs([str(inputs)], None)
    (inputs / "page.html").write_text("<p>Aspirin</p>")
    assert find_inputs([str(inputs)], None) == before


def test_the_summary_without_an_output_shows_the_texts(annotator: Annotator, inputs: Path) -> None:
    result = run(annotator, [str(inputs / "one.txt")])
    (document,) = result.shown
    assert document.text == "Aspirin and diabetes."
    assert json.dumps(result.labels) != "{}"
