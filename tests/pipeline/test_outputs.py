"""What a run may replace, and what it never does."""

import gzip
import json
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError
from biobert.pipeline.annotator import Annotator
from tests.pipeline.conftest import run


def test_an_input_is_never_written_over(annotator: Annotator, inputs: Path) -> None:
    gold = '{"id": "7", "text": "Aspirin.", "labels": ["mine"]}\n'
    (inputs / "gold.jsonl").write_text(gold)
    for output in (str(inputs), str(inputs / "gold.jsonl")):
        with pytest.raises(BadInputError, match=r"gold\.jsonl is an input"):
            run(annotator, [str(inputs / "gold.jsonl")], output=output, formats=("jsonl",))
    assert (inputs / "gold.jsonl").read_text() == gold


def test_a_brat_folder_is_written_whole_or_not_at_all(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    folder, settings = tmp_path / "out" / "two", {"output": str(tmp_path / "out")}

    def texts(*ids: int) -> dict[str, object]:
        lines = (json.dumps({"id": str(one), "text": "Aspirin."}) + "\n" for one in ids)
        (inputs / "two.jsonl").write_text("".join(lines))
        run(annotator, [str(inputs / "two.jsonl")], formats=("brat", "html"), **settings)
        return {path.name for path in folder.iterdir()}

    pairs = {f"{n}.{ending}" for n in (1, 2, 3) for ending in ("txt", "ann")}
    assert texts(1, 2, 3) == {".biobert", *pairs}
    assert texts(4) == {".biobert", "4.txt", "4.ann"}
    packed = gzip.compress(b'{"text": "Zinc."}\n' * 2000)
    (inputs / "zzz.jsonl.gz").write_bytes(packed[:-20])
    (tmp_path / "out" / ".zzz.part").mkdir()
    run(annotator, [str(inputs / "zzz.jsonl.gz")], formats=("brat",), **settings)
    assert not list((tmp_path / "out").glob("*zzz*"))
    (folder / "notes.md").touch()
    with pytest.raises(BadInputError, match="is not what an earlier run wrote there"):
        texts(5)


@pytest.mark.parametrize("name", ["gold.ann", "1.ann"])
def test_annotations_of_a_person_are_never_replaced(
    annotator: Annotator, inputs: Path, tmp_path: Path, name: str
) -> None:
    source, out = inputs / "x.jsonl", tmp_path / "out"
    source.write_text('{"id": "1", "text": "Aspirin."}\n')
    run(annotator, [str(source)], output=str(out), formats=("brat",))
    (out / "x" / name).write_text("T1\tChemical 0 7\tAspirin\n")
    with pytest.raises(BadInputError, match="move it, or name another place"):
        run(annotator, [str(source)], output=str(out), formats=("brat",))
    assert (out / "x" / name).read_text() == "T1\tChemical 0 7\tAspirin\n"


def test_a_file_is_not_replaced_by_a_folder(
    annotator: Annotator, inputs: Path, tmp_path: Path
) -> None:
    names, out = [str(inputs / "one.txt")], tmp_path / "out"
    out.mkdir()
    for file, output in ((out / "one", out), (out / "one.ann", out / "one.ann")):
        file.write_text("precious")
        with pytest.raises(BadInputError, match="move it, or name another place"):
            run(annotator, names, output=str(output), formats=("brat",))
        assert file.read_text() == "precious"


def test_the_text_of_a_pair_is_never_written_over(annotator: Annotator, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Aspirin.")
    (tmp_path / "a.ann").touch()
    with pytest.raises(BadInputError, match=r"a\.txt is an input"):
        run(annotator, [str(tmp_path / "a.ann")], output=str(tmp_path), formats=("text",))


@pytest.mark.parametrize("format", ["pubtater", "pubmed"])
def test_a_format_that_cannot_be_written_is_refused_before_anything_is_forgotten(
    annotator: Annotator, inputs: Path, tmp_path: Path, format: str
) -> None:
    names, settings = [str(inputs / "one.txt")], {"output": str(tmp_path / "out")}
    run(annotator, names, **settings)
    with pytest.raises(BadInputError, match="pubtator"):
        run(annotator, names, formats=(format,), **settings)
    assert run(annotator, names, resume=True, **settings).skipped == 1
    with pytest.raises(BadInputError, match="pubtator"):
        run(annotator, names, output=str(tmp_path / "other"), formats=(format,))
    assert not (tmp_path / "other").exists()
