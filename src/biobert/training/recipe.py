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

    Its documents come `times` times in an epoch, so that a small corpus weighs more. For
    pretraining, `corpus` is a folder that `biobert corpus build` wrote; its damaged shards are
    refused, or skipped.
    """

    corpus: str
    splits: tuple[str, ...] = ("train",)
    times: int = 1
    labels: tuple[str, ...] | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    damaged: Literal["refuse", "skip"] = "refuse"

    def __post_init__(self) -> None:
        if self.times < 1:
            raise BadInputError(f"[data] {self.corpus}: times = {self.times}: at least 1")


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What is learnt from, and what chooses the checkpoint (`devel` may be empty)."""

    train: tuple[DataSource, ...]
    devel: tuple[DataSource, ...] = ()


@dataclass(frozen=True, slots=True)
class ShapeSettings:
    """An encoder from scratch: BERT's shape in the sizes of its paper by default."""

    layers: int = 12
    hidden_size: int = 768
    heads: int = 12
    intermediate_size: int = 3072


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The encoder to start from: `encoder` is a folder or a Hugging Face name, `shape` begins from
    random weights, with `vocabulary` (a tokenizer folder, or a corpus folder).

    With `encoder`, a `vocabulary` of another kind gives new embeddings made of the old ones,
    `positions` longer rows (by `new_positions`), `layers` a deeper stack. `dropout` is that before
    the heads, `encoder_dropout` that inside (None: as the checkpoint says).
    """

    encoder: str | None = None
    shape: ShapeSettings | None = None
    vocabulary: str | None = None
    positions: int | None = None
    new_positions: Literal["interpolate", "tile"] = "tile"
    layers: int | None = None
    dropout: float = 0.1
    encoder_dropout: float | None = None

    def __post_init__(self) -> None:
        if (self.encoder is None) == (self.shape is None):
            raise BadInputError("[model] name either `encoder`, to go on from, or `shape`")
        if self.shape is not None and self.vocabulary is None:
            raise BadInputError("[model] a `shape` from scratch needs a `vocabulary`")


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
    """Warm-up over a fraction of all steps, then down to zero (or constant).

    `stable` stays at the full rate until the last `decay_fraction` of the steps, which fall as 1 -
    sqrt (Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392).
    """

    kind: Literal["linear", "cosine", "constant", "stable"] = "linear"
    warmup_fraction: float = 0.1
    decay_fraction: float = 0.2


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Rows of similar length up to `tokens` slots; `accumulation` batches make a step.

    `layout` is how a pretraining batch is filled: `sorted` puts one sequence in a row, `packed`
    several, which pays where attention skips what is apart (on a GPU).
    """

    tokens: int = 1024
    accumulation: int = 1
    layout: Literal["sorted", "packed"] = "sorted"


@dataclass(frozen=True, slots=True)
class StageSettings:
    """A part of a pretraining run: rows of up to `length` tokens, for a share of the steps."""

    length: int = 128
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.length < 8 or self.share <= 0:
            raise BadInputError(
                f"[[stages]] length = {self.length}, share = {self.share}: at least 8, more than 0"
            )


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
    """Length, seed, precision and habits of the run.

    `steps` ends the run at that many optimizer steps, whatever the epochs. It is scored on devel
    after every epoch, or every `evaluate_every_steps`, and ends after `patience` scores without a
    better one. Of its checkpoints the last is kept, and one every `keep_every_steps`.
    `peak_teraflops` is the machine's best, for the utilisation in the history.
    """

    epochs: int = 3
    steps: int | None = None
    seed: int = 1
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    patience: int | None = None
    evaluate_every_steps: int | None = None
    devel_tokens: int = 200_000
    checkpoint_every_steps: int = 500
    keep_every_steps: int | None = None
    memory: Literal["activations", "recompute"] = "activations"
    compilation: Literal["none", "default"] = "none"
    parallel: Literal["ddp", "fsdp"] = "ddp"
    peak_teraflops: float | None = None
    trackers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("epochs", "steps", "evaluate_every_steps", "checkpoint_every_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInputError(f"[run] {name} = {value}: at least 1")


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
    stages: tuple[StageSettings, ...] = (StageSettings(),)
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
