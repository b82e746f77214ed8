"""How torch predicts: where, how exactly, and how much at once."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TorchSettings:
    """`device` is cpu, cuda, cuda:1, ...; None takes a GPU where there is one.

    `token_budget` bounds the slots of a batch; None leaves it to the predictor. `threads` is how
    many compute on a CPU, in the whole process; None leaves it to torch.
    """

    device: str | None = None
    precision: Literal["float32", "bf16"] = "float32"
    token_budget: int | None = None
    threads: int | None = None
