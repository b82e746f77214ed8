"""A search over settings: what is tried, what is kept, and how it goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.settings import override
from biobert.core.task import Scores
from biobert.data.places import CorpusPlaces
from biobert.training.material import RunPlaces
from biobert.training.tuning import Choices, Range, Search, read_space, tune
from tests.training.conftest import Recorder

SPACE = read_space(["optimizer.learning_rate=log:1e-7..1e-2", "model.dropout=0.0,0.2"])


@pytest.fixture
def with_devel(tables: dict[str, Any]) -> dict[str, Any]:
    data = {"train": tables["data"]["train"], "devel": tables["data"]["train"]}
    return {**tables, "data": data}


def search(tables: dict[str, Any], output: Path, trials: int) -> Any:
    places = RunPlaces(output, CorpusPlaces(output))
    return tune(Search(tables, SPACE, trials), places, listen=lambda number: Recorder())


def test_spaces_are_lists_ranges_and_logarithms() -> None:
    assert SPACE[0] == Range("optimizer.learning_rate", 1e-7, 1e-2, is_logarithmic=True)
    assert SPACE[1] == Choices("model.dropout", (0.0, 0.2))
    assert read_space(["run.epochs=2..5"]) == [Range("run.epochs", 2, 5)]
    assert read_space(["encoder=a,b"]) == [Choices("encoder", ("a", "b"))]
    assert read_space(["encoder=../a,../b"]) == [Choices("encoder", ("../a", "../b"))]


@pytest.mark.parametrize(
    "text", ["run.epochs", "run.epochs=", "a=5..2", "a=x..y", "a=log:0..1", "a=log:-1..1"]
)
def test_a_space_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="--try"):
        read_space([text])


def test_the_best_trial_is_kept_and_a_search_goes_on(
    with_devel: dict[str, Any], tmp_path: Path
) -> None:
    first = search(with_devel, tmp_path / "out", 3)
    assert first.trials + first.pruned == 3
    again = search(with_devel, tmp_path / "out", 3)
    assert again == first
    more = search(with_devel, tmp_path / "out", 5)
    assert more.trials > first.trials
    assert more.score >= first.score
    kept = read_manifest(tmp_path / "out" / "best")
    assert kept.metrics["devel"] == pytest.approx(more.score)
    assert kept.recipe["optimizer"]["learning_rate"] == pytest.approx(
        more.settings["optimizer.learning_rate"]
    )
    best = json.loads((tmp_path / "out" / "best.json").read_text())
    assert best["settings"] == more.settings
    assert not list((tmp_path / "out").glob("trial-*"))
    for picture in ("history.png", "settings.png"):
        assert (tmp_path / "out" / picture).read_bytes().startswith(b"\x89PNG")


def test_a_search_of_other_settings_is_not_gone_on_with(
    with_devel: dict[str, Any], tmp_path: Path
) -> None:
    search(with_devel, tmp_path, 1)
    other = override(with_devel, ["run.epochs=1"])
    with pytest.raises(BadInputError, match=r"recipe\.run\.epochs: .*, now 1\); choose another"):
        search(other, tmp_path, 2)
    space = read_space(["model.dropout=0.0,0.3"])
    with pytest.raises(BadInputError, match=r"try\.model\.dropout\.values: \[0\.0, 0\.2\], now"):
        tune(
            Search(with_devel, [SPACE[0], *space], 2),
            RunPlaces(tmp_path, CorpusPlaces(tmp_path)),
            listen=lambda number: Recorder(),
        )


def test_a_setting_is_tried_once() -> None:
    with pytest.raises(BadInputError, match=r"--try a\.b stands there twice"):
        read_space(["a.b=1,2", "c=1", "a.b=3"])


def test_a_search_that_failed_binds_to_nothing(
    with_devel: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = override(with_devel, ["model.encoder=./gone"])
    with pytest.raises(BadInputError, match="no such model folder"):
        search(gone, tmp_path / "out", 1)
    assert "Traceback" not in caplog.text
    assert search(with_devel, tmp_path / "out", 1).trials == 1


def test_equal_seeds_try_the_same(with_devel: dict[str, Any], tmp_path: Path) -> None:
    one, other = (search(with_devel, tmp_path / name, 2) for name in ("a", "b"))
    assert one == other


def test_a_trial_that_was_cut_off_is_run_again(
    with_devel: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from biobert.training import tuning

    def killed(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tuning, "train", killed)
        with pytest.raises(KeyboardInterrupt):
            search(with_devel, tmp_path / "out", 1)
    whole = search(with_devel, tmp_path / "whole", 1)
    assert search(with_devel, tmp_path / "out", 1).settings == whole.settings


def test_a_trial_that_diverges_does_not_end_the_search(
    with_devel: dict[str, Any], tmp_path: Path
) -> None:
    tables = override(with_devel, ["optimizer.maximum_gradient_norm=1e30", "run.epochs=1"])

    def tried(rates: str, trials: int) -> Any:
        space = read_space([f"optimizer.learning_rate={rates}"])
        places = RunPlaces(tmp_path / rates, CorpusPlaces(tmp_path))
        return tune(Search(tables, space, trials), places, listen=lambda number: Recorder())

    found = tried("1e30,1e-3", 6)
    assert found.settings == {"optimizer.learning_rate": 1e-3}
    assert found.pruned > 0
    with pytest.raises(BadInputError, match="none of 2 trials came to its end"):
        tried("1e30,1e31", 2)


def test_no_trial_ends_before_it_has_learnt(with_devel: dict[str, Any], tmp_path: Path) -> None:
    class Watching(Recorder):
        def evaluated(self, step: int, scores: dict[str, Scores], main: float) -> None:
            last[-1] = step

    last: list[int] = []

    def listen(number: int) -> Recorder:
        last.append(0)
        return Watching()

    tables = override(with_devel, ["run.steps=6", "run.evaluate_every_steps=3"])
    space = read_space([f"run.seed={','.join(map(str, range(1, 13)))}"])
    places = RunPlaces(tmp_path / "out", CorpusPlaces(tmp_path))
    tune(Search(tables, space, trials=7, seed=3), places, listen=listen)
    assert len(last) == 7
    assert min(last) > 0


def test_values_that_no_task_takes_are_a_wrong_call(
    with_devel: dict[str, Any], tmp_path: Path
) -> None:
    places = RunPlaces(tmp_path / "out", CorpusPlaces(tmp_path))
    for text in ("run.epochs=1,zero", "task.scheme=joint,none"):
        search = Search(with_devel, read_space([text]), trials=1)
        with pytest.raises(BadInputError) as caught:
            tune(search, places, listen=lambda number: Recorder())
        assert caught.value.code == "usage"


def test_several_processes_are_refused(
    with_devel: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with pytest.raises(BadInputError, match="one process: start it without torchrun"):
        search(with_devel, tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()


def test_without_devel_there_is_no_search(tables: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="never on test"):
        search(tables, tmp_path / "out", 1)
