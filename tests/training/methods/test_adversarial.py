"""FGM, PGD and FreeLB: lengths of the changes, what is learnt from, and nothing left behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from biobert.core.errors import BadInputError
from biobert.training.method_settings import AdversarialSettings
from biobert.training.methods.adversarial import Adversarial, norm, unit
from tests.training.methods.conftest import Bench

KINDS = ("fgm", "pgd", "freelb")


class Watching:
    """Remembers what was added to the word vectors at each pass."""

    def __init__(self, made: Bench) -> None:
        self.changes: list[torch.Tensor] = []
        self.given: list[torch.Tensor] = []
        embeddings = made.network.encoder.embeddings.word
        weight = embeddings.weight

        def note(module: torch.nn.Module, inputs: Any, given: torch.Tensor) -> None:
            self.given.append(given.detach())
            self.changes.append(given.detach() - weight.detach()[inputs[0]])

        embeddings.register_forward_hook(note)


def gradients(made: Bench) -> dict[str, torch.Tensor]:
    named = made.network.named_parameters()
    return {name: one.grad.clone() for name, one in named if one.grad is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_the_embeddings_are_as_before(bench: Callable[..., Bench], kind: str) -> None:
    made = bench(adversarial={"kind": kind})
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    made.methods.descent(made.turn())
    assert all(torch.equal(before[n], value) for n, value in made.network.state_dict().items())
    watching = Watching(made)
    made.loss()
    assert torch.equal(watching.changes[0], torch.zeros_like(watching.changes[0]))


def test_fgm_moves_every_row_by_epsilon_along_the_gradient(bench: Callable[..., Bench]) -> None:
    made = bench(adversarial={"kind": "fgm", "epsilon": 0.25})
    watching = Watching(made)
    torch.manual_seed(1)
    made.methods.descent(made.turn())
    clean, moved = watching.changes
    assert torch.equal(clean, torch.zeros_like(clean))
    assert torch.allclose(norm(moved), torch.full((len(moved), 1, 1), 0.25), atol=1e-5)
    torch.manual_seed(1)
    direction = gradient_of_words(made)
    assert torch.allclose(moved, 0.25 * unit(direction), atol=1e-5)


def gradient_of_words(made: Bench) -> torch.Tensor:
    """The gradient of the loss for the word vectors, with the dropout that a descent has."""
    torch.manual_seed(int(torch.randint(1 << 62, ())))
    kept: list[torch.Tensor] = []

    def keep(module: torch.nn.Module, inputs: Any, given: torch.Tensor) -> None:
        given.retain_grad()
        kept.append(given)

    handle = made.network.encoder.embeddings.word.register_forward_hook(keep)
    made.loss().backward()
    handle.remove()
    assert kept[0].grad is not None
    return kept[0].grad


def test_fgm_learns_from_both_losses(bench: Callable[..., Bench]) -> None:
    made = bench(adversarial={"kind": "fgm", "epsilon": 0.5})
    watching = Watching(made)
    torch.manual_seed(1)
    made.methods.descent(made.turn())
    found = gradients(made)
    made.network.zero_grad()
    (method,) = made.methods.members
    assert isinstance(method, Adversarial)
    for change in list(watching.changes):
        torch.manual_seed(1)
        torch.manual_seed(int(torch.randint(1 << 62, ())))
        with method._words.changed(change):
            made.loss().backward()
    for name, gradient in gradients(made).items():
        assert torch.allclose(found[name], gradient, atol=1e-5), name


def test_padding_stays_as_it_is(bench: Callable[..., Bench]) -> None:
    for kind in KINDS:
        made = bench(adversarial={"kind": kind})
        watching = Watching(made)
        made.methods.descent(made.turn())
        assert made.batch.mask is not None and not made.batch.mask.all()
        for change in watching.changes:
            assert float(change[~made.batch.mask].abs().max()) < 1e-6


def test_pgd_stays_in_the_ball_and_learns_from_the_last_alone(bench: Callable[..., Bench]) -> None:
    settings = {"kind": "pgd", "epsilon": 0.5, "steps": 4, "step_size": 0.2, "start": 0.1}
    made = bench(adversarial=settings)
    watching = Watching(made)
    torch.manual_seed(2)
    loss = made.methods.descent(made.turn())
    assert len(watching.changes) == 5
    lengths = [norm(change).flatten() for change in watching.changes]
    assert (lengths[0] <= 0.1 + 1e-6).all()
    assert all((one <= 0.5 + 1e-5).all() for one in lengths)
    assert torch.allclose(lengths[-1], torch.full_like(lengths[-1], 0.5), atol=1e-5)
    found = gradients(made)
    made.network.zero_grad()
    (method,) = made.methods.members
    assert isinstance(method, Adversarial)
    torch.manual_seed(2)
    torch.manual_seed(int(torch.randint(1 << 62, ())))
    with method._words.changed(watching.changes[-1]):
        last = made.loss()
        last.backward()
    assert torch.allclose(loss, last, atol=1e-5)
    assert all(torch.allclose(found[n], one, atol=1e-5) for n, one in gradients(made).items())


def test_freelb_learns_from_the_mean_of_its_steps(bench: Callable[..., Bench]) -> None:
    made = bench(adversarial={"kind": "freelb", "steps": 3, "step_size": 0.2, "epsilon": 0.3})
    watching = Watching(made)
    torch.manual_seed(2)
    loss = made.methods.descent(made.turn())
    assert len(watching.changes) == 3
    assert (norm(watching.changes[1] - watching.changes[0]) <= 0.2 + 1e-5).all()
    assert all((norm(one) <= 0.3 + 1e-5).all() for one in watching.changes)
    found = gradients(made)
    made.network.zero_grad()
    (method,) = made.methods.members
    assert isinstance(method, Adversarial)
    losses = []
    for change in list(watching.changes):
        torch.manual_seed(2)
        torch.manual_seed(int(torch.randint(1 << 62, ())))
        with method._words.changed(change):
            losses.append(made.loss())
        (losses[-1] / 3).backward()
    assert torch.allclose(loss, torch.stack(losses).mean(), atol=1e-5)
    assert all(torch.allclose(found[n], one, atol=1e-5) for n, one in gradients(made).items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_that_overflows_in_half_precision_does_not_end_the_run(
    bench: Callable[..., Bench], kind: str
) -> None:
    made, losses = bench(adversarial={"kind": kind}), list[torch.Tensor]()

    def loss() -> torch.Tensor:
        losses.append(made.loss())
        return losses[-1]

    def backward(loss: torch.Tensor, **inputs: Any) -> None:
        (loss * float("inf")).backward(**inputs)

    made.methods.descent(replace(made.turn(), loss=loss, backward=backward))
    assert len(losses) > 1
    assert all(one.isfinite() for one in losses)


def test_the_worst_change_costs_more(bench: Callable[..., Bench]) -> None:
    made = bench(adversarial={"kind": "pgd", "epsilon": 1.0})
    made.network.eval()
    assert made.methods.descent(made.turn()) > made.loss()


def test_an_encoder_of_transformers_is_attacked_too(tmp_path: Path) -> None:
    import transformers

    from biobert.core.task import HeadSpec, LabelGroup
    from biobert.model.hub import HubEncoder
    from biobert.model.network import Network

    config = transformers.ElectraConfig(
        vocab_size=90,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
    )
    spec = HeadSpec("tags", "token", (LabelGroup("A", ("O", "B")),))
    network = Network(HubEncoder(transformers.ElectraModel(config)), [spec])
    method = Adversarial(AdversarialSettings())
    method.prepare(network)
    ids = torch.arange(5, 15).reshape(2, 5)
    with torch.no_grad():
        network.eval()
        still = network(ids)["tags"]
        with method._words.changed(torch.ones(2, 5, 16)):
            moved = network(ids)["tags"]
        after = network(ids)["tags"]
    assert torch.equal(still, after)
    assert not torch.allclose(still, moved)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadInputError, match="at least one step"):
        AdversarialSettings(kind="pgd", steps=0)
    with pytest.raises(BadInputError, match=r"start = 2\.0: from 0 to epsilon"):
        AdversarialSettings(kind="pgd", start=2.0)
    with pytest.raises(BadInputError, match=r"kind = 'fgm', steps = 5 is read beside kind = 'pgd'"):
        AdversarialSettings(steps=5)
    # One change knows no start, however short it is.
    assert AdversarialSettings(epsilon=0.05).kind == "fgm"
