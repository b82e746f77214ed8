"""A build gives the same bytes whatever runs it, and however often it is killed."""

import bz2
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.data.building import CorpusSettings, Ingredients, Run, build_corpus
from biobert.data.catalogue import load_corpus
from biobert.data.cleaning import FilterSettings
from biobert.data.contamination import TestSplits, catalogued_test_splits
from biobert.data.duplicates import DuplicateSettings
from biobert.data.rejects import Rejects
from biobert.data.shards import TokenCorpus, open_corpus
from biobert.data.sources import find_sources
from biobert.data.workers import LocalEngine
from biobert.text.sentences import sentences_of
from tests.data.articles import jats, prose, pubmed, write_tar
from tests.data.built import SMALL, build, checksums, identifiers
from tests.tiny import tiny_tokenizer


def sentences(corpus: TokenCorpus) -> list[list[int]]:
    found = []
    for number in range(len(corpus.shards)):
        shard = corpus.load(number)
        ends = [0, *shard.sentence_ends.tolist()]
        found += [shard.tokens[a:b].tolist() for a, b in pairwise(ends)]
    return found


def test_documents_become_the_ids_of_their_sentences_in_order(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    for number in range(3):
        (place / f"{number}.txt").write_text(f"{prose(number)}\n\n{prose(number + 50)}")
    build(place, tmp_path / "out", settings=CorpusSettings(heldout_share=0.0))
    corpus = open_corpus(tmp_path / "out")
    texts = []
    for number in range(3):
        document = Document("", f"{prose(number)}\n\n{prose(number + 50)}")
        texts += [document.text[one.start : one.end] for one in sentences_of(document)]
    expected = [one.ids.tolist() for one in tiny_tokenizer().pieces(texts)]
    assert sentences(corpus) == expected
    shard = corpus.load(0)
    assert shard.document_ends.tolist() == [8, 16, 24]
    assert shard.tokens.dtype == np.uint16
    assert [one["id"] for one in corpus.document_records(0)] == ["0", "1", "2"]
    manifest = corpus.manifest
    assert manifest.tokenizer == tiny_tokenizer().fingerprint()
    assert manifest.total("train", "text_bytes") == sum(map(len, texts))


def test_the_manifest_tells_all_and_nothing_of_the_machine(folder: Path, tmp_path: Path) -> None:
    rejects = Rejects()
    manifest = build(folder, tmp_path / "out", rejects=rejects)
    kept = sum(shard.documents for shard in manifest.shards)
    assert manifest.rejects == {"duplicate, exact": 1, "too short": 1, "not a document": 1}
    assert rejects.count == 3
    assert kept == 25 + 40 + 1 == sum(manifest.licences.values())
    assert manifest.licences == {"cc-by": 25, "unknown": 41}
    assert [one["name"] for one in manifest.sources][:2] == ["in/a.tar.gz", "in/b.xml"]
    for one in manifest.sources:
        path = folder / one["name"].removeprefix("in/")
        assert one["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(tmp_path) not in (tmp_path / "out" / "manifest.json").read_text()
    assert len([one for one in manifest.shards if one.split == "train"]) > 2
    assert not list((tmp_path / "out").glob(".*"))


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


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_workers_changes_nothing(folder: Path, tmp_path: Path, workers: int) -> None:
    alone, many = Rejects(), Rejects()
    build(folder, tmp_path / "one", rejects=alone)
    build(folder, tmp_path / "many", workers=workers, rejects=many)
    assert checksums(tmp_path / "one") == checksums(tmp_path / "many")
    assert alone.kept == many.kept


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

    sources = find_sources([str(folder)], format=None, data_root=None, cache=folder)
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


EXACT = DuplicateSettings(near="none")


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
    sources = find_sources([str(place)], format="jsonl", data_root=None, cache=place)
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


@pytest.mark.parametrize("content", ["{", "{}", '{"rejects": 3}'])
def test_a_damaged_state_says_so(folder: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / ".build.json").write_text(content)
    with pytest.raises(BadInputError, match=r"\.build\.json: damaged"):
        build(folder, tmp_path, start="resume")


def test_the_same_documents_are_held_out_whatever_their_order_and_tokenizer(
    folder: Path, tmp_path: Path
) -> None:
    names = sorted(str(path) for path in folder.iterdir())
    build(folder, tmp_path / "a", names=names)
    build(folder, tmp_path / "b", names=names[::-1])
    held = set(identifiers(tmp_path / "a", "heldout"))
    assert 3 <= len(held) <= 30
    assert held - {"c", "d"} == set(identifiers(tmp_path / "b", "heldout")) - {"c", "d"}
    assert not held & set(identifiers(tmp_path / "a", "train"))
    build(folder, tmp_path / "c", names=names, settings=replace(SMALL, seed=2))
    assert set(identifiers(tmp_path / "c", "heldout")) != held


def test_near_duplicates_go_and_can_be_kept(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.txt").write_text(prose(1, 60))
    (place / "b.txt").write_text(prose(1, 59) + " It is an other end.")
    (place / "c.txt").write_text(prose(2, 60))
    assert build(place, tmp_path / "out").rejects == {"duplicate, near": 1}
    assert sorted(identifiers(tmp_path / "out")) == ["a", "c"]
    kept = build(place, tmp_path / "all", settings=CorpusSettings(duplicates=EXACT))
    assert kept.rejects == {}


def test_deleted_citations_are_dropped_wherever_the_deletion_stands(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.xml").write_text(pubmed([1, 2, 3]))
    (place / "b.xml").write_text(pubmed([4], deleted=(2, 99)))
    manifest = build(place, tmp_path / "out")
    assert sorted(identifiers(tmp_path / "out")) == ["1", "3", "4"]
    assert manifest.rejects == {"deleted citation": 1}


def test_documents_of_test_splits_are_left_out_and_training_splits_live(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    shared = [prose(number, 1) for number in range(3)]
    corpus = load_corpus("NCBI-disease")

    def conll(texts: list[str]) -> str:
        return "\n".join("".join(f"{word}\tO\n" for word in one.split()) for one in texts)

    for split, texts in (
        ("test", shared),
        ("train", [*shared, *(prose(number, 1) for number in range(10, 30))]),
    ):
        path = place / corpus.splits[split].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(conll(texts) + "\n")
    whole, once = place / "whole.txt", place / "once.txt"
    whole.write_text(f"{shared[0]} {prose(40)} {shared[1]}")
    once.write_text(f"{shared[0]} {prose(50)}")
    splits = catalogued_test_splits(data_root=place, cache=place)
    names = [str(whole), str(once), "NCBI-disease:train"]
    manifest = build(place, tmp_path / "out", names=names, test_splits=splits)
    assert manifest.rejects == {"test split of NCBI-disease": 1}
    assert manifest.removed == {"test sentence of NCBI-disease": 4}
    assert sorted(identifiers(tmp_path / "out")) == ["once", "train-1"]
    assert "BC5CDR" in manifest.absent_test_splits
    found = [
        tuple(one)
        for split in ("train", "heldout")
        for one in sentences(open_corpus(tmp_path / "out", split))
    ]  # type: ignore[arg-type]
    assert len(found) == 4 + 20
    assert not set(found) & {tuple(one.ids) for one in tiny_tokenizer().pieces(shared)}
    kept = build(place, tmp_path / "all", names=names)
    assert kept.rejects == {} and kept.removed == {}


def test_licences_are_filtered_and_counted(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    licences = ["http://creativecommons.org/licenses/by/4.0/"] * 2 + ["Some terms", ""]
    for number, licence in enumerate(licences):
        (place / f"{number}.nxml").write_text(jats(number, licence=licence))
    settings = replace(SMALL, filter=FilterSettings(licences=("cc-by", "unknown")))
    manifest = build(place, tmp_path / "out", settings=settings)
    assert manifest.licences == {"cc-by": 2, "unknown": 1}
    assert manifest.rejects == {"licence other": 1}
