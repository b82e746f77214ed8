"""Annotating many inputs: where results go, what is skipped, what is set aside."""

import json
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.batch import BatchResult, BatchSettings, annotate_inputs
from biobert.pipeline.inputs import find_inputs

ABSTRACT = "1|t|Lithium and the heart\n1|a|Lithium caused cardiac arrest in breast cancer.\n\n"


@pytest.fixture(scope="module")
def annotator(exported_model: Path) -> Annotator:
    return Annotator(exported_model)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deeper").mkdir(parents=True)
    (folder / "one.txt").write_text("Aspirin and diabetes.")
    (folder / "two.pubtator").write_text(ABSTRACT * 3 + "not a line of PubTator\n\n")
    (folder / "deeper" / "one.txt").write_text("Breast cancer.")
    return folder


def run(
    annotator: Annotator, names: list[str], rejects: Rejects | None = None, **settings: object
) -> BatchResult:
    chosen = BatchSettings(**settings)  # type: ignore[arg-type]
    return annotate_inputs(names, annotator, chosen, rejects or Rejects())


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
    assert {"one~1.pubtator", "one~2.pubtator", "two.html"} <= names
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


def test_an_input_that_cannot_be_read_leaves_those_before_it_done(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    (inputs / "two.xml").write_bytes(b"\x00 neither BioC nor JATS nor PubMed")
    (inputs / "zzz.txt").write_text("Diabetes.")
    out = tmp_path / "out"
    names = [str(inputs / name) for name in ("one.txt", "two.pubtator", "two.xml", "zzz.txt")]
    with pytest.raises(BadInputError, match=r"two\.xml"):
        run(annotator, names, output=str(out) + "/", formats=("jsonl",))
    assert {path.name for path in out.glob("[a-z]*.jsonl")} == {"one.jsonl", "two~1.jsonl"}
    with pytest.raises(BadInputError, match=r"two\.xml"):
        run(annotator, names, output=str(tmp_path / "all.jsonl"))
    assert not (tmp_path / "all.jsonl").exists()


def test_globs_and_folders_are_expanded(inputs: Path) -> None:
    found = find_inputs([str(inputs / "**" / "*.txt")], None)
    assert [Path(one).name for one in found] == ["one.txt", "one.txt"]
    assert find_inputs([*found, str(inputs / "one.txt")], None) == found
    with pytest.raises(BadInputError, match=r"no such file, folder or pattern: .*nothing"):
        find_inputs([str(inputs / "nothing*.txt")], None)


def test_the_summary_without_an_output_shows_the_texts(annotator: Annotator, inputs: Path) -> None:
    result = run(annotator, [str(inputs / "one.txt")])
    (document,) = result.shown
    assert document.text == "Aspirin and diabetes."
    assert json.dumps(result.labels) != "{}"
