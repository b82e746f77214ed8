"""`biobert benchmark`, end to end on toy documents."""

import json
import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.core.files import sha256_of
from biobert.core.model_folder import read_manifest
from biobert.data.catalogue import Corpus, CorpusFile
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.pipeline.suite.description import Suite, SuiteModel, SuiteTest, read_suite
from biobert.pipeline.suite.run import SuiteRun, _checksum, _timed
from biobert.pipeline.suite.table import as_markdown
from biobert.tasks.ner import NamedEntityRecognition
from tests.cli.calling import call
from tests.tiny import write_tiny_encoder_folder, write_tiny_model_folder

SUITE = """name = "suite-toy"
description = "Toys <small>."
seeds = [1, 2]

[[models]]
recipe = "toy.toml"
set = ["optimizer.learning_rate=5e-3"]

[[models.tests]]
name = "toy"
corpus = "{corpus}"
published = [{{ system = "Other", score = 0.5, source = "a paper" }}]

[[models.tests]]
name = "toy Disease"
corpus = "{corpus}"
labels = ["Disease"]
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    corpus = folder / "toy.jsonl"
    write_documents(NamedEntityRecognition.toy_documents() * 4, corpus, "jsonl")
    encoder = write_tiny_encoder_folder(folder / "encoder")
    (folder / "toy.toml").write_text(
        f'name = "toy"\n[task]\nname = "ner"\nlabels = ["Chemical", "Disease"]\n'
        f'[model]\nencoder = "{encoder}"\n[data]\ntrain = [{{ corpus = "{corpus}" }}]\n'
        "[run]\nepochs = 2\n"
    )
    (folder / "suite-toy.toml").write_text(SUITE.format(corpus=corpus))
    return folder / "suite-toy.toml"


@pytest.fixture(scope="module")
def done(suite: Path) -> Path:
    output = suite.with_name("out")
    found = call("benchmark", suite, "--output", output)
    assert found.code == 0, found.err
    return output


def test_the_table_holds_the_figures_of_the_reports(done: Path, suite: Path) -> None:
    cells = json.loads((done / "table.json").read_text())["cells"]
    assert [cell["test"] for cell in cells] == ["toy", "toy Disease"]
    for cell in cells:
        reports = [done / "toy" / f"seed-{n}" / "reports" / f"{cell['test']}.json" for n in (1, 2)]
        scores = [json.loads(path.read_text())["scores"]["main"] for path in reports]
        assert cell["scores"] == scores
        assert cell["mean"] == pytest.approx(sum(scores) / 2)
        assert cell["deviation"] == pytest.approx(abs(scores[0] - scores[1]) / 2**0.5)
        assert re.fullmatch(r"[0-9a-f]{64}", cell["checksum"])
        assert cell["measure"] == "strict entity F1"
        assert all(minutes > 0 for minutes in cell["minutes"])
    markdown = (done / "table.md").read_text()
    assert f"| {100 * cells[0]['mean']:.2f} |" in markdown
    assert "50.0 Other (a paper)" in markdown
    values = json.loads((done / "table.json").read_text())
    assert values["seeds"] == [1, 2]
    manifest = read_manifest(done / "toy" / "seed-1")
    (learnt,) = manifest.data.values()
    page = (done / "table.html").read_text()
    for sheet in (markdown, page):
        assert values["protocol"] in sheet
        assert f"Encoder: {suite.with_name('encoder')}." in sheet
        assert "Changed in the recipe: optimizer.learning_rate=5e-3." in sheet
        assert learnt in sheet
        assert f"trained with biobert {manifest.versions['biobert']}" in sheet
    assert "Toys &lt;small&gt;." in page
    assert "http" not in page


def test_models_are_trained_side_by_side_to_the_same_scores(
    done: Path, suite: Path, tmp_path: Path
) -> None:
    def model(name: str, start: str, change: str) -> str:
        test = f'[[models.tests]]\nname = "{name}"\ncorpus = "{suite.with_name("toy.jsonl")}"\n'
        head = f'[[models]]\nrecipe = "toy.toml"\nname = "{name}"\nstart = "{start}"\n'
        return f'{head}set = ["{change}"]\n{test}'

    beside = suite.with_name("suite-beside.toml")
    second = model("second", "toy", "run.epochs=x")
    third = model("third", "second", "run.epochs=1")
    joined = third.partition("[[models.tests]]")[2].replace("third", "joined")
    joined = f'[[models]]\nensemble = "toy"\n[[models.tests]]{joined}'
    beside.write_text(f"{suite.read_text()}\n{second}{third}{joined}")
    found = call("benchmark", beside, "--output", tmp_path / "out", "--jobs", 2, "--json")
    assert found.code == 1, found.err
    *cells, failed, after_it, together = found.json["data"]["cells"]
    before = json.loads((done / "table.json").read_text())["cells"]
    assert [cell["scores"] for cell in cells] == [cell["scores"] for cell in before]
    assert "epochs" in failed["failure"]
    assert after_it["failure"].startswith("second, its start: ")
    assert found.err.count("trained and scored") == 2
    assert len(together["scores"]) == 1
    assert together["minutes"] == [pytest.approx(sum(cells[0]["minutes"]))]


def test_what_stands_is_not_done_again(done: Path, suite: Path) -> None:
    (done / "toy" / "seed-2" / "reports" / "toy.json").unlink()
    before = (done / "toy" / "seed-1" / "model.safetensors").stat().st_mtime_ns
    found = call("benchmark", suite, "--output", done)
    assert found.code == 0, found.err
    assert "training" not in found.err
    assert found.err.count("scoring") == 1
    assert (done / "toy" / "seed-1" / "model.safetensors").stat().st_mtime_ns == before


def test_what_is_asked_otherwise_is_done_again(done: Path, suite: Path) -> None:
    table = (done / "table.md").read_text()
    corpus = suite.with_name("toy.jsonl")
    other = suite.with_name("other.jsonl")
    other.write_text(corpus.read_text().replace("Chemical", "Disease"))
    changed = suite.with_name("suite-other.toml")
    changed.write_text(suite.read_text().replace(str(corpus), str(other)))
    found = call("benchmark", changed, "--output", done, "--json")
    assert "training" not in found.err
    assert found.err.count("scoring") == 4
    first = found.json["data"]["cells"][0]
    assert first["checksum"] == sha256_of(other)
    refused = call("benchmark", suite, "--output", done, "--set", "run.epochs=3")
    assert refused.code == 1
    assert "other settings (run.epochs: 2, now 3); choose another --output" in refused.err
    assert call("benchmark", suite, "--output", done).code == 0
    assert (done / "table.md").read_text() == table


def test_models_of_other_training_data_are_not_taken(done: Path, suite: Path) -> None:
    corpus = suite.with_name("toy.jsonl")
    before = corpus.read_text()
    corpus.write_text(before.replace("Chemical", "Disease"))
    refused = call("benchmark", suite, "--output", done)
    corpus.write_text(before)
    assert refused.code == 1
    assert "seed-1 has learnt from other data than there is now in" in refused.err
    assert "toy.jsonl train" in refused.err


def test_a_model_that_is_trained_anew_is_scored_anew(done: Path, suite: Path) -> None:
    path = done / "toy" / "seed-1" / "biobert.json"
    before = path.read_text()
    for change in ({"metrics": {"devel": 0.1}}, {}):
        path.write_text(json.dumps({**json.loads(before), **change}))
        assert call("benchmark", suite, "--output", done).err.count("scoring") == 2
    path.write_text(before)
    assert call("benchmark", suite, "--output", done).err.count("scoring") == 2


def test_all_files_of_a_test_set_are_in_its_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus("pair", "", "ner", "", "", format="jsonl", splits={"test": CorpusFile("a")})
    corpus = replace(corpus, files={"more": CorpusFile("b")})
    monkeypatch.setattr("biobert.pipeline.suite.run.load_corpus", lambda name: corpus)
    (tmp_path / "a").write_text("a")
    found = set()
    for content in ("b", "c"):
        (tmp_path / "b").write_text(content)
        found.add(_checksum(SuiteTest("one", "pair"), CorpusPlaces(tmp_path)))
    assert len(found) == 2


def test_a_killed_run_has_noted_its_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biobert.pipeline.suite.run.SECONDS_BETWEEN_NOTES", 0.01)
    path = tmp_path / "seconds.json"
    with _timed(path):
        while not path.is_file():
            time.sleep(0.01)
    assert json.loads(path.read_text())["seconds"] > 0


def test_minutes_add_up_over_sessions(suite: Path, tmp_path: Path) -> None:
    calls: list[Path] = []

    def train(tables: Mapping[str, Any], folder: Path) -> None:
        calls.append(folder)
        time.sleep(0.05)
        raise BadInputError("stopped")

    run = SuiteRun(
        read_suite(suite),
        recipes=suite.parent,
        output=tmp_path,
        places=CorpusPlaces(tmp_path),
        train=train,
        note=lambda _: None,
    )
    for _ in range(2):
        assert all(cell.failure == "stopped" for cell in run.cells())
        reports = tmp_path / "toy" / "seed-1" / "reports"
        assert not reports.exists()  # what an earlier model scored
        reports.mkdir()
    seconds = json.loads((tmp_path / "toy" / "seed-1" / "seconds.json").read_text())["seconds"]
    assert calls.count(tmp_path / "toy" / "seed-1") == 4  # two tests, each asked for twice
    assert seconds >= 4 * 0.05


def run_of(suite: Suite, folder: Path, output: Path, **others: Any) -> SuiteRun:
    """A run whose models are tiny and learn nothing."""

    def train(tables: Mapping[str, Any], folder: Path) -> None:
        write_tiny_model_folder(folder)
        (folder / "tables.json").write_text(json.dumps(tables))

    common: dict[str, Any] = {"places": CorpusPlaces(output), "train": train}
    return SuiteRun(suite, recipes=folder, output=output, **{**common, **others})


def test_what_is_shared_is_said_before_anything_is_trained(
    done: Path, suite: Path, tmp_path: Path
) -> None:
    notes: list[str] = []
    list(run_of(read_suite(suite), suite.parent, tmp_path, note=notes.append).cells())
    shared = "12 sentences of it stand in the training data too"
    assert notes[:2] == [f"toy: {shared}", f"toy Disease: {shared}"]
    cells = json.loads((done / "table.json").read_text())["cells"]
    for one in cells[0]["shared"]:
        assert (one["count"], one["total"], one["main"]) == (12, 12, None)
    assert "| nothing to score without 12 sentences |" in (done / "table.md").read_text()


def test_a_model_begins_from_another_of_its_seed(suite: Path, tmp_path: Path) -> None:
    test = SuiteTest("toy", str(suite.with_name("toy.jsonl")))
    second = SuiteModel("toy.toml", (test,), name="second", start="first")
    models = (SuiteModel("toy.toml", name="first"), SuiteModel("toy.toml", name="third"), second)
    plan = Suite("s", models, seeds=(1, 2)).only(["second"])
    assert [model.folder for model in plan.models] == ["first", "second"]
    notes: list[str] = []
    run = run_of(
        plan, suite.parent, tmp_path, note=notes.append, changes=["model.encoder=elsewhere"]
    )
    (cell,) = run.cells()
    assert len(cell.scores) == 2
    assert notes[1:5] == [
        f"{name}, seed-{seed}: training" for seed in (1, 2) for name in ("first", "second")
    ]
    for seed in (1, 2):
        first, own = (tmp_path / name / f"seed-{seed}" for name in ("first", "second"))
        asked = json.loads((own / "asked.json").read_text())["model"]["encoder"]
        tables = [json.loads((one / "tables.json").read_text()) for one in (first, own)]
        assert [one["model"]["encoder"] for one in tables] == ["elsewhere", str(first)]
        assert asked == f"first/seed-{seed}"
    assert "second begins from first of the same seed." in as_markdown(plan, [cell])
    with pytest.raises(BadInputError, match="first"):
        Suite("s", (second, models[0]))


def test_an_ensemble_is_all_seeds_of_a_model_as_one(suite: Path, tmp_path: Path) -> None:
    tests = (SuiteTest("toy", str(suite.with_name("toy.jsonl"))),)
    models = (SuiteModel("toy.toml"), SuiteModel(tests=tests, ensemble="toy", rule="vote"))
    plan = Suite("s", models, seeds=(1, 2, 3)).only(["toy-ensemble"])
    notes: list[str] = []
    run = run_of(plan, suite.parent, tmp_path, note=notes.append)
    (cell,) = run.cells()
    folder = tmp_path / "toy-ensemble" / "joined"
    manifest = read_manifest(folder)
    assert (len(manifest.members), manifest.rule) == (3, "vote")
    assert (len(cell.scores), cell.deviation, cell.encoder) == (
        1,
        None,
        str(suite.with_name("encoder")),
    )
    trained = [tmp_path / "toy" / turn.folder for turn in models[0].turns(plan.seeds)]
    seconds = [json.loads((one / "seconds.json").read_text())["seconds"] for one in trained]
    assert cell.minutes == (pytest.approx(sum(seconds) / 60),)
    table = as_markdown(plan, [cell])
    assert "toy-ensemble is what all seeds of toy answer together, by their votes" in table
    assert f"| {100 * cell.mean:.2f} |  |" in table

    notes.clear()
    assert list(run.cells()) == [cell]
    assert notes == []
    replace(read_manifest(trained[0]), version="2").write(trained[0])
    list(run.cells())
    assert notes == ["toy-ensemble: joining 3 models", "toy: scoring joined"]
    (alone,) = run_of(replace(plan, seeds=(1,)), suite.parent, tmp_path, note=notes.append).cells()
    assert "at least two model folders" in alone.failure


def test_each_fold_in_turn_is_devel(suite: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    folds = ("fold-0", "fold-1", "fold-2")
    for number, name in enumerate((*folds, "test")):
        documents = NamedEntityRecognition.toy_documents()[number % 2 :]
        write_documents(documents, corpus / f"{name}.jsonl", "jsonl")
    text = suite.with_name("toy.toml").read_text()
    text = text.replace(str(suite.with_name("toy.jsonl")), str(corpus))
    (tmp_path / "toy.toml").write_text(
        text.replace("[run]", f'devel = [{{ corpus = "{corpus}" }}]\n[run]')
    )
    plan = Suite(
        "s", (SuiteModel("toy.toml", (SuiteTest("toy", str(corpus)),), folds=folds),), seeds=(1,)
    )
    output = tmp_path / "out"
    (cell,) = run_of(plan, tmp_path, output, note=lambda _: None).cells()
    assert len(cell.scores) == len(cell.minutes) == len(cell.shared) == 3
    for fold in folds:
        data = json.loads((output / "toy" / f"{fold}-seed-1" / "tables.json").read_text())["data"]
        assert data["train"][0]["splits"] == [one for one in folds if one != fold]
        assert data["devel"][0]["splits"] == [fold]
    table = as_markdown(plan, [cell])
    assert (
        "of fold-0, fold-1, fold-2 each in turn is devel, and the others are learnt from" in table
    )
    assert f"| {100 * statistics.mean(cell.scores):.2f} |" in table


def test_a_cell_that_fails_is_named_and_the_others_stand(suite: Path, tmp_path: Path) -> None:
    broken = suite.with_name("suite-broken.toml")
    text = suite.read_text().replace('labels = ["Disease"]', 'labels = ["Gene"]')
    broken.write_text(text.replace("suite-toy", "suite-broken"))
    found = call("benchmark", broken, "--seeds", "1", "--output", tmp_path, "--json")
    assert found.code == 1
    assert "1 of 2 tests have no scores" in found.json["error"]["message"]
    whole, failed = found.json["data"]["cells"]
    assert whole["scores"]
    assert "Gene" in failed["failure"]
    assert "failed: " in (tmp_path / "table.md").read_text()


@pytest.mark.parametrize(
    ("options", "word"),
    [("--seeds one", "1,2,3"), ("--seeds 1,1", "twice"), ("--only tou", "toy"), ("--set x", "key")],
)
def test_wrong_options_say_what_is_right(
    suite: Path, tmp_path: Path, options: str, word: str
) -> None:
    found = call("benchmark", suite, "--output", tmp_path, *options.split())
    assert found.code in (1, 2)
    assert word in found.err
