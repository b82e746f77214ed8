"""A build that was stopped, killed or damaged goes on, or says why not."""

import bz2
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.data.building import CorpusSettings, Ingredients, Run, build_corpus
from biobert.data.cleaning import FilterSettings
from biobert.data.contamination import TestSplits
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.data.sources import find_sources
from biobert.data.workers import LocalEngine
from tests.data.articles import jats, prose, write_tar
from tests.data.built import EXACT, SMALL, build, checksums, identifiers
from tests.tiny import tiny_tokenizer


def test_every_file_of_a_folder_is_read_or_counted(folder: Path, tmp_path: Path) -> None:
    plain = write_tar(tmp_path / "x.tar", {f"{one}.nxml": jats(one) for one in range(30, 33)})
    (folder / "f.tgz").write_bytes(gzip.compress(plain.read_bytes()))
    (folder / "g.tar.bz2").write_bytes(bz2.compress(plain.read_bytes()))
    (folder / "h.NXML.GZ").write_bytes(gzip.compress(jats(33).encode()))
    (folder / "README").write_text(prose(700))
    before = build(folder, tmp_path / "whole")
    assert [one["name"] for one in before.sources][-3:] == [
        "in/f.tgz",
        "in/g.tar.bz2",
        "in/h.NXML.GZ",
    ]
    kept = identifiers(tmp_path / "whole")
    assert {f"PMC{90_000 + one}" for one in range(30, 34)} <= set(kept)
    assert before.rejects["ending not known"] == 1
    assert before.rejects["duplicate, exact"] == 1 + 3
    # A build that is killed and goes on counts it once.
    killed(folder, tmp_path / "killed", "write_state", 3, 1)
    rejects = Rejects()
    assert build(folder, tmp_path / "killed", start="resume", rejects=rejects) == before
    assert [one.file for one in rejects.kept].count("README") == 1
    assert checksums(tmp_path / "killed") == checksums(tmp_path / "whole")


DYING = """
import json, os, signal, sys
from multiprocessing import active_children
from pathlib import Path
from biobert.data import building
from tests.data.built import build

def deadly(function):
    calls = 0
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == count:
            print(json.dumps([one.pid for one in active_children()]), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call

if __name__ == "__main__":
    folder, output, place, count, workers = json.loads(sys.argv[1])
    calls = 0
    setattr(building, place, deadly(getattr(building, place)))
    build(Path(folder), Path(output), start="resume", workers=workers)
"""


def killed(folder: Path, output: Path, place: str, count: int, workers: int) -> list[int]:
    """Run a build that kills itself at the given call; the workers that it leaves."""
    script = output.with_suffix(".py")
    script.write_text(DYING)
    argument = json.dumps([str(folder), str(output), place, count, workers])
    root = Path(__file__).parents[2]
    died = subprocess.run(
        [sys.executable, str(script), argument],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == -9, died.stderr
    left: list[int] = json.loads(died.stdout)
    return left


@pytest.mark.parametrize(
    ("place", "count", "workers"),
    [
        ("write_shard", 1, 1),
        ("write_shard", 4, 2),
        ("write_state", 1, 1),
        ("write_state", 3, 2),
        ("write_manifest", 1, 1),
        ("clear_state", 1, 1),
    ],
)
def test_a_killed_build_ends_with_the_same_bytes(
    folder: Path, tmp_path: Path, place: str, count: int, workers: int
) -> None:
    whole, resumed = Rejects(), Rejects()
    manifest = build(folder, tmp_path / "whole", rejects=whole)
    killed(folder, tmp_path / "killed", place, count, workers)
    assert build(folder, tmp_path / "killed", start="resume", rejects=resumed) == manifest
    assert checksums(tmp_path / "killed") == checksums(tmp_path / "whole")
    if place != "clear_state":
        assert resumed.kept == whole.kept


def test_a_build_may_be_killed_again_and_again(folder: Path, tmp_path: Path) -> None:
    build(folder, tmp_path / "whole")
    for _ in range(3):
        killed(folder, tmp_path / "killed", "write_state", 2, 1)
    build(folder, tmp_path / "killed", start="resume")
    assert checksums(tmp_path / "killed") == checksums(tmp_path / "whole")


def test_the_workers_of_a_killed_build_leave_too(folder: Path, tmp_path: Path) -> None:
    workers = killed(folder, tmp_path / "killed", "write_state", 1, 2)
    assert len(workers) == 2
    for _ in range(100):
        if not any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):
            return
        time.sleep(0.1)
    pytest.fail(f"workers {workers} live on")


def test_duplicates_of_documents_before_the_kill_are_found_after_it(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    for number in range(12):
        (place / f"{number:02}.txt").write_text(prose(number % 6, 40))
    settings = replace(SMALL, shard_tokens=1, packet_bytes=1, heldout_share=0.0)
    output = tmp_path / "out"
    manifest = build(place, tmp_path / "whole", settings=settings)
    assert manifest.rejects == {"duplicate, exact": 6}
    state = _stop_after(place, output, settings, packets=8)
    assert state["position"] != {"unit": 0, "packet": 0}
    assert build(place, output, settings=settings, start="resume") == manifest


def _stop_after(
    folder: Path, output: Path, settings: CorpusSettings, *, packets: int
) -> dict[str, Any]:
    """A build that is interrupted in this process; what it leaves for the next."""

    class Interrupted(LocalEngine):
        def __call__(self, work: Any) -> Any:
            for number, packet in enumerate(super().__call__(work)):
                if number == packets:
                    raise KeyboardInterrupt
                yield packet

    sources = find_sources([str(folder)], format=None, places=CorpusPlaces(folder))
    with pytest.raises(KeyboardInterrupt):
        build_corpus(sources, output, Ingredients(tiny_tokenizer()), settings, Run(Interrupted(1)))
    state: dict[str, Any] = json.loads((output / ".build.json").read_text())
    return state


def test_another_build_is_neither_overwritten_nor_mixed_with(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    build(folder, output)
    with pytest.raises(BadInputError, match="--resume"):
        build(folder, output)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("filter.minimum_words was 20 and is now 30", {"filter": FilterSettings(30)}),
        ("heldout_share was 0.2 and is now 0.1", {"heldout_share": 0.1}),
        ("seed was 1 and is now 2", {"seed": 2}),
        ("shard_tokens was", {"shard_tokens": 9}),
        ("duplicates.near was 'minhash' and is now 'none'", {"duplicates": EXACT}),
    ]
    for message, change in changes:
        with pytest.raises(BadInputError, match=message):
            build(folder, output, start="resume", settings=replace(SMALL, **change))
    with pytest.raises(BadInputError, match="test_splits was 'keep' and is now 'exclude"):
        build(folder, output, start="resume", test_splits=TestSplits())
    before = checksums(output)
    assert build(folder, output, start="resume").total("train", "documents") > 0
    assert checksums(output) == before


def test_a_stopped_build_is_not_begun_anew_nor_resumed_with_other_sources(
    folder: Path, tmp_path: Path
) -> None:
    _stop_after(folder, tmp_path / "out", SMALL, packets=12)
    with pytest.raises(BadInputError, match="--resume"):
        build(folder, tmp_path / "out")
    (folder / "c.txt").write_text(prose(601))
    with pytest.raises(BadInputError, match=r"sources\.2 in/c\.txt was"):
        build(folder, tmp_path / "out", start="resume")


def test_a_stopped_build_is_not_resumed_in_another_format(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    for number in range(3):
        (place / f"{number}.txt").write_text(f'{{"text": "{prose(number)}"}}\n')
    settings = replace(SMALL, shard_tokens=1, packet_bytes=1)
    _stop_after(place, tmp_path / "out", settings, packets=2)
    again = Run(LocalEngine(1), start="resume")
    sources = find_sources([str(place)], format="jsonl", places=CorpusPlaces(place))
    with pytest.raises(BadInputError, match=r"sources\.0 in/0\.txt was 'text .* now 'jsonl "):
        build_corpus(sources, tmp_path / "out", Ingredients(tiny_tokenizer()), settings, again)


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_damaged_marks_are_named(folder: Path, tmp_path: Path, keep: float) -> None:
    output = tmp_path / "out"
    _stop_after(folder, output, SMALL, packets=12)
    marks = sorted(output.glob(".marks-*.npz"))[0]
    marks.write_bytes(marks.read_bytes()[: int(keep * marks.stat().st_size)])
    with pytest.raises(BadInputError, match=r"\.marks-00000\.npz: damaged"):
        build(folder, output, start="resume")


@pytest.mark.parametrize("ended", [True, False])
def test_a_damaged_shard_is_named_before_a_build_goes_on(
    folder: Path, tmp_path: Path, ended: bool
) -> None:
    output = tmp_path / "out"
    if ended:
        build(folder, output)
    else:
        killed(folder, output, "write_shard", 4, 1)
    shard = output / "train-00000.tokens.npy"
    content = bytearray(shard.read_bytes())
    content[-3] ^= 1
    shard.write_bytes(content)
    before = checksums(output)
    with pytest.raises(BadInputError, match=rf"{shard}.*remove {output} and build anew"):
        build(folder, output, start="resume")
    assert checksums(output) == before
    shutil.rmtree(output)
    build(folder, output)
    build(folder, tmp_path / "whole")
    assert checksums(output) == checksums(tmp_path / "whole")


@pytest.mark.parametrize("content", ["{", "{}", '"x"', "[]", '{"rejects": 3}'])
def test_a_damaged_state_says_so(folder: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / ".build.json").write_text(content)
    with pytest.raises(BadInputError, match=r"\.build\.json: damaged"):
        build(folder, tmp_path, start="resume")
