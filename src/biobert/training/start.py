"""What a run starts from: task, tokenizer and network, from a checkpoint or from random weights."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from biobert.core.errors import BadInputError
from biobert.core.hub import find_published_folder
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.task import HeadSpec, Task
from biobert.model.attention import SelfAttention
from biobert.model.checkpoint import find_encoder_folder
from biobert.model.decoder import DecoderHead
from biobert.model.encoder import Encoder
from biobert.model.heads import VocabularyHead
from biobert.model.hub import load_encoder, load_trained_heads
from biobert.model.network import Network
from biobert.model.settings import EncoderSettings
from biobert.model.surgery import mean_rows, restacked, with_positions, with_vocabulary
from biobert.model.weights import fill_heads, fill_language_model
from biobert.tasks import build_task
from biobert.text.tokenizer import TOKENIZER_FILES, Tokenizer
from biobert.training.checkpoint import STATE
from biobert.training.recipe import ModelSettings, Recipe, ShapeSettings
from biobert.training.sources import Learner

Note = Callable[[str], None]


def build_learner(recipe: Recipe, note: Note) -> Learner:
    """The task, tokenizer and network that a recipe starts from; `note` hears of surprises."""
    settings = {key: value for key, value in recipe.task.items() if key != "name"}
    task = build_task(recipe.task["name"], settings)
    model = recipe.model
    learner = _from_scratch(model, task) if model.shape else _continued(model, task, note)
    encoder = learner.network.encoder
    for head in learner.network.heads.values():
        if isinstance(head, DecoderHead):
            if recipe.adapter is not None:
                raise BadInputError("[adapter] a decoder is trained whole: leave the adapter out")
            head.set_borders(learner.tokenizer.special("cls"), learner.tokenizer.special("sep"))
            _set_decoder(head, recipe)
        if isinstance(head, VocabularyHead):
            head.pulls_embeddings = model.pull_embeddings
    if model.encoder_dropout is not None:
        set_dropout(encoder, model.encoder_dropout)
    if model.attention_dropout is not None:
        _set_attention_dropout(_own(encoder, "model.attention_dropout"), model.attention_dropout)
    if recipe.run.memory == "recompute":
        _own(encoder, "run.memory = 'recompute'").recompute = True
    return learner


def _set_decoder(head: DecoderHead, recipe: Recipe) -> None:
    """What the recipe says of the encoder holds for its copy."""
    if recipe.model.encoder_dropout is not None:
        set_dropout(head.decoder, recipe.model.encoder_dropout)
    if recipe.model.attention_dropout is not None:
        head.set_attention_dropout(recipe.model.attention_dropout)
    if recipe.run.memory == "recompute":
        head.recompute()


def set_dropout(encoder: nn.Module, rate: float) -> None:
    """Another dropout while training; what the checkpoint says of itself stays."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate
        elif isinstance(getattr(module, "dropout", None), float):
            module.dropout = rate  # type: ignore[assignment]


def _set_attention_dropout(encoder: Encoder, rate: float) -> None:
    for module in encoder.modules():
        if isinstance(module, SelfAttention):
            module.dropout = rate


def _from_scratch(model: ModelSettings, task: Task) -> Learner:
    assert model.shape is not None and model.vocabulary is not None
    if any(head.kind == "cloze" for head in task.heads()):
        raise BadInputError(
            "[model] shape: a cloze begins from a masked language model, not from random weights; "
            "pretrain first, then name that folder as the encoder"
        )
    tokenizer = _tokenizer_of(model.vocabulary)
    encoder = Encoder(_encoder_settings(model.shape, model, tokenizer))
    return Learner(task, tokenizer, Network(encoder, task.heads(), dropout=model.dropout))


def _encoder_settings(
    shape: ShapeSettings, model: ModelSettings, tokenizer: Tokenizer
) -> EncoderSettings:
    return EncoderSettings(
        vocabulary_size=tokenizer.vocabulary_size,
        hidden_size=shape.hidden_size,
        layers=shape.layers,
        heads=shape.heads,
        intermediate_size=shape.intermediate_size,
        maximum_positions=model.positions or 512,
        pad_id=tokenizer.special("pad"),
    )


def _continued(model: ModelSettings, task: Task, note: Note) -> Learner:
    assert model.encoder is not None
    folder = find_encoder_folder(model.encoder)
    _refuse_state(folder)
    tokenizer = Tokenizer.from_folder(folder)
    wanted = tokenizer
    if model.vocabulary is not None:
        wanted = _tokenizer_of(model.vocabulary)
    task = task.with_tokenizer(wanted)
    network = Network(load_encoder(folder), task.heads(), dropout=model.dropout)
    if any(head.kind == "text" for head in task.heads()):
        _refuse_surgery(model)
    if any(head.kind == "cloze" for head in task.heads()):
        fill_language_model(network, folder)
    elif any(head.kind in ("vocabulary", "text") for head in task.heads()):
        _fill_pretraining_heads(network, folder, note)
    elif model.heads == "kept":
        _check_same_heads(task, folder)
        load_trained_heads(network, folder)
    if wanted.fingerprint() != tokenizer.fingerprint():
        _change_vocabulary(network, tokenizer, wanted, note)
    if model.positions is not None:
        encoder = _own(network.encoder, "model.positions")
        network.encoder = with_positions(encoder, model.positions, model.new_positions)
    if model.layers is not None:
        network.encoder = restacked(_own(network.encoder, "model.layers"), model.layers)
    network.rest_unread()
    return Learner(task, wanted, network)


def _check_same_heads(task: Task, folder: Path) -> None:
    """An error where the folder's heads answer otherwise: in their shape alone that is not seen."""
    if not (folder / MANIFEST).is_file():
        return
    manifest = read_manifest(folder)
    before = build_task(manifest.task, manifest.task_settings).heads()
    for wanted in task.heads():
        if not any(_answers_alike(one, wanted) for one in before):
            raise BadInputError(
                f"[model] heads = 'kept': in {folder} no head answers as {_shown(wanted)} does; it "
                f"has {'; '.join(map(_shown, before))}. Write the task as it was there, labels in "
                "their order, or heads = 'new'"
            )


def _answers_alike(one: HeadSpec, other: HeadSpec) -> bool:
    """Whether they differ in nothing but how they learn."""
    return replace(one, weights=(), temperature=1.0) == replace(other, weights=(), temperature=1.0)


def _shown(head: HeadSpec) -> str:
    labels = [", ".join(group.labels) for group in head.groups]
    return f"{head.name!r} ({head.kind}{': ' if labels else ''}{' | '.join(labels)})"


def _refuse_state(folder: Path) -> None:
    if (folder / STATE).is_file() and not (folder / MANIFEST).is_file():
        raise BadInputError(
            f"{folder} holds the state of a run, to resume it, and no model; name the run's own "
            "folder, or a checkpoint that its run.keep_every_steps kept"
        )


def _tokenizer_of(name: str) -> Tokenizer:
    return Tokenizer.from_folder(find_published_folder(name, TOKENIZER_FILES))


def _refuse_surgery(model: ModelSettings) -> None:
    for name in ("vocabulary", "positions", "layers"):
        if getattr(model, name) is not None:
            raise BadInputError(
                f"[model] {name} changes the encoder alone, and a decoder is a copy of it: "
                f"pretrain with {name} first, then name that folder as the encoder"
            )


def _fill_pretraining_heads(network: Network, folder: Path, note: Note) -> None:
    missing = fill_heads(network, folder)
    if missing:
        note(f"{folder.name} has no {', '.join(missing)}: these start from random weights")


def _change_vocabulary(network: Network, old: Tokenizer, new: Tokenizer, note: Note) -> None:
    """Give the network another vocabulary, in its embeddings and in what it predicts."""
    change = with_vocabulary(_own(network.encoder, "model.vocabulary"), old, new)
    network.encoder = change.encoder
    for head in network.heads.values():
        if isinstance(bias := getattr(head, "bias", None), nn.Parameter):
            rows = mean_rows(bias.detach()[:, None], change.sources)
            head.bias = nn.Parameter(rows[:, 0])
    found = change.sources
    note(
        f"new vocabulary of {new.vocabulary_size} pieces: {found.kept} kept their embedding, "
        f"{found.averaged} start from the mean of their old pieces, {found.fresh} from that of all"
    )


def _own(encoder: nn.Module, setting: str) -> Encoder:
    if not isinstance(encoder, Encoder):
        raise BadInputError(f"{setting} needs a BERT encoder (model_type 'bert')")
    return encoder
