"""What attacks or breaks a build ends in a count, or in an error that says what to do."""

import bz2
import gzip
import json
import lzma
import os
import signal
import subprocess
import sys
import tarfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biobert.core.errors import BadInputError, BiobertError, MissingExtraError
from biobert.data import packets, rejects
from biobert.data.formats import _jats as jats_format
from biobert.data.rejects import Rejects
from biobert.data.shards import open_corpus
from biobert.data.tagging import Tagging
from tests.data.articles import jats, prose, pubmed, write_tar
from tests.data.built import SMALL, build, checksums, identifiers, large_tokenizer


@pytest.fixture
def place(tmp_path: Path) -> Path:
    found = tmp_path / "in"
    found.mkdir()
    (found / "z.txt").write_text(prose(999))
    return found


def outcome(place: Path, **changes: Any) -> tuple[list[str], dict[str, str]]:
    """The identifiers that were kept, and each reject's file with its reason."""
    rejects = Rejects()
    output = place.with_name("out")
    build(place, output, rejects=rejects, **changes)
    assert "z" in identifiers(output)  # the build went on
    return sorted(identifiers(output)), {one.file: one.reason for one in rejects.kept}


def run_script(script: str, folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    path = folder / "script.py"
    path.write_text(script)
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, str(path), *map(str, arguments)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("ending", ["gz", "xz"])
def test_a_truncated_archive_keeps_what_stands_before_the_damage(
    place: Path, ending: str, workers: int
) -> None:
    members: dict[str, str | bytes] = {f"{one}.nxml": jats(one, sentences=60) for one in range(60)}
    path = write_tar(place / f"a.tar.{ending}", members)
    content = path.read_bytes()
    path.write_bytes(content[: 2 * len(content) // 3])
    kept, reasons = outcome(place, workers=workers)
    assert 20 < len(kept) < 60
    assert list(reasons) == [path.name]
    assert reasons[path.name].startswith("damaged source: ")
    assert "what stands before it is kept" in reasons[path.name]


def test_a_plain_archive_that_breaks_off_is_damaged_too(place: Path) -> None:
    path = write_tar(place / "a.tar", {f"{one}.nxml": jats(one) for one in range(9)})
    with tarfile.open(path) as archive:
        header = archive.getmembers()[5].offset
    path.write_bytes(path.read_bytes()[: header + 100])
    kept, reasons = outcome(place)
    assert len(kept) == 5 + 1
    assert "cut short" in reasons["a.tar"]


SMALL_BLOCKS = partial(bz2.compress, compresslevel=1)
"""bzip2 unpacks whole blocks alone."""


@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("bz2", SMALL_BLOCKS), ("xz", lzma.compress)]
)
def test_truncated_and_garbled_files_of_citations(place: Path, ending: str, pack: Any) -> None:
    whole = pack(pubmed(list(range(400))).encode())
    (place / f"short.xml.{ending}").write_bytes(whole[: len(whole) // 2])
    (place / f"no.xml.{ending}").write_bytes(b"this was never packed")
    kept, reasons = outcome(place)
    assert 50 < len(kept) < 400
    assert set(reasons) == {f"short.xml.{ending}", f"no.xml.{ending}"}
    assert all(one.startswith("damaged source: ") for one in reasons.values())


def test_lines_before_a_damage_are_kept_and_a_single_document_is_not(place: Path) -> None:
    lines = "\n".join(json.dumps({"id": str(one), "text": prose(one)}) for one in range(100))
    for name, text in (("a.jsonl.gz", lines), ("b.txt.gz", prose(1, 400))):
        whole = gzip.compress(text.encode())
        (place / name).write_bytes(whole[: len(whole) // 2])
    kept, reasons = outcome(place, settings=replace(SMALL, packet_bytes=1 << 20))
    assert 20 < len(kept) < 100
    assert reasons["a.jsonl.gz"].endswith("; what stands before it is kept")
    assert reasons["b.txt.gz"].endswith("; nothing of it is kept")


def test_entities_neither_grow_nor_reach_out(place: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("root secret")
    head = '<!DOCTYPE a [<!ENTITY a "bomb bomb bomb bomb">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 50}">'
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    head += f'<!ENTITY secret SYSTEM "file://{tmp_path}/secret">]>'
    for number, entity in enumerate(("h", "secret")):
        text = head + jats(number).replace("<p>", f"<p>&{entity}; ", 1)
        (place / f"{number}.nxml").write_text(text)
    (place / "c.xml").write_text(pubmed([1]).replace("<AbstractText>", "<AbstractText>&h;"))
    rejects = Rejects()
    manifest = build(place, place.with_name("out"), rejects=rejects)
    plain = len(jats(0)) + len(jats(1)) + len(prose(999))
    assert sum(shard.text_bytes for shard in manifest.shards) < plain
    # libxml2 refuses the bomb itself, or leaves it as it is; a citation stands alone, without it.
    assert {one.file for one in rejects.kept} == {"0.nxml", "1.nxml", "c.xml"}


HUGE = """
import resource, sys
from pathlib import Path
from biobert.data.building import CorpusSettings
from tests.data.built import build, word_tokenizer

if __name__ == "__main__":
    settings = CorpusSettings(heldout_share=0.0)
    tokenizer = word_tokenizer()
    build(Path(sys.argv[1]), Path(sys.argv[2]), settings=settings, workers=2, tokenizer=tokenizer)
    # Not RUSAGE_SELF: it remembers the size of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(own // 1000, children // 1000)
"""


@pytest.mark.parametrize(
    ("kind", "megabytes"), [("blanks", 50), ("no sentences", 12), ("no blanks", 12)]
)
def test_a_paragraph_without_end_is_kept_whole_in_bearable_memory(
    place: Path, tmp_path: Path, kind: str, megabytes: int
) -> None:
    block = f"{prose(1, 2000)} "
    if kind == "no sentences":
        block = block.replace(". ", " ; ")
    text = block * (megabytes * 1_000_000 // len(block))
    if kind == "no blanks":
        half = len(text) // 2
        text = text[:half] + text[half:].replace(" ", "")
    (place / "huge.nxml").write_text(jats(1).replace("<p>", f"<p>{text}", 1))
    done = run_script(HUGE, tmp_path, place, place.with_name("out"))
    assert done.returncode == 0, done.stderr
    corpus = open_corpus(place.with_name("out"))
    assert sum(shard.text_bytes for shard in corpus.shards) > 0.98 * len(text)
    megabytes_of_memory = sum(map(int, done.stdout.split()))
    assert megabytes_of_memory < 1000, done.stdout


def test_other_encodings_are_named_and_a_bad_byte_keeps_no_document_out(place: Path) -> None:
    german = "Die Größe der Prüfgruppe war für die Ärzte von größter Bedeutung. " * 20
    (place / "latin.txt").write_bytes(german.encode("latin-1"))
    (place / "wide.txt").write_bytes(prose(1).encode("utf-16"))
    (place / "bad.txt").write_bytes(prose(2, 30).encode() + b" \xff end")
    (place / "marked.txt").write_bytes(b"\xef\xbb\xbf" + prose(3).encode())
    head = '<?xml version="1.0" encoding="iso-8859-1"?>'
    (place / "latin.nxml").write_bytes(
        (head + jats(4).replace("The ", "Thé ", 1)).encode("latin-1")
    )
    (place / "wrong.nxml").write_bytes(jats(5).replace("The", "Thé", 1).encode("latin-1"))
    kept, reasons = outcome(place)
    assert kept == ["PMC90004", "bad", "marked", "wide", "z"]
    assert set(reasons) == {"latin.txt", "bad.txt", "wrong.nxml"}
    assert reasons["latin.txt"].startswith("damaged source: many characters are not UTF-8")
    assert reasons["bad.txt"].startswith("not UTF-8: 1 character became U+FFFD")
    assert reasons["wrong.nxml"].startswith("damaged XML")


def test_empty_documents_are_counted(place: Path) -> None:
    (place / "empty.txt").write_text("")
    (place / "blank.txt").write_text(" \n\n\t")
    (place / "none.nxml").write_text("<article/>")
    (place / "a.jsonl").write_text('{"text": ""}\n')
    kept, reasons = outcome(place)
    assert kept == ["z"]
    assert set(reasons) == {"empty.txt", "blank.txt", "none.nxml", "a.jsonl"}


def test_a_bomb_in_an_archive_is_passed_over(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jats_format, "LARGEST_ARTICLE", 1_000_000)
    members = {"1.nxml": jats(1), "bomb.nxml": b"a" * 80_000_000, "2.nxml": jats(2)}
    write_tar(place / "a.tar.gz", members)
    kept, reasons = outcome(place)
    assert kept == ["PMC90001", "PMC90002", "z"]
    assert reasons == {"bomb.nxml": "too large: more than 1000000 bytes"}


def test_members_with_wicked_names_and_kinds_stay_inside(place: Path) -> None:
    with tarfile.open(place / "a.tar", "w") as archive:
        for name, kind in (("../../out.nxml", tarfile.SYMTYPE), ("dev.nxml", tarfile.CHRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    kept, reasons = outcome(place)
    assert kept == ["z"]
    assert reasons == {"a.tar": "no record: nothing in this file reads as jats"}


def test_a_file_that_cannot_be_read_does_not_stop_the_build(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "gone.jsonl").write_text(json.dumps({"text": prose(1)}))

    def fails(*arguments: object) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(packets, "_lines", fails)
    _, reasons = outcome(place)
    assert "Input/output error" in reasons["gone.jsonl"]


def test_nothing_kept_is_an_error_that_counts_the_reasons(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    for number in range(3):
        (place / f"{number}.txt").write_text("Short.")
    with pytest.raises(BadInputError, match=r"kept: too short 3; the first is 0\.txt, 0: too"):
        build(place, tmp_path / "out")


LIMITED = """
import resource, sys
from pathlib import Path
from biobert.core.errors import BiobertError
from tests.data.built import build, large_tokenizer

if __name__ == "__main__":
    source, output, limit, workers = sys.argv[1:]
    tokenizer = large_tokenizer()
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    changes = {"start": "resume", "workers": int(workers), "tokenizer": tokenizer}
    try:
        build(Path(source), Path(output), **changes)
    except BiobertError as problem:
        print(problem.code, problem)
        sys.exit(7)
"""


@pytest.mark.parametrize(
    ("limit", "workers", "name"),
    [(100, 1, ""), (1500, 1, ""), (3000, 1, ""), (3000, 2, ""), (30_000, 1, "tokenizer.json")],
)
def test_a_full_disk_is_named_and_leaves_nothing_half_written(
    folder: Path, tmp_path: Path, limit: int, workers: int, name: str
) -> None:
    output, tokenizer = tmp_path / "out", large_tokenizer()
    done = run_script(LIMITED, tmp_path, folder, output, limit, workers)
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith(f"disk {output}/{name}")
    assert "make room on the disk, then go on with --resume" in done.stdout
    assert "Traceback" not in done.stderr
    with pytest.raises(BiobertError, match="no finished corpus"):
        open_corpus(output)
    assert not list(output.glob(".*.part"))
    for path in output.glob("*.npy"):
        np.load(path)  # what has its name is whole
    build(folder, output, start="resume", tokenizer=tokenizer)
    build(folder, tmp_path / "whole", tokenizer=tokenizer)
    assert checksums(output) == checksums(tmp_path / "whole")


class Deadly:
    """Makes a tagger that is killed as the kernel kills for want of memory."""

    def __call__(self) -> Any:
        def tag(documents: object) -> Any:
            os.kill(os.getpid(), signal.SIGKILL)

        return tag


def test_a_worker_that_dies_is_named(place: Path) -> None:
    deadly = Tagging("deadly", ("A",), Deadly())
    with pytest.raises(BiobertError, match=r"a worker process died.*z\.txt.*--resume"):
        build(place, place.with_name("out"), workers=2, tagging=deadly)


class Missing:
    """A tagger whose packages are not installed."""

    def __call__(self) -> Any:
        raise MissingExtraError("torch", "train")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_tagger_that_cannot_be_made_says_why(place: Path, workers: int) -> None:
    missing = Tagging("missing", ("A",), Missing())
    with pytest.raises(MissingExtraError, match=r"pip install 'biobert\[train\]'"):
        build(place, place.with_name("out"), workers=workers, tagging=missing)


def test_a_rare_reject_is_named_behind_many_of_another_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rejects, "KEPT", 5)
    monkeypatch.setattr(rejects, "KEPT_OF_EACH_REASON", 2)
    monkeypatch.setattr(rejects, "KEPT_AT_MOST", 8)
    found, later = Rejects(), Rejects()
    for number in range(20):
        found.add("a.xml", number, f"document 'a:{number}' needs a passage 'title' with text")
    later.add("b.xml", "file", "damaged source: it breaks off")
    found.extend(later)
    found.extend(later)
    found.extend(later)
    assert [one.file for one in found.kept] == ["a.xml"] * 5 + ["b.xml"] * 2
    assert found.count == 23
    assert len(found.reasons) == 2
    for number in range(20):
        found.add("c.xml", number, f"another reason, {chr(97 + number)}")
    assert len(found.kept) == 8
