"""The recipe: everything that decides a training run, as data.

Each part of the loop gets its own small table; nothing is handed the whole recipe but the caller.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping


@dataclass(frozen=True, slots=True)
class DataSource:
    """One corpus in the mixture. `rename` maps its labels to ours; `labels` keeps only these.

    Its documents come `times` times in an epoch, so that a small corpus weighs more.
    """

    corpus: str
    splits: tuple[str, ...] = ("train",)
    times: int = 1
    labels: tuple[str, ...] | None = None
    rename: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.times < 1:
            raise BadInputError(f"[data] {self.corpus}: times = {self.times}: at least 1")


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What is learnt from, and what chooses the checkpoint (`devel` may be empty)."""

    train: tuple[DataSource, ...]
    devel: tuple[DataSource, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The encoder to start from: a folder or a Hugging Face name; `dropout` before the head."""

    encoder: str
    dropout: float = 0.1


@dataclass(frozen=True, slots=True)
class OptimizerSettings:
    """AdamW. `layer_decay` multiplies the learning rate for each layer further from the head."""

    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    betas: tuple[float, ...] = (0.9, 0.999)
    epsilon: float = 1e-8
    maximum_gradient_norm: float = 1.0
    layer_decay: float = 1.0
    frozen_layers: int = 0
    head_learning_rate: float | None = None


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """Warm-up over a fraction of all steps, then down to zero (or constant)."""

    kind: Literal["linear", "cosine", "constant"] = "linear"
    warmup_fraction: float = 0.1


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Rows of similar length up to `tokens` slots; `accumulation` batches make a step."""

    tokens: int = 1024
    accumulation: int = 1


@dataclass(frozen=True, slots=True)
class RegularizationSettings:
    """`masked_words` is the share of words that training hides behind the mask token, drawn anew
    for every batch, so that a mention is also learnt from its context."""

    masked_words: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.masked_words < 1.0:
            raise BadInputError(f"[regularization] masked_words = {self.masked_words}: 0 to 1")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Length, seed, precision and habits of the run."""

    epochs: int = 3
    seed: int = 1
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    patience: int | None = None
    checkpoint_every_steps: int = 500
    trackers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise BadInputError(f"[run] epochs = {self.epochs}: at least 1")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run. `task` holds `name` and the task's own settings."""

    name: str
    task: Mapping[str, Any]
    model: ModelSettings
    data: DataSettings
    description: str = ""
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    batches: BatchSettings = BatchSettings()
    regularization: RegularizationSettings = RegularizationSettings()
    run: RunSettings = RunSettings()

    def resolved(self) -> dict[str, Any]:
        """Every setting with its value, JSON-ready; None is left out."""
        tables: dict[str, Any] = _without_none(asdict(self))
        return tables


def read_recipe(tables: Mapping[str, Any], *, place: str) -> Recipe:
    """The recipe from TOML tables; `place` (the file's name) stands in errors."""
    recipe = from_mapping(Recipe, tables, place=place)
    if "name" not in recipe.task:
        raise BadInputError(f"{place} [task]: setting 'name' is missing (such as name = 'ner')")
    return recipe


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
