"""Finding a model and making it ready: the built-in one, or a model folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from biobert.core.annotate import (
    Answer,
    EncodedDocuments,
    answer_encoded,
    decode_documents,
    encode_documents,
    predict_documents,
)
from biobert.core.document import Document, Provenance
from biobert.core.errors import BadInputError, MissingExtraError
from biobert.core.files import read_json
from biobert.core.hub import find_published_folder
from biobert.core.model_folder import CONFIG, EXPORTED_MODEL, ModelManifest, read_manifest
from biobert.core.task import Predictor, Task
from biobert.core.version import __version__
from biobert.model.checkpoint import find_encoder_folder
from biobert.model.settings import from_hugging_face
from biobert.model.torch_settings import TorchSettings
from biobert.runtime.ensemble import EnsemblePredictor
from biobert.runtime.load import find_exported, load_exported
from biobert.runtime.settings import RuntimeSettings, cores_of_container
from biobert.tasks import build_task
from biobert.tasks.multitask import Multitask, PartPredictor, part_of_task, tasks_in
from biobert.tasks.pretraining import Pretraining
from biobert.text.tokenizer import TOKENIZER_FILES, Tokenizer

EMBEDDED, EMBEDDED_NAMES = "embedded", "embedded-names"
SHIPPED = {EMBEDDED: "embedded", EMBEDDED_NAMES: "embedded_names"}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that can be used: what it is, and its three working parts.

    `longest_row` is how many tokens it reads, for a task whose rows are of any length.
    """

    manifest: ModelManifest
    task: Task
    tokenizer: Tokenizer
    predictor: Predictor
    longest_row: int | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """What it may say; of several tasks what any of them may."""
        settings = [task.settings() for task in tasks_in(self.task)]
        return tuple(dict.fromkeys(label for one in settings for label in one.get("labels", ())))

    def annotated(self, documents: Sequence[Document]) -> list[Document]:
        """The documents with its answers, in the same order; all are predicted in one go."""
        predictions = predict_documents(self.encoded(documents), self.predictor)
        return decode_documents(predictions, self.task)

    def answered(self, documents: Sequence[Document]) -> list[Answer]:
        """The same answers in parts, each with its certainty; all are predicted in one go."""
        return answer_encoded(self.encoded(documents), task=self.task, predictor=self.predictor)

    def encoded(self, documents: Sequence[Document]) -> EncodedDocuments:
        """The documents as rows; an error for one that the model cannot read."""
        encoded = encode_documents(documents, task=self.task, tokenizer=self.tokenizer)
        if self.longest_row is not None:
            _check_rows(encoded, self.longest_row)
        return encoded

    def problems(self, documents: Sequence[Document]) -> list[BadInputError | None]:
        """Of each document why the model cannot read it, or None."""
        return [self._problem(one) for one in documents]

    def _problem(self, document: Document) -> BadInputError | None:
        try:
            self.encoded([document])
        except BadInputError as problem:
            return problem
        return None

    def provenance(self, source: str, *others: "LoadedModel") -> Provenance:
        """Who annotated a text from this source: the model, and others that worked on it after."""
        manifests = [one.manifest for one in (self, *others)]
        return Provenance(
            source=source,
            model=" + ".join(one.name for one in manifests),
            version=f"{' + '.join(one.version for one in manifests)} (biobert {__version__})",
        )

    def told(self, terms: Mapping[str, Sequence[str]]) -> "LoadedModel":
        """The model that marks these names of each type, beside those that it was told before.

        Raises BadInputError for a model that finds no entities, and for a type it does not find.
        """
        settings = self.task.settings()
        if "terms" not in settings:
            raise BadInputError(f"terms are for taggers; this is a {self.task.name} model")
        before = settings["terms"]
        both = {
            label: (*before.get(label, ()), *terms.get(label, ())) for label in {**before, **terms}
        }
        settings = {**settings, "terms": both}
        manifest = replace(self.manifest, task_settings=settings)
        return replace(self, manifest=manifest, task=build_task(self.task.name, settings))

    def part(self, name: str | None) -> "LoadedModel":
        """The model for the part of this name alone; None stands for the model as it is."""
        if name is None:
            return self
        wanted = part_of_task(self.task, name)
        return self.narrowed(lambda one: one is wanted)

    def narrowed(self, wanted: Callable[[Task], bool]) -> "LoadedModel":
        """The model for those of its tasks alone that are wanted: of a multitask some parts."""
        whole = self.task
        if not isinstance(whole, Multitask):
            return self
        parts = [part for part, task in whole.parts.items() if wanted(task)]
        if len(parts) > 1:
            return replace(self, task=whole.only(parts))
        (part,) = parts
        task = whole.parts[part]
        return LoadedModel(
            replace(self.manifest, task=task.name, task_settings=task.settings()),
            task,
            self.tokenizer,
            PartPredictor(self.predictor, whole, part),
        )


def model_folder(model: str | Path) -> Path:
    """The folder of a model; those in SHIPPED come with the package."""
    if (shipped := SHIPPED.get(str(model))) is not None:
        return Path(str(files("biobert") / shipped))
    folder = Path(model)
    if not folder.is_dir():
        raise BadInputError(
            f"no such model folder: {model}; name a folder, or `embedded`", code="not-found"
        )
    return folder


def tokenizer_folder(name: str) -> Path:
    """Where a tokenizer lies: with the package, in a folder, or on the Hugging Face hub."""
    return model_folder(name) if name in SHIPPED else find_published_folder(name, TOKENIZER_FILES)


def encoder_folder(name: str | Path) -> Path:
    """Where an encoder lies: in a folder, or on the Hugging Face hub; the package brings none."""
    if str(name) in SHIPPED:
        raise BadInputError(
            f"{str(name)!r} tags texts and is no encoder by itself: take models/biobert-mini",
            code="usage",
        )
    return find_encoder_folder(str(name))


def load_model(
    model: str | Path = EMBEDDED,
    settings: RuntimeSettings = RuntimeSettings(),
    *,
    changes: Mapping[str, Any] | None = None,
    bases: dict[str, Any] | None = None,
) -> LoadedModel:
    """Load a model: its exported form where there is one, else its weights through torch.

    `changes` replace settings of its task. Adapters that are loaded with the same `bases` (empty at
    first) hold the encoder they have in common once.
    """
    folder = model_folder(model)
    manifest = read_manifest(folder)
    tokenizer = Tokenizer.from_folder(folder)
    task = build_task(manifest.task, {**manifest.task_settings, **(changes or {})})
    predictor = _predictor(folder, manifest, task, settings, bases)
    if not isinstance(task, Pretraining):
        return LoadedModel(manifest, task, tokenizer, predictor)
    longest = None if manifest.members else longest_row(folder, predictor)
    return LoadedModel(manifest, task.with_tokenizer(tokenizer), tokenizer, predictor, longest)


def _check_rows(encoded: EncodedDocuments, most: int) -> None:
    for document, rows in zip(encoded.documents, encoded.windows, strict=True):
        longest = max((len(one) for windows in rows for one in windows), default=0)
        if longest > most:
            raise BadInputError(
                f"document {document.id!r} has {longest} tokens, the model reads {most}; shorten "
                "it around the gap"
            )


def longest_row(folder: Path, predictor: Predictor) -> int:
    """The longest row that the model knows positions for; a graph would answer longer ones too."""
    if (known := getattr(predictor, "maximum_positions", None)) is not None:
        return int(known)
    config = read_json(
        folder / CONFIG,
        missing=f"{folder} has no {CONFIG}, which says how long a text may be; export it anew "
        "(an adapter after `biobert merge`)",
    )
    return from_hugging_face(config).maximum_positions


def _predictor(
    folder: Path,
    manifest: ModelManifest,
    task: Task,
    settings: RuntimeSettings,
    bases: dict[str, Any] | None,
) -> Predictor:
    """Of an ensemble all members; of a single model its exported form where there is one."""
    if manifest.members:
        places = [folder / name for name in manifest.members]
        manifests = [read_manifest(place) for place in places]
        tasks = [build_task(one.task, one.task_settings) for one in manifests]
        members = [
            _predictor(*one, settings, bases) for one in zip(places, manifests, tasks, strict=True)
        ]
        return EnsemblePredictor(members, tasks, rule=manifest.rule)
    exported = find_exported(folder, settings)
    if exported is not None:
        return load_exported(exported, task.heads(), settings)
    return _torch_predictor(folder, task, settings, bases)


def _torch_predictor(
    folder: Path, task: Task, settings: RuntimeSettings, bases: dict[str, Any] | None
) -> Predictor:
    need_weights(folder, settings)
    from biobert.model.predictor import load_predictor

    return load_predictor(folder, task.heads(), torch_settings(settings), bases=bases)


def need_weights(folder: Path, settings: RuntimeSettings) -> None:
    """An error unless torch is wanted and here, and the folder has more than a graph of a task."""
    if settings.engine not in ("auto", "torch"):
        raise BadInputError(
            f"{folder} has no {EXPORTED_MODEL} of this use for engine {settings.engine!r}; "
            "make one with `biobert export`",
            code="not-found",
        )
    if find_exported(folder, RuntimeSettings()) and not any(folder.glob("*.safetensors")):
        raise BadInputError(
            f"{folder} is exported, for its own task alone, and has no weights; "
            "name the folder that it was made of (`biobert export --use embed` or `--use "
            "fill-mask` makes a graph of that for this)",
            code="not-found",
        )
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "train")


def torch_settings(settings: RuntimeSettings) -> TorchSettings:
    """The same for torch, where float32 is what `auto` means."""
    # By itself torch knows nothing of a container's share.
    is_bounded = settings.threads is not None or cores_of_container() is not None
    return TorchSettings(
        device=settings.device,
        precision="bf16" if settings.precision == "bf16" else "float32",
        token_budget=settings.token_budget,
        threads=settings.cores if is_bounded else None,
    )
