"""Adversarial training: learn from the worst small change of the word vectors.

FGM, Miyato et al. 2017 (arXiv:1605.07725); PGD, Madry et al. 2018 (arXiv:1706.06083); FreeLB,
Zhu et al. 2020 (arXiv:1909.11764). A change belongs to a row: (rows, length, size), with Euclidean
norms over its last two dimensions. All passes of a batch have the same dropout (FreeLB, section
3.3). No change is kept in the embeddings: it is added to what they give.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from biobert.model.network import Network
from biobert.training.method import Method, Turn
from biobert.training.method_settings import AdversarialSettings
from biobert.training.recipe import Recipe

SMALLEST_NORM = 1e-12


class WordVectors:
    """What the word embeddings give, with a change where one is set."""

    def __init__(self, embeddings: nn.Module) -> None:
        self._change: torch.Tensor | None = None
        weight = embeddings.weight
        assert isinstance(weight, torch.Tensor)
        self._size, self._precision = weight.shape[1], weight.dtype
        embeddings.register_forward_hook(self._add)

    def zeros(self, turn: Turn) -> torch.Tensor:
        """No change, of the shape of a batch's word vectors."""
        ids = turn.batch.token_ids
        return torch.zeros(*ids.shape, self._size, dtype=self._precision, device=ids.device)

    @contextmanager
    def changed(self, change: torch.Tensor) -> Iterator[None]:
        """Inside, the change is added."""
        self._change = change
        try:
            yield
        finally:
            self._change = None

    def _add(self, embeddings: nn.Module, inputs: object, given: torch.Tensor) -> torch.Tensor:
        return given if self._change is None else given + self._change


class Adversarial(Method):
    """One of the three descents, over the word vectors of the network."""

    name = "adversarial"

    def __init__(self, settings: AdversarialSettings) -> None:
        self._settings = settings
        self._descents = {"fgm": self.fgm, "pgd": self.pgd, "freelb": self.freelb}
        self.descent = self._descents[settings.kind]

    def prepare(self, network: Network) -> None:
        """Stand behind the word embeddings."""
        self._words = WordVectors(network.encoder.word_embeddings)  # type: ignore[arg-type]

    def fgm(self, turn: Turn) -> torch.Tensor:
        """The loss, and the loss after one change of length epsilon along its gradient."""
        again = _same_chance()
        change = self._words.zeros(turn).requires_grad_()
        with turn.apart():
            loss = self._pass(turn, change, again)
            turn.backward(loss)
        worst = self._settings.epsilon * unit(_gradient(change))
        turn.backward(self._pass(turn, worst, again))
        return loss

    def pgd(self, turn: Turn) -> torch.Tensor:
        """The loss after some steps along the gradient, each projected into the ball."""
        again = _same_chance()
        change = self._start(turn)
        for _ in range(self._settings.steps):
            with turn.apart():
                turn.backward(self._pass(turn, change, again), inputs=[change])
            change = self._step(change)
        loss = self._pass(turn, change.detach(), again)
        turn.backward(loss)
        return loss

    def freelb(self, turn: Turn) -> torch.Tensor:
        """The mean of the losses on the way: every gradient serves weights and change alike."""
        again = _same_chance()
        steps, change = self._settings.steps, self._start(turn)
        losses = []
        for number in range(steps):
            with turn.apart() if number < steps - 1 else nullcontext():
                loss = self._pass(turn, change, again) / steps
                turn.backward(loss)
            losses.append(loss.detach())
            change = self._step(change)
        return torch.stack(losses).sum()

    def _pass(self, turn: Turn, change: torch.Tensor, again: Callable[[], object]) -> torch.Tensor:
        again()
        with self._words.changed(change):
            return turn.loss()

    def _start(self, turn: Turn) -> torch.Tensor:
        """Uniform in a cube inside the ball of radius `start`; padding stays as it is."""
        change = self._words.zeros(turn)
        real = torch.ones_like(change[..., :1])
        if turn.batch.mask is not None:
            real = (turn.batch.mask > 0)[..., None].to(change.dtype)
        slots = real.sum(dim=(1, 2), keepdim=True) * change.shape[-1]
        side = self._settings.start / slots.sqrt()
        return (change.uniform_(-1.0, 1.0) * side * real).requires_grad_()

    def _step(self, change: torch.Tensor) -> torch.Tensor:
        """A step along the gradient, back to the ball where it leaves it."""
        moved = change.detach() + self._settings.step_size * unit(_gradient(change))
        longest = self._settings.epsilon / norm(moved).clamp(min=SMALLEST_NORM)
        return (moved * longest.clamp(max=1.0)).requires_grad_()


def norm(change: torch.Tensor) -> torch.Tensor:
    """(rows, length, size) to (rows, 1, 1): the length of each row's change."""
    lengths: torch.Tensor = change.flatten(1).norm(dim=1)
    return lengths[:, None, None]


def unit(change: torch.Tensor) -> torch.Tensor:
    """Each row's change at length one; a row of zeros stays."""
    return change / norm(change).clamp(min=SMALLEST_NORM)


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe has the table."""
    del steps
    return None if recipe.adversarial is None else Adversarial(recipe.adversarial)


def _gradient(change: torch.Tensor) -> torch.Tensor:
    """Where fp16 overflows it is zero: the scaler skips that step, but the passes must go on."""
    assert change.grad is not None
    return torch.nan_to_num(change.grad.detach(), nan=0.0, posinf=0.0, neginf=0.0)


def _same_chance() -> Callable[[], object]:
    """What sets torch's chance back, the same for each call; drawn from that of the step."""
    seed = int(torch.randint(1 << 62, ()))
    return lambda: torch.manual_seed(seed)
