"""`biobert find-rate` and `biobert merge` from the command line."""

from pathlib import Path

import pytest

from tests.cli.calling import call
from tests.cli.test_train import recipe  # noqa: F401


def test_a_rate_is_found_and_plotted(recipe: Path, tmp_path: Path) -> None:  # noqa: F811
    plot = tmp_path / "rates.png"
    options = ("--lowest", "1e-5", "--highest", "10", "--steps", "60")
    found = call("find-rate", recipe, "--output", plot, *options, "--json")
    assert found.code == 0, found.err
    points = found.json["data"]["points"]
    rates = [one["rate"] for one in points]
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(1e-5)
    assert rates[1] / rates[0] == pytest.approx((10 / 1e-5) ** (1 / 59))
    # At 10 nothing learns any more: the test ends before.
    assert len(points) < 60
    assert 1e-5 < found.json["data"]["suggested"] < 0.1
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["rates.png"]


def test_settings_have_their_short_names(recipe: Path, tmp_path: Path) -> None:  # noqa: F811
    options = ("--set", f"encoder={tmp_path / 'nowhere'}")
    found = call("find-rate", recipe, "--output", tmp_path / "rates.png", *options, "--json")
    assert "nowhere" in found.json["error"]["message"]


def test_rates_the_wrong_way_round_are_refused(recipe: Path, tmp_path: Path) -> None:  # noqa: F811
    options = ("--lowest", "1", "--highest", "0.1")
    found = call("find-rate", recipe, "--output", tmp_path / "rates.png", *options, "--json")
    assert found.json["error"]["code"] == "usage"


def test_rates_are_found_in_one_process_before_anything_is_read(
    recipe: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    found = call("find-rate", recipe, "--output", tmp_path / "rates.png", "--json")
    assert (found.code, found.json["error"]["code"]) == (2, "usage")
    assert "without torchrun" in found.json["error"]["message"]


def test_the_folder_of_the_plot_is_there_before_the_first_step(
    recipe: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    plot = tmp_path / "new" / "rates"
    found = call("find-rate", recipe, "--output", plot, "--steps", "10", "--json")
    assert found.code == 0, found.err
    assert plot.read_bytes().startswith(b"\x89PNG")
    found = call("find-rate", recipe, "--output", plot / "rates.png", "--json")
    assert (found.code, found.json["error"]["code"]) == (1, "io")
    assert "step 1" not in found.err


def test_an_adapter_is_merged_into_a_model(recipe: Path, tmp_path: Path) -> None:  # noqa: F811
    text = tmp_path / "text.txt"
    text.write_text("Aspirin caused cardiac arrest in breast cancer.\n")
    adapter, whole = tmp_path / "adapter", tmp_path / "whole"
    settings = ("adapter.kind=lora", "run.epochs=12", "optimizer.learning_rate=2e-2")
    options = [part for one in settings for part in ("--set", one)]
    found = call("train", recipe, "--output", adapter, *options, "--json")
    assert found.code == 0, found.err
    found = call("merge", adapter, "--output", whole, "--json")
    assert found.code == 0, found.err
    assert not (whole / "adapter.json").exists()
    shown = [
        call("evaluate", folder, recipe.with_name("toy.jsonl"), "--json").json["data"]["scores"]
        for folder in (adapter, whole)
    ]
    assert shown[0] == shown[1]
    from transformers import AutoModelForTokenClassification

    assert AutoModelForTokenClassification.from_pretrained(whole).num_labels > 2
    again = call("merge", adapter, "--output", whole, "--json")
    assert "choose another --output" in again.json["error"]["message"]
    plain = call("merge", whole, "--output", tmp_path / "other", "--json")
    assert "no adapter" in plain.json["error"]["message"]
    mean = call("average", adapter, adapter, "--output", tmp_path / "mean", "--json")
    assert "biobert merge" in mean.json["error"]["message"]
