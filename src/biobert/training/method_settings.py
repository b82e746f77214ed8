"""The tables of a recipe that ways to train read, each with its ranges."""

from dataclasses import dataclass
from typing import Literal

from biobert.core.errors import BadInputError
from biobert.core.settings import refuse_unread


@dataclass(frozen=True, slots=True)
class RegularizationSettings:
    """What keeps a small corpus from being learnt by heart. All of it is off by default.

    `masked_words` is the share of words that training hides behind the mask token, drawn anew for
    every batch, so that a mention is also learnt from its context. `label_smoothing` is the share
    of the truth that is spread over all labels. `focal` is the exponent gamma by which sure answers
    count less (arXiv:1708.02002). `rdrop` weighs the divergence between two passes with different
    dropout (arXiv:2106.14448). `contrastive` is the weight, from 0 to 1, of a loss that draws texts
    of one label together, at this `temperature` (arXiv:2011.01403).
    """

    masked_words: float = 0.0
    label_smoothing: float = 0.0
    focal: float = 0.0
    rdrop: float = 0.0
    contrastive: float = 0.0
    temperature: float = 0.3

    def __post_init__(self) -> None:
        for name in ("masked_words", "label_smoothing", "contrastive"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise BadInputError(f"[regularization] {name} = {getattr(self, name)}: 0 to 1")
        if min(self.focal, self.rdrop) < 0.0 or self.temperature <= 0.0:
            raise BadInputError(
                f"[regularization] focal = {self.focal}, rdrop = {self.rdrop}, temperature = "
                f"{self.temperature}: not below 0, temperature more than 0"
            )
        if not self.contrastive:
            refuse_unread(self, ["temperature"], place="[regularization]", reader="contrastive")


@dataclass(frozen=True, slots=True)
class AdversarialSettings:
    """Training against the worst small change of the word vectors of a row.

    `fgm` adds the loss after one change of length `epsilon` along the gradient (arXiv:1605.07725).
    `pgd` takes `steps` of `step_size`, stays within `epsilon`, and learns from the last alone
    (arXiv:1706.06083). `freelb` walks the same way and learns from every step (arXiv:1909.11764).
    Lengths are Euclidean, over all word vectors of a row; both walks begin within `start` of it.
    """

    kind: Literal["fgm", "pgd", "freelb"] = "fgm"
    epsilon: float = 1.0
    steps: int = 3
    step_size: float = 0.3
    start: float = 0.1

    def __post_init__(self) -> None:
        if self.steps < 1 or min(self.epsilon, self.step_size) <= 0.0:
            raise BadInputError(
                f"[adversarial] steps = {self.steps}, epsilon = {self.epsilon}, step_size = "
                f"{self.step_size}: at least one step, lengths more than 0"
            )
        if self.kind == "fgm":
            walk = ("steps", "step_size", "start")
            kinds = "kind = 'pgd' or 'freelb'"
            refuse_unread(self, walk, place="[adversarial] kind = 'fgm',", reader=kinds)
        elif not 0.0 <= self.start <= self.epsilon:
            raise BadInputError(f"[adversarial] start = {self.start}: from 0 to epsilon")


@dataclass(frozen=True, slots=True)
class AveragingSettings:
    """The mean of the weights over the steps is what is scored, kept and written.

    `exponential` forgets old weights at the rate 1 - `decay`; `uniform` takes the plain mean of
    every `every_steps`-th (SWA, arXiv:1803.05407). Both begin after the share `begin` of all steps.
    """

    kind: Literal["exponential", "uniform"] = "exponential"
    decay: float = 0.99
    begin: float = 0.5
    every_steps: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.decay < 1.0 or not 0.0 <= self.begin < 1.0 or self.every_steps < 1:
            raise BadInputError(
                f"[averaging] decay = {self.decay}, begin = {self.begin}, every_steps = "
                f"{self.every_steps}: decay and begin from 0 to 1, at least every step"
            )
        if self.kind == "uniform":
            place, reader = "[averaging] kind = 'uniform',", "kind = 'exponential'"
            refuse_unread(self, ["decay"], place=place, reader=reader)


@dataclass(frozen=True, slots=True)
class DistillationSettings:
    """A trained model folder of the same task and vocabulary teaches (arXiv:1503.02531).

    `weight` is its share of the loss, `temperature` softens both sides' answers, `hidden` weighs
    how far the cosines between token vectors are from the teacher's (arXiv:1907.09682).
    """

    teacher: str
    weight: float = 0.5
    temperature: float = 2.0
    hidden: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.weight <= 1.0 or self.temperature <= 0.0 or self.hidden < 0.0:
            raise BadInputError(
                f"[distillation] weight = {self.weight}, temperature = {self.temperature}, "
                f"hidden = {self.hidden}: weight up to 1, temperature more than 0, hidden from 0"
            )


@dataclass(frozen=True, slots=True)
class ConsolidationSettings:
    """Weights that matter for what `model.encoder` learnt before move little (arXiv:1612.00796).

    `biobert importance` writes how much they matter; `strength` is the price of moving them.
    """

    strength: float = 2.0

    def __post_init__(self) -> None:
        if self.strength <= 0.0:
            raise BadInputError(f"[consolidation] strength = {self.strength}: more than 0")
