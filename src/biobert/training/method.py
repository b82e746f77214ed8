"""The seam between the loop and the ways to train: what a method may change, and when."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch

from biobert.core.errors import BadInputError
from biobert.core.task import HeadSpec
from biobert.model.heads import PLAIN, LossForm, head_loss
from biobert.model.network import Network
from biobert.training.batches import Batch

Answers = Mapping[str, torch.Tensor]
"""Logits by head name, of one pass."""


class Backward(Protocol):
    """Adds the gradients of a loss to the weights, or to `inputs` alone."""

    def __call__(self, loss: torch.Tensor, *, inputs: Sequence[torch.Tensor] | None = None) -> None:
        """Go back."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One batch on its way through the network, forward and back as often as a descent likes.

    What goes back inside `apart()` is not yet exchanged with other processes: all but the last.
    """

    batch: Batch
    loss: Callable[[], torch.Tensor]
    backward: Backward
    apart: Callable[[], AbstractContextManager[None]]


Descent = Callable[[Turn], torch.Tensor]
"""Leaves a batch's gradients in the weights, and gives the loss that is reported."""


def plain_descent(turn: Turn) -> torch.Tensor:
    """Once forward, once back."""
    loss = turn.loss()
    turn.backward(loss)
    return loss


class Method:
    """A way to train; what it leaves as it is here changes nothing.

    `passes` is how often a batch goes forward for one loss. `form` and `descent` replace what the
    loop does, so only one method of a run may have each.
    """

    name: str = ""
    passes: int = 1
    form: LossForm | None = None
    descent: Descent | None = None

    def prepare(self, network: Network) -> None:
        """Change the network before it is spread over devices and its optimizer is made."""

    def begin_epoch(self, epoch: int) -> None:
        """An epoch begins, counted from 0."""

    def blend(self, loss: torch.Tensor, answers: Sequence[Answers], batch: Batch) -> torch.Tensor:
        """What a batch costs, from its loss so far and the answers of all passes."""
        return loss

    def penalty(self) -> torch.Tensor | None:
        """What the weights cost as they stand, whatever the batch; paid once for each update."""
        return None

    def before_update(self, network: Network) -> None:
        """All gradients of a step are there, not yet clipped."""

    def after_update(self, network: Network, step: int) -> None:
        """Optimizer step number `step`, counted from 1, is done."""

    def scored(self, network: Network) -> AbstractContextManager[None]:
        """Inside, the network has the weights that are scored and kept."""
        return nullcontext()

    def finish(self, network: Network) -> None:
        """The run is over, and no devel set has chosen the weights."""

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint must hold for the run to go on exactly."""
        return {}

    def restore(self, network: Network, state: Mapping[str, torch.Tensor]) -> None:
        """Put back what `state` gave."""


class Methods:
    """The methods of a run as one: each adds to what those before it did."""

    def __init__(self, members: Sequence[Method]) -> None:
        self.members = tuple(members)
        self.passes = max((one.passes for one in members), default=1)
        self.form: LossForm = self._only("form") or PLAIN
        self.descent: Descent = self._only("descent") or plain_descent

    def loss(
        self, answers: Sequence[Answers], batch: Batch, heads: Mapping[str, HeadSpec]
    ) -> torch.Tensor:
        """The mean over the passes of the sum over the heads, and what the methods blend with it,
        in the order of their names."""
        losses = [
            head_loss(head, one[name], batch.targets[name], self.form)
            for one in answers
            for name, head in heads.items()
        ]
        loss = torch.stack(losses).sum() / len(answers)
        for member in self.members:
            loss = member.blend(loss, answers, batch)
        return loss

    def penalty(self) -> torch.Tensor | None:
        """The sum of what the methods ask for the weights as they stand."""
        prices = [price for one in self.members if (price := one.penalty()) is not None]
        return torch.stack(prices).sum() if prices else None

    def prepare(self, network: Network) -> None:
        """Change the network before it is spread over devices and its optimizer is made."""
        for member in self.members:
            member.prepare(network)

    def begin_epoch(self, epoch: int) -> None:
        """An epoch begins, counted from 0."""
        for member in self.members:
            member.begin_epoch(epoch)

    def before_update(self, network: Network) -> None:
        """All gradients of a step are there, not yet clipped."""
        for member in self.members:
            member.before_update(network)

    def after_update(self, network: Network, step: int) -> None:
        """Optimizer step number `step`, counted from 1, is done."""
        for member in self.members:
            member.after_update(network, step)

    def finish(self, network: Network) -> None:
        """The run is over, and no devel set has chosen the weights."""
        for member in self.members:
            member.finish(network)

    @contextmanager
    def scored(self, network: Network) -> Iterator[None]:
        """Inside, the network has the weights that are scored and kept."""
        with ExitStack() as stack:
            for member in self.members:
                stack.enter_context(member.scored(network))
            yield

    def state(self) -> dict[str, torch.Tensor]:
        """The states of all, by `method/tensor`."""
        return {
            f"{one.name}/{name}": value
            for one in self.members
            for name, value in one.state().items()
        }

    def restore(self, network: Network, state: Mapping[str, torch.Tensor]) -> None:
        """Give each its own."""
        for one in self.members:
            prefix = f"{one.name}/"
            own = {
                name.removeprefix(prefix): value
                for name, value in state.items()
                if name.startswith(prefix)
            }
            one.restore(network, own)

    def _only(self, what: Literal["form", "descent"]) -> Any:
        having = [one for one in self.members if getattr(one, what) is not None]
        if len(having) > 1:
            names = " and ".join(one.name for one in having)
            raise BadInputError(f"{names} cannot be combined; leave one out of the recipe")
        return getattr(having[0], what) if having else None
