"""Annotation on a small Ray cluster of this machine: the same files as without it."""

import os
from errno import ENOSPC
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.batch import Destination, annotate_inputs
from biobert.runtime.settings import RuntimeSettings
from tests.cli.calling import call

ABSTRACT = "{0}|t|Lithium and the heart\n{0}|a|Lithium caused cardiac arrest, {0}.\n\n"

pytestmark = [
    # Its own: it sets defaults that it has deprecated.
    pytest.mark.filterwarnings("ignore:.*is deprecated.*:DeprecationWarning:ray"),
]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.pubtator").write_text(ABSTRACT.format(number) + "no line\n\n")
    return folder


@pytest.mark.usefixtures("cluster")
def test_workers_write_the_same_files_and_a_stopped_run_goes_on(
    exported_model: Path, inputs: Path, tmp_path: Path
) -> None:
    from biobert.pipeline.scale import RayWorkers, annotate_on_ray

    make = partial(Annotator, exported_model, settings=RuntimeSettings(threads=1))
    alone, spread = Rejects(), Rejects()
    here = Destination(str(tmp_path / "here"), ("jsonl", "pubtator"))
    there = Destination(str(tmp_path / "there"), ("jsonl", "pubtator"), resume=True)
    whole = annotate_inputs([str(inputs)], make(), here, alone)
    first = annotate_inputs([str(inputs / "03.pubtator")], make(), there, Rejects())
    result = annotate_on_ray([str(inputs)], make, there, spread, workers=RayWorkers(2))
    for path in (tmp_path / "here").glob("[0-9]*"):
        assert (tmp_path / "there" / path.name).read_bytes() == path.read_bytes()
    assert (result.documents, result.skipped) == (19, 1)
    assert not list((tmp_path / "there").glob(".*.spool"))
    assert spread.count == alone.count == 20
    assert result.labels + first.labels == whole.labels
    again = annotate_on_ray([str(inputs)], make, there, Rejects(), workers=RayWorkers(2))
    assert (again.documents, again.skipped) == (0, 20)
    with pytest.raises(BadInputError, match="name one as --output"):
        annotate_on_ray(["-"], make, Destination("-"), Rejects(), workers=RayWorkers(2))


@pytest.mark.usefixtures("cluster")
def test_paths_are_those_of_the_caller(
    exported_model: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    copytree(exported_model, "model")
    wanted = ("-o", "v1.0/", "--to", "jsonl", "--model", "model", "--workers", 1)
    found = call("annotate", "in/0[12].*", *wanted)
    assert found.code == 0, found.err
    assert {path.name for path in (tmp_path / "v1.0").glob("[0-9]*")} == {"01.jsonl", "02.jsonl"}
    assert os.environ.pop("RAY_USAGE_STATS_ENABLED") == "0"
    assert "standard input is this process's own" in call("annotate", "in", "-", *wanted).err


def test_a_worker_with_a_full_disk_says_what_it_has_done(
    exported_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale = pytest.importorskip("biobert.pipeline.scale", exc_type=ImportError)

    def annotate(*arguments: Any) -> None:
        arguments[-1]("one.txt", Rejects())
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(scale, "annotate_outputs", annotate)
    worker = scale._Worker(partial(Annotator, exported_model), Destination("out"))
    part = worker({"inputs": []})
    assert list(part["done"]) == ["one.txt"]
    assert part["problem"].errno == ENOSPC


@pytest.mark.usefixtures("cluster")
def test_an_input_that_cannot_be_read_is_set_aside_by_its_worker(
    exported_model: Path, inputs: Path, tmp_path: Path
) -> None:
    from biobert.pipeline.scale import RayWorkers, annotate_on_ray

    (inputs / "01.pubtator").rename(inputs / "01.xml")
    make = partial(Annotator, exported_model, settings=RuntimeSettings(threads=1))
    settings = Destination(str(tmp_path / "out"), ("jsonl",), resume=True)
    rejects, workers = Rejects(), RayWorkers(2)
    result = annotate_on_ray([str(inputs)], make, settings, rejects, workers=workers)
    assert [Path(path).name for path in result.unreadable] == ["01.xml"]
    assert (result.documents, rejects.count) == (19, 20)
    again = annotate_on_ray([str(inputs)], make, settings, Rejects(), workers=workers)
    assert (again.skipped, len(again.unreadable)) == (19, 1)
    wrong = Destination(str(tmp_path / "out"), ("jsonl",), source_format="pubtater")
    with pytest.raises(BadInputError, match="pubtator"):
        annotate_on_ray([str(inputs)], make, wrong, Rejects(), workers=workers)
