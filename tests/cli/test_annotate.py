"""`biobert annotate` with the embedded model, as a user meets it."""

import json
import signal
import subprocess
import sys
import tarfile
import time
from io import BytesIO
from pathlib import Path

import pytest

from biobert.compression.folder import export_folder
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

TEXT = "Lithium carbonate caused nephrogenic diabetes insipidus in 12 patients."

# Any use of the network from Python ends the process; torch must not be there either.
OFFLINE = """
import sys
def forbid(event, arguments):
    if event.startswith("socket.") or event == "urllib.Request":
        raise SystemExit(f"network used: {event} {arguments}")
sys.addaudithook(forbid)
from biobert import Annotator
document = Annotator().annotate(sys.argv[1])
heavy = {"torch", "transformers", "openvino_telemetry.main"} & set(sys.modules)
assert not heavy, heavy
print([(document.mention(entity), entity.label) for entity in document.entities])
"""

# `biobert` that kills itself at the given document, a few of which are annotated together.
KILLED = """
import os, signal, sys
from biobert.cli.main import run
from biobert.pipeline import annotator
from biobert.pipeline.spool import Spool
last, add = int(sys.argv.pop(1)), Spool.add
def add_or_die(spool, outcome):
    global last
    last -= 1
    if last == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    add(spool, outcome)
annotator.CHUNK_CHARACTERS, Spool.add = CHUNK, add_or_die
run()
"""
CHUNK = 500


def test_the_embedded_model_works_offline_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, TEXT],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "('Lithium carbonate', 'Chemical')" in done.stdout
    assert "('nephrogenic diabetes insipidus', 'Disease')" in done.stdout
    assert "('patients', 'Species')" in done.stdout


def test_standard_input_becomes_standard_output() -> None:
    found = call("annotate", "-", "--output", "-", "--to", "jsonl", stdin=TEXT)
    assert found.code == 0
    (line,) = found.out.splitlines()
    document = json.loads(line)
    assert document["text"] == TEXT
    chemical = next(one for one in document["entities"] if one["label"] == "Chemical")
    assert TEXT[chemical["start"] : chemical["end"]] == "Lithium carbonate"
    assert 0.5 < chemical["score"] <= 1
    assert "1 documents" in found.err


def test_json_is_one_object_with_the_counts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    found = call("annotate", tmp_path / "a.txt", "--output", tmp_path / "out", "--json")
    assert found.code == 0
    assert found.json["ok"] is True
    data = found.json["data"]
    assert data["documents"] == 1
    assert data["entities"]["Chemical"] == 1
    (output,) = data["outputs"]
    (document,) = read_documents(output, "pubtator", Rejects())
    assert "Lithium carbonate" in [document.mention(entity) for entity in document.entities]


def test_the_summary_shows_types_and_speed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    found = call("annotate", tmp_path / "a.txt")
    assert found.code == 0
    assert "Lithium carbonate" in found.out
    assert "sentences/s" in found.out


def test_html_marks_the_entities(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT + " <script>alert(1)</script>")
    call("annotate", tmp_path / "a.txt", "--output", tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "Lithium carbonate" in page
    assert "<script>alert(1)" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_rejects_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": TEXT}) + "\n{broken\n")
    found = call(
        "annotate", tmp_path / "a.jsonl", "-o", tmp_path / "b.jsonl", "--rejects", tmp_path / "r"
    )
    assert found.code == 0
    assert "1 records set aside" in found.out
    assert "not a document" in (tmp_path / "r").read_text()


BAD = '{"text": "Aspirin.", "entities": [{"start": 4, "end": 40, "label": "Chemical"}]}\n'


def test_a_run_that_annotates_nothing_ends_with_an_error(tmp_path: Path) -> None:
    """All the same it writes its output, and lists what was set aside."""
    source, output, rejects = (tmp_path / name for name in ("bad.jsonl", "out.jsonl", "rejects"))
    source.write_text(BAD)
    asked = ("annotate", source, "-o", output, "--rejects", rejects)
    found = call(*asked)
    assert found.code == 1
    assert "every document was set aside (1); mend the first at bad.jsonl:1: " in found.err
    assert "1 records set aside" in found.out
    assert output.read_text() == ""
    assert json.loads(rejects.read_text())["place"] == "1"
    values = call(*asked, "--json").json
    assert (values["ok"], values["error"]["code"]) == (False, "all-set-aside")
    assert values["data"]["set_aside"] == 1
    assert call("annotate", source, "-o", tmp_path / "folder", "--to", "jsonl").code == 1
    assert call("annotate", source).code == 1


def test_one_document_that_is_annotated_makes_a_run_that_ends_well(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.jsonl").write_text(BAD)
    asked = ("annotate", tmp_path / "in", "-o", tmp_path / "out", "--to", "jsonl")
    assert call(*asked).code == 1
    (tmp_path / "in" / "good.txt").write_text(TEXT)
    assert call(*asked).code == 0
    assert call(*asked, "--resume").code == 0


def test_two_long_texts_are_set_aside_and_the_others_annotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biobert.tasks._pairs.MOST_WINDOWS", 3)
    settings = {"labels": ["yes", "no"], "passages": ["sentence1", "sentence2"]}
    model = write_tiny_model_folder(tmp_path / "m", task="classification", others=settings)
    long = {"sentence1": "cancer " * 300, "sentence2": "aspirin " * 300, "gold_label": "yes"}
    short = {**long, "sentence2": "aspirin " * 200}
    source, rejects = tmp_path / "pairs.jsonl", tmp_path / "rejects"
    source.write_text(f"{json.dumps(long)}\n{json.dumps(short)}\n")
    asked = ("annotate", source, "--model", model, "-o", tmp_path / "o.jsonl", "--rejects", rejects)
    found = call(*asked, "--json")
    assert found.code == 0, found.err
    assert (found.json["data"]["documents"], found.json["data"]["set_aside"]) == (1, 1)
    assert "2 x 2 stretches of its texts" in rejects.read_text()
    source.write_text(json.dumps(long))
    alone = call(*asked)
    assert alone.code == 1
    assert "make 4 windows, and 3 are the most; shorten the shorter text" in alone.err


def test_an_input_that_cannot_be_read_is_named_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"\x00 neither BioC nor JATS nor PubMed")
    (tmp_path / "b.txt").write_text(TEXT)
    wanted = ("annotate", tmp_path, "-o", tmp_path / "out", "--rejects", tmp_path / "rejects")
    found = call(*wanted)
    assert found.code == 1
    assert "1 documents" in found.out
    assert "a.xml" in found.err
    assert '"place": "file"' in (tmp_path / "rejects").read_text()
    assert (tmp_path / "out" / "b.pubtator").is_file()
    assert call(*wanted, "--json").json["error"]["code"] == "unreadable"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["nowhere.txt"], 1, "nowhere.txt"),
        (["-", "--labels", "Chemicals"], 2, "Chemical"),
        (["-", "--to", "pubtater", "-o", "-"], 2, "pubtator"),
        (["-", "--precision", "float16"], 2, "float32"),
        (["-", "--no-such-option"], 2, "no-such-option"),
        ([], 2, "inputs"),
    ],
)
def test_wrong_calls_name_the_cure(arguments: list[str], code: int, word: str) -> None:
    found = call("annotate", *arguments, "--json", stdin=TEXT)
    assert found.code == code
    assert found.json["ok"] is False
    assert word in found.json["error"]["message"]
    assert word in found.err


def test_a_killed_run_goes_on_without_losing_or_doubling_a_document(
    exported_model: Path, tmp_path: Path
) -> None:
    """Killed when some inputs are written; every document stands once, as in a whole run."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "00.jsonl").write_text('{"text": "Aspirin."}\n{broken\n')
    for number in range(1, 10):
        text = f"Patient {number}: lithium caused diabetes insipidus. " * 300
        (tmp_path / "in" / f"{number:02}.txt").write_text(text)
    command = [sys.executable, "-m", "biobert", "annotate", "in", "--to", "jsonl"]
    command += ["--model", str(exported_model)]
    with subprocess.Popen([*command, "--output", "out"], cwd=tmp_path) as running:
        while len(list((tmp_path / "out").glob("[0-9]*.jsonl"))) < 2:
            time.sleep(0.01)
        running.kill()
    written = len(list((tmp_path / "out").glob("[0-9]*.jsonl")))
    assert 2 <= written < 10
    for name, *more in (("out", "--resume"), ("whole",)):
        again = [*command, "--output", name, "--rejects", f"{name}.rejects", *more]
        assert subprocess.run(again, cwd=tmp_path, check=False).returncode == 0
    assert (tmp_path / "out.rejects").read_text() == (tmp_path / "whole.rejects").read_text() != ""
    names = [path.name for path in sorted((tmp_path / "whole").glob("[0-9]*.jsonl"))]
    assert len(names) == 10
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def killed_at(document: int, *arguments: object, folder: Path) -> None:
    code = KILLED.replace("CHUNK,", f"{CHUNK},")
    command = [sys.executable, "-c", code, str(document), *map(str, arguments)]
    assert subprocess.run(command, cwd=folder, check=False).returncode == -signal.SIGKILL


def write_archive(path: Path, articles: int) -> None:
    """JATS articles, of which each fifth is damaged and each seventh has no abstract."""
    with tarfile.open(path, "w:xz") as archive:
        for number in range(articles):
            abstract = f"<abstract><p>{number} {TEXT}</p></abstract>" if number % 7 else ""
            meta = f"<article-id>{number}</article-id><title-group><article-title>{TEXT}"
            xml = f"<article><front><article-meta>{meta}</article-title></title-group>{abstract}"
            data = f"{xml}</article-meta></front></article>"[: 50 if number % 5 == 0 else None]
            member = tarfile.TarInfo(f"{number:03}.nxml")
            member.size = len(data)
            archive.addfile(member, BytesIO(data.encode()))


def test_a_run_killed_inside_an_archive_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing lost, doubled or read into other batches: files and rejects of a whole run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("biobert.pipeline.annotator.CHUNK_CHARACTERS", CHUNK)
    settings = {"labels": ["yes", "no"], "passages": ["abstract"]}
    trained = write_tiny_model_folder(tmp_path / "m", task="classification", others=settings)
    export_folder(trained, tmp_path / "model")
    write_archive(tmp_path / "all.tar.xz", 60)
    wanted = ("annotate", "all.tar.xz", "--model", "model", "--to", "jsonl", "--to", "brat")

    killed_at(23, *wanted, "-o", "out", folder=tmp_path)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {".all.spool", ".biobert-lock"}
    killed_at(11, *wanted, "-o", "out", "--resume", folder=tmp_path)
    found = call(*wanted, "-o", "out", "--resume", "--rejects", "out.rejects", "--json")
    whole = call(*wanted, "-o", "whole", "--rejects", "whole.rejects", "--json")
    assert found.json["data"]["kept"] >= 23 + 11 - 2 * 5
    assert found.json["data"]["documents"] < whole.json["data"]["documents"]
    assert Path("out.rejects").read_text() == Path("whole.rejects").read_text()
    assert whole.json["data"]["set_aside"] == 12 + 7
    files = [path for path in sorted(Path("whole").rglob("*")) if path.is_file()][1:]
    assert len(files) > 60
    for path in files:
        assert Path("out", path.relative_to("whole")).read_bytes() == path.read_bytes()
    assert not Path("out/.all.spool").exists()


def test_what_a_killed_run_left_of_texts_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(f'{{"text": "{TEXT}"}}\n' * 9)
    wanted = ("annotate", tmp_path / "one.jsonl", "-o", tmp_path / "out", "--to", "html")
    killed_at(8, *wanted, "--to", "jsonl", folder=tmp_path)
    assert TEXT in (tmp_path / "out/.one.spool").read_text()
    found = call(*wanted, "--min-score", "0.5", "--resume", "--json")
    assert (found.json["data"]["documents"], found.json["data"]["kept"]) == (9, 0)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("one.html", ".biobert-done.jsonl")
    }


def test_names_of_a_list_are_marked_too(tmp_path: Path) -> None:
    terms = tmp_path / "terms.tsv"
    terms.write_text("Chemical\tEX-417\nDisease\tOakdale fever\n")
    told = ("annotate", "-", "-o", "-", "--to", "jsonl", "--terms", terms)
    found = json.loads(call(*told, stdin="Ex-417 cured Oakdale fever and asthma.").out)
    entities = [(one["start"], one["end"], one["label"]) for one in found["entities"]]
    assert entities == [(0, 6, "Chemical"), (13, 26, "Disease"), (31, 37, "Disease")]
    terms.write_text("Drug\tEX-417\n")
    unknown = call(*told, stdin="Ex-417.")
    assert unknown.code == 1 and "'Drug' is none of the labels" in unknown.err
    terms.write_text("Disease\tOakdale fever\nChemical EX-417\n")
    broken = call(*told, stdin="Ex-417.")
    assert broken.code == 1 and "terms.tsv:2: not a label and a term" in broken.err


def test_the_first_records_that_were_set_aside_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    shown = call("annotate", tmp_path / "broken.pdf", "-o", tmp_path / "out")
    assert "1 records set aside" in shown.out and "  broken.pdf:file: " in shown.out


def test_other_files_beside_brat_pairs_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Aspirin helps.")
    (tmp_path / "a.ann").write_text("T1\tDrug 0 7\tAspirin\n")
    (tmp_path / "b.txt").write_text("Lithium hurts.")
    (tmp_path / "c.jsonl").write_text('{"text": "Asthma too."}\n')
    done = call("annotate", tmp_path, "-o", tmp_path / "out", "--to", "jsonl", "--json")
    assert done.json["data"]["documents"] == 3
    assert sorted(path.name for path in (tmp_path / "out").glob("[a-z]*")) == [
        *("a.jsonl", "b.jsonl", "c.jsonl")
    ]


def test_threads_are_bounded(tiny_model: Path) -> None:
    import torch

    before = torch.get_num_threads()
    asked = ("annotate", "-", "--model", tiny_model, "--engine", "torch", "--threads", before + 1)
    try:
        assert call(*asked, stdin=TEXT).code == 0
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_types_may_be_named_with_blanks_between(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    asked = ("annotate", tmp_path / "a.txt", "--json", "--labels")
    found = call(*asked, "Chemical, Disease").json["data"]["entities"]
    assert found == call(*asked, "Chemical,Disease").json["data"]["entities"]
    assert set(found) == {"Chemical", "Disease"}
