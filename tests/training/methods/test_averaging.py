"""The average of the weights: what it is, when it begins, what it is used for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from biobert.core.errors import BadInputError
from biobert.training.checkpoint import checkpoints
from biobert.training.method_settings import AveragingSettings
from biobert.training.methods.averaging import Averaging
from tests.training.methods.conftest import Bench


def walked(made: Bench, settings: AveragingSettings, steps: int, *, first: int) -> Averaging:
    """Weights that are the number of the step, after some steps."""
    method = Averaging(settings, first=first)
    for step in range(1, steps + 1):
        with torch.no_grad():
            for parameter in made.network.parameters():
                parameter.fill_(float(step))
        method.after_update(made.network, step)
    return method


def scored(made: Bench, method: Averaging) -> float:
    with method.scored(made.network):
        values = {float(one.detach().mean()) for one in learning(made)}
    (value,) = values
    return value


def learning(made: Bench) -> list[torch.Tensor]:
    return [one for one in made.network.parameters() if one.requires_grad]


def test_uniform_is_the_mean_of_the_steps_it_counts(bench: Callable[..., Bench]) -> None:
    made = bench()
    method = walked(made, AveragingSettings(kind="uniform", every_steps=2), 8, first=3)
    assert scored(made, method) == pytest.approx((3 + 5 + 7) / 3)
    assert all(float(one.detach().mean()) == 8.0 for one in learning(made))


def test_exponential_forgets(bench: Callable[..., Bench]) -> None:
    made = bench()
    method = walked(made, AveragingSettings(decay=0.75), 4, first=2)
    wanted = 2.0
    for step in (3, 4):
        wanted = 0.75 * wanted + 0.25 * step
    assert scored(made, method) == pytest.approx(wanted)


def test_before_it_begins_the_weights_are_scored(bench: Callable[..., Bench]) -> None:
    made = bench()
    assert scored(made, walked(made, AveragingSettings(), 3, first=9)) == 3.0


def test_frozen_weights_are_left_alone(bench: Callable[..., Bench]) -> None:
    made = bench()
    made.network.encoder.embeddings.requires_grad_(False)
    method = walked(made, AveragingSettings(kind="uniform"), 4, first=1)
    with method.scored(made.network):
        assert float(made.network.encoder.embeddings.word.weight.detach().mean()) == 4.0
        assert float(made.network.encoder.layers[0].attention.query.weight.detach().mean()) == 2.5


def test_without_devel_the_mean_is_what_is_written(run: Callable[..., Any], tmp_path: Path) -> None:
    run(
        "mean",
        averaging={"kind": "uniform", "begin": 0.0},
        run={"epochs": 2, "keep_every_steps": 1, "checkpoint_every_steps": 1},
    )
    places = checkpoints(tmp_path / "mean" / "checkpoints")
    assert len(places) > 2
    name = "heads.tags.classifier.weight"
    steps = torch.stack([load_file(place / "network.safetensors")[name] for place in places])
    written = load_file(tmp_path / "mean" / "model.safetensors")["classifier.weight"]
    assert torch.allclose(written, steps.mean(0), atol=1e-6)
    assert not torch.allclose(written, steps[-1], atol=1e-6)


def test_a_model_that_is_kept_has_the_mean_and_its_checkpoint_the_weights(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    habits = {"keep_every_steps": 3, "checkpoint_every_steps": 3}
    averaging = {"kind": "uniform", "begin": 0.0}
    steps = len(run("mean", averaging=averaging, run=habits).losses)
    assert steps % 3 == 0
    places = checkpoints(tmp_path / "mean" / "checkpoints")
    kept, written = (
        load_file(folder / "model.safetensors") for folder in (places[-1], tmp_path / "mean")
    )
    for name, value in written.items():
        assert torch.equal(kept[name], value)
    state = load_file(places[-1] / "network.safetensors")["heads.tags.classifier.weight"]
    assert not torch.equal(state, kept["classifier.weight"])


def test_with_devel_the_mean_is_scored_and_kept(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    source = tables["data"]["train"]
    run(
        "mean",
        data={"train": source, "devel": source},
        averaging={"begin": 0.0, "decay": 0.9},
        run={"epochs": 1},
    )
    (place,) = checkpoints(tmp_path / "mean" / "checkpoints")
    name = "heads.tags.classifier.weight"
    mean = load_file(place / "methods.safetensors")[f"averaging/{name}"]
    best = load_file(tmp_path / "mean" / "checkpoints" / "best.safetensors")[name]
    assert torch.equal(best, mean)
    assert not torch.equal(load_file(place / "network.safetensors")[name], mean)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadInputError, match=r"decay = 1\.0"):
        AveragingSettings(decay=1.0)
    with pytest.raises(BadInputError, match=r"'uniform', decay = 0\.9 is read beside kind = 'exp"):
        AveragingSettings(kind="uniform", decay=0.9)
