"""The recipe: everything that decides a training run, as data.

Each part of the loop gets its own small table; nothing is handed the whole recipe but the caller.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal

from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping, read_changed, refuse_unread
from biobert.data.augmentation import AugmentationSettings
from biobert.model.adapters import AdapterSettings
from biobert.tasks import build_task
from biobert.training.method_settings import (
    AdversarialSettings,
    AveragingSettings,
    ConsolidationSettings,
    DistillationSettings,
    RegularizationSettings,
)

PRETRAINING = "pretraining"


@dataclass(frozen=True, slots=True)
class DataSource:
    """One corpus in the mixture. `rename` maps its labels to ours; `labels` keeps only these.

    `where` takes only documents whose metadata say so, such as BioASQ's of one `type`.
    Its documents come `times` times in an epoch, so that a small corpus weighs more; only a `share`
    of them is taken, always the same ones, or `per_label` documents of each label; another `draw`
    takes others. `part` is the one of a `multitask` that learns from it.
    For pretraining, `corpus` is a folder that `biobert corpus build` wrote; its damaged shards are
    refused, or skipped.
    """

    corpus: str
    splits: tuple[str, ...] = ("train",)
    times: int = 1
    share: float = 1.0
    per_label: int | None = None
    draw: int | None = None
    labels: tuple[str, ...] | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    part: str | None = None
    damaged: Literal["refuse", "skip"] = "refuse"

    def __post_init__(self) -> None:
        if self.times < 1:
            raise BadInputError(f"[data] {self.corpus}: times = {self.times}: at least 1")
        if not 0.0 < self.share <= 1.0:
            raise BadInputError(f"[data] {self.corpus}: share = {self.share}: up to 1, more than 0")
        if self.per_label is not None and self.per_label < 1:
            raise BadInputError(f"[data] {self.corpus}: per_label = {self.per_label}: at least 1")
        if self.draw is not None and self.per_label is None:
            raise BadInputError(f"[data] {self.corpus}: draw = {self.draw} needs per_label")


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What is learnt from, and what chooses the checkpoint (`devel` may be empty)."""

    train: tuple[DataSource, ...]
    devel: tuple[DataSource, ...] = ()

    def __post_init__(self) -> None:
        for source in self.devel:
            place = f"[[data.devel]] {source.corpus}:"
            refuse_unread(source, ["times"], place=place, reader="[[data.train]]")


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
    `positions` longer rows (by `new_positions`), `layers` a deeper stack or a shallower one;
    the pooler and the `reinitialised_layers` at the top begin anew (arXiv:2006.05987). `heads`
    are new, or those of a trained folder, which then goes on learning. `dropout` is that before
    the heads, `encoder_dropout` that inside (None: as the checkpoint says), of which
    `attention_dropout` may set that of attention weights apart. In pretraining, without
    `pull_embeddings` the word embeddings learn as input alone, not from what is predicted.
    """

    encoder: str | None = None
    shape: ShapeSettings | None = None
    vocabulary: str | None = None
    positions: int | None = None
    new_positions: Literal["interpolate", "tile"] = "tile"
    layers: int | None = None
    reinitialised_layers: int = 0
    heads: Literal["new", "kept"] = "new"
    dropout: float = 0.1
    encoder_dropout: float | None = None
    attention_dropout: float | None = None
    pull_embeddings: bool = True

    def __post_init__(self) -> None:
        if (self.encoder is None) == (self.shape is None):
            raise BadInputError("[model] name either `encoder`, to go on from, or `shape`")
        if self.shape is not None and self.vocabulary is None:
            raise BadInputError("[model] a `shape` from scratch needs a `vocabulary`")
        if self.shape is not None and self.layers is not None:
            raise BadInputError("[model] `layers` changes an `encoder`; a `shape` has its own")
        if self.shape is not None and self.heads == "kept":
            raise BadInputError("[model] a `shape` from scratch has no heads to be kept")
        if self.shape is not None:
            unread = ("new_positions", "reinitialised_layers")
            refuse_unread(self, unread, place="[model] shape,", reader="an `encoder`")
        if self.positions is None and self.new_positions != "tile":
            raise BadInputError(f"[model] new_positions = {self.new_positions!r} needs positions")
        if self.positions is not None and self.positions < 1:
            raise BadInputError(f"[model] positions = {self.positions}: at least 1")
        if self.reinitialised_layers < 0:
            raise BadInputError(
                f"[model] reinitialised_layers = {self.reinitialised_layers}: not below 0"
            )
        for name in ("dropout", "encoder_dropout", "attention_dropout"):
            rate = getattr(self, name)
            if rate is not None and not 0.0 <= rate < 1.0:
                raise BadInputError(f"[model] {name} = {rate}: from 0 to less than 1")


@dataclass(frozen=True, slots=True)
class OptimizerSettings:
    """AdamW. `layer_decay` multiplies the learning rate for each layer further from the head.

    The embeddings and the lowest `frozen_layers` stay as they are. With `unfrozen_layers` the first
    epoch trains the heads alone, and each later one that many layers more, from the top; the
    embeddings come with the lowest (ULMFiT, arXiv:1801.06146, which also brought `layer_decay`).
    """

    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    betas: tuple[float, ...] = (0.9, 0.999)
    epsilon: float = 1e-8
    maximum_gradient_norm: float = 1.0
    layer_decay: float = 1.0
    frozen_layers: int = 0
    unfrozen_layers: int | None = None
    head_learning_rate: float | None = None

    def __post_init__(self) -> None:
        if len(self.betas) != 2 or not all(0.0 <= beta < 1.0 for beta in self.betas):
            raise BadInputError(
                f"[optimizer] betas = {list(self.betas)}: two numbers, from 0 to less than 1"
            )
        for name in ("learning_rate", "head_learning_rate", "epsilon", "maximum_gradient_norm"):
            value = getattr(self, name)
            if value is not None and not value > 0.0:
                raise BadInputError(f"[optimizer] {name} = {value}: more than 0")
        if self.weight_decay < 0.0 or not 0.0 < self.layer_decay <= 1.0:
            raise BadInputError(
                f"[optimizer] weight_decay = {self.weight_decay}, layer_decay = "
                f"{self.layer_decay}: not below 0; more than 0, at most 1"
            )
        if self.frozen_layers < 0:
            raise BadInputError(f"[optimizer] frozen_layers = {self.frozen_layers}: not below 0")


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """Warm-up over a fraction of all steps, then down to zero (or constant).

    `stable` stays at the full rate until the last `decay_fraction` of the steps, which fall as 1 -
    sqrt (Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392).
    """

    kind: Literal["linear", "cosine", "constant", "stable"] = "linear"
    warmup_fraction: float = 0.1
    decay_fraction: float = 0.2

    def __post_init__(self) -> None:
        for name in ("warmup_fraction", "decay_fraction"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise BadInputError(f"[schedule] {name} = {getattr(self, name)}: from 0 to 1")
        if self.kind == "stable" and self.warmup_fraction + self.decay_fraction > 1.0:
            raise BadInputError(
                f"[schedule] warmup_fraction = {self.warmup_fraction}, decay_fraction = "
                f"{self.decay_fraction}: together at most 1"
            )
        if self.kind != "stable":
            place = f"[schedule] kind = {self.kind!r},"
            refuse_unread(self, ["decay_fraction"], place=place, reader="kind = 'stable'")


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Rows of similar length up to `tokens` slots; `accumulation` batches make a step.

    `layout` is how a pretraining batch is filled: `sorted` puts one sequence in a row, `packed`
    several, which pays where attention skips what is apart: on a GPU, in half precision, without
    dropout of attention weights.
    """

    tokens: int = 1024
    accumulation: int = 1
    layout: Literal["sorted", "packed"] = "sorted"

    def __post_init__(self) -> None:
        for name in ("tokens", "accumulation"):
            if getattr(self, name) < 1:
                raise BadInputError(f"[batches] {name} = {getattr(self, name)}: at least 1")


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
class SelfTrainingSettings:
    """A model trained on the recipe's data teaches the next one with what it is sure of.

    In each of the `rounds` the last model annotates the `unlabelled` texts anew; what is said of
    them already is not looked at. What it answers with a certainty of at least `minimum_score`
    joins the training data, `times` times in an epoch; the student begins from the encoder again
    (Du et al. 2021, arXiv:2010.02194). Certainty is the probability of the least sure answer in a
    sentence, or in a document where the task does not label words. The best model on devel is kept,
    without devel the last.
    """

    unlabelled: tuple[DataSource, ...]
    rounds: int = 1
    minimum_score: float = 0.9
    times: int = 1

    def __post_init__(self) -> None:
        if not self.unlabelled or min(self.rounds, self.times) < 1:
            raise BadInputError(
                f"[self_training] {len(self.unlabelled)} unlabelled, rounds = {self.rounds}, "
                f"times = {self.times}: at least one of each"
            )
        if not 0.0 <= self.minimum_score <= 1.0:
            raise BadInputError(
                f"[self_training] minimum_score = {self.minimum_score}: from 0 to 1"
            )
        for source in self.unlabelled:
            place = f"[[self_training.unlabelled]] {source.corpus}:"
            refuse_unread(source, ["times"], place=place, reader="[[data.train]]")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Length, seed, precision and habits of the run.

    `steps` ends the run at that many optimizer steps, whatever the epochs. It is scored on devel
    after every epoch, or every `evaluate_every_steps`, and ends after `patience` scores without a
    better one, or one better by more than `patience_gain`. Of its checkpoints the last is kept, and
    one every `keep_every_steps`: a model folder, that another run may begin from. `peak_teraflops`
    is one device's best, for the utilisation in the history.
    """

    epochs: int = 3
    steps: int | None = None
    seed: int = 1
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    patience: int | None = None
    patience_gain: float | None = None
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
        every = ("evaluate_every_steps", "checkpoint_every_steps", "keep_every_steps")
        for name in ("epochs", "steps", "patience", *every):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInputError(f"[run] {name} = {value}: at least 1")
        if self.patience_gain is not None and (self.patience is None or self.patience_gain < 0.0):
            raise BadInputError(
                f"[run] patience_gain = {self.patience_gain}: not below 0, and beside `patience`"
            )
        if not 0 <= self.seed < 1 << 63:
            raise BadInputError(f"[run] seed = {self.seed}: not below 0, less than 2^63")


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
    regularization: RegularizationSettings = field(default_factory=RegularizationSettings)
    adversarial: AdversarialSettings | None = None
    adapter: AdapterSettings | None = None
    averaging: AveragingSettings | None = None
    distillation: DistillationSettings | None = None
    consolidation: ConsolidationSettings | None = None
    augmentation: AugmentationSettings | None = None
    self_training: SelfTrainingSettings | None = None
    run: RunSettings = RunSettings()

    def __post_init__(self) -> None:
        if not self.stages:
            raise BadInputError("[[stages]] is empty: name at least one, or leave it out")
        if self.run.patience is not None and not self.data.devel:
            raise BadInputError(
                f"[run] patience = {self.run.patience}: without [[data.devel]] nothing is scored; "
                "name a devel set, or leave it out"
            )
        if self.task.get("name") != PRETRAINING:
            reader = "task.name = 'pretraining'"
            refuse_unread(self.model, ["pull_embeddings"], place="[model]", reader=reader)

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


SHORT_NAMES = {"encoder": "model.encoder", "seed": "run.seed"}


def with_full_names(changes: Iterable[str]) -> list[str]:
    """`encoder=...` is short for `model.encoder=...`, `seed=...` for `run.seed=...`."""
    parts = (change.partition("=") for change in changes)
    return [f"{SHORT_NAMES.get(name, name)}{sign}{value}" for name, sign, value in parts]


def read_changed_recipe(tables: Mapping[str, Any], changes: Sequence[str], *, place: str) -> Recipe:
    """The recipe with settings changed as `--set` has them; where they alone are wrong, for the
    recipe or its task, the call was."""
    return read_changed(partial(_with_task, place=place), tables, with_full_names(changes))


def _with_task(tables: Mapping[str, Any], place: str) -> Recipe:
    """The recipe, whose task has settings that it takes."""
    recipe = read_recipe(tables, place=place)
    settings = dict(recipe.task)
    build_task(settings.pop("name"), settings)
    return recipe


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
