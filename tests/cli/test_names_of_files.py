"""Files whose names are no UTF-8, as old archives and other systems leave them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.pipeline.embedding_files import texts_of
from tests.cli.calling import Call

TEXT = "Aspirin caused an ulcer."
NAMES = (b"a.txt", b"caf\xe9.txt", b"z.txt")
SHOWN = {"a.txt", "caf\ufffd.txt", "z.txt"}


def shell(*arguments: object) -> Call:
    """`biobert ARGUMENTS` in a process, whose output takes UTF-8 alone, as a pipe's does."""
    done = subprocess.run(
        [sys.executable, "-m", "biobert", *map(str, arguments)],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        check=False,
    )
    return Call(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    for name in NAMES:
        (made / os.fsdecode(name)).write_text(TEXT)
    return made


def test_a_folder_is_annotated_and_the_run_goes_on(folder: Path) -> None:
    (folder / os.fsdecode(b"b\xe9.txt")).write_bytes(TEXT.encode() + b" caf\xe9")
    output, rejects = folder.parent / "out", folder.parent / "rejects.jsonl"
    asked = ("annotate", folder, "-o", output, "--to", "jsonl", "--to", "brat", "--resume")
    for skipped in (0, 4):
        done = shell(*asked, "--rejects", rejects, "--json")
        assert done.code == 0, done.err
        assert (done.json["data"]["skipped"], done.json["data"]["set_aside"]) == (skipped, 1)
        assert json.loads(rejects.read_text())["file"] == "b\ufffd.txt"
    (document,) = read_documents(output / "caf\ufffd.jsonl")
    assert (document.id, document.provenance.source) == ("caf\ufffd", "caf\ufffd.txt")
    (again,) = read_documents(output / "caf\ufffd")
    assert (again.id, again.text) == ("caf\ufffd", TEXT)
    shown = shell(*asked[:4], "--to", "tsv")
    assert shown.code == 0 and "4 documents" in shown.out


@pytest.mark.parametrize("format", ["jsonl", "bioc-xml", "pubtator"])
def test_a_file_is_converted(format: str, folder: Path) -> None:
    source = folder / os.fsdecode(NAMES[1])
    target = folder / os.fsdecode(b"out\xe9")
    done = shell("convert", source, target, "--to", format, "--json")
    assert done.code == 0, done.err
    (document,) = read_documents(target, format)
    assert document.text.strip() == TEXT


def test_a_folder_is_deidentified(folder: Path) -> None:
    output = folder.parent / os.fsdecode(b"out\xe9")
    done = shell("deidentify", folder, "-o", f"{output}/", "--names", "none", "--json")
    assert done.code == 0, done.err
    assert {Path(one).name for one in done.json["data"]["outputs"]} == SHOWN
    assert {path.name for path in output.iterdir() if path.suffix == ".txt"} == SHOWN


def test_lines_are_named_by_the_file(folder: Path) -> None:
    source = folder / os.fsdecode(NAMES[1])
    (line,) = texts_of([str(source)], "line", Rejects())
    assert line.id == "caf\ufffd.txt:1"
