"""Hugging Face BERT folders: reading and writing weights under their names, safetensors only."""

import json
from pathlib import Path

import torch

from biobert.core.errors import BadInputError
from biobert.core.files import read_json
from biobert.core.hub import CONVERT_FOLDER
from biobert.core.model_folder import CONFIG, SPARSE_WEIGHTS, WEIGHTS
from biobert.model.adaptation import save_adapter
from biobert.model.encoder import Encoder
from biobert.model.names import PRETRAINING_NAMES, hugging_face_name
from biobert.model.network import Network
from biobert.model.settings import from_hugging_face, to_hugging_face
from biobert.model.sparse import read_sparse
from biobert.model.tensors import read_file, write_tensors

INDEX = "model.safetensors.index.json"

WITHOUT_POOLER = ("BertForTokenClassification", "BertForMaskedLM", "BertForQuestionAnswering")


def read_config(folder: Path) -> dict[str, object]:
    """The `config.json` of a checkpoint folder."""
    return read_json(folder / CONFIG, missing=f"{folder}: no {CONFIG}; is it a model folder?")


def read_tensors(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of `model.safetensors`, of the shards that its index names, or of its sparse
    form."""
    if (folder / INDEX).is_file():
        shards = set(read_json(folder / INDEX, missing="")["weight_map"].values())
        return {
            name: tensor
            for shard in sorted(shards)
            for name, tensor in read_file(folder / Path(shard).name).items()
        }
    if (folder / WEIGHTS).is_file():
        return read_file(folder / WEIGHTS)
    if (folder / SPARSE_WEIGHTS).is_file():
        return read_sparse(folder / SPARSE_WEIGHTS)
    raise without_weights(folder)


def without_weights(folder: Path) -> BadInputError:
    """The error for a folder that has no safetensors."""
    if list(folder.glob("*.bin")):
        return BadInputError(
            f"{folder}: only pickled weights (.bin), which can run code when read; convert them "
            f"once: {CONVERT_FOLDER.format(folder=folder)}"
        )
    return BadInputError(f"{folder}: no {WEIGHTS}; copy the whole checkpoint", code="not-found")


def load_bert(folder: Path) -> Encoder:
    """Our encoder with the weights of a Hugging Face BERT folder, whatever head it carries.

    A checkpoint without a pooler keeps a fresh one; any other missing tensor is an error.
    """
    config = read_config(folder)
    try:
        encoder = Encoder(from_hugging_face(config))
    except BadInputError as problem:
        raise BadInputError(f"{folder / CONFIG}: {problem}") from None
    tensors = {bare_name(name): value for name, value in read_tensors(folder).items()}
    state = {}
    for name, own in encoder.state_dict().items():
        found = tensors.get(hugging_face_name(name))
        if found is None and name.startswith("pooler."):
            found = own
        if found is None:
            raise BadInputError(f"{folder}: weights lack {hugging_face_name(name)!r}")
        if found.shape != own.shape:
            raise BadInputError(
                f"{folder}: {hugging_face_name(name)!r} has shape {tuple(found.shape)}, "
                f"config.json says {tuple(own.shape)}"
            )
        state[name] = found.to(own.dtype)
    encoder.load_state_dict(state)
    return encoder


def save_bert(encoder: Encoder, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` as `transformers.BertModel` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {hugging_face_name(name): value for name, value in encoder.state_dict().items()}
    _write(tensors, to_hugging_face(encoder.settings), folder)


def save_network(network: Network, folder: Path) -> None:
    """Write encoder and heads; a single head has the names transformers gives it.

    Of a network with an adapter, what was trained and the name of the encoder are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if network.adaptation is not None:
        save_adapter(network, folder)
        return
    encoder = network.encoder
    if not isinstance(encoder, Encoder):
        encoder.save(folder, network.heads)  # type: ignore[operator]
        return
    for spec in network.specs:
        if spec.kind == "text":
            network.heads[spec.name].save(encoder, folder)  # type: ignore[operator]
            return
    tensors = {
        f"bert.{hugging_face_name(name)}": value for name, value in encoder.state_dict().items()
    }
    tensors |= _head_tensors(network)
    config = to_hugging_face(encoder.settings) | _head_config(network)
    if config["architectures"][0] in WITHOUT_POOLER:
        tensors = {name: value for name, value in tensors.items() if ".pooler." not in name}
    _write(tensors, config, folder)


def load_heads(network: Network, folder: Path) -> None:
    """Fill the network's heads from a folder that `save_network` wrote."""
    missing = fill_heads(network, folder)
    if missing:
        shape = tuple(_head_tensors(network)[missing[0]].shape)
        raise BadInputError(f"{folder}: no head {missing[0]!r} of shape {shape}")


def fill_heads(network: Network, folder: Path) -> list[str]:
    """Fill what heads the folder has, and name the tensors that it lacks: these stay fresh."""
    tensors = {_modern_norm(name): value for name, value in read_tensors(folder).items()}
    missing = []
    for name, own in _head_tensors(network).items():
        found = tensors.get(name)
        if found is None or found.shape != own.shape:
            missing.append(name)
            continue
        with torch.no_grad():
            own.copy_(found)
    return missing


def fill_language_model(network: Network, folder: Path) -> None:
    """Fill the heads with the masked language model of a folder; an error where it has none."""
    missing = fill_heads(network, folder)
    if missing:
        raise BadInputError(
            f"{folder}: this checkpoint has no masked language model (no {missing[0]!r}); "
            "name a pretrained one, such as dmis-lab/biobert-base-cased-v1.2 or a folder that "
            "`biobert train` pretrained"
        )


def bare_name(name: str) -> str:
    """Without the `bert.` prefix and with the norm names of the first TensorFlow exports mended."""
    return _modern_norm(name.removeprefix("bert."))


def _head_tensors(network: Network) -> dict[str, torch.Tensor]:
    if _has_language_model(network):
        named = ((spec, network.heads[spec.name].state_dict()) for spec in network.specs)
        return {
            PRETRAINING_NAMES[spec.kind, name]: value
            for spec, state in named
            for name, value in state.items()
        }
    if len(network.specs) == 1:
        (spec,) = network.specs
        if spec.kind == "text":
            return dict(network.heads[spec.name].language_model())  # type: ignore[operator]
        state = dict(network.heads[spec.name].state_dict())
        if spec.kind == "span":
            return {name.replace("classifier.", "qa_outputs."): one for name, one in state.items()}
        return state
    return {f"heads.{name}": value for name, value in network.heads.state_dict().items()}


def _has_language_model(network: Network) -> bool:
    return any(spec.kind in ("vocabulary", "cloze") for spec in network.specs)


def _head_config(network: Network) -> dict[str, object]:
    kinds = [spec.kind for spec in network.specs]
    if _has_language_model(network):
        name = "BertForPreTraining" if "sequence" in kinds else "BertForMaskedLM"
        return {"architectures": [name], "tie_word_embeddings": True}
    if len(network.specs) != 1 or kinds[0] == "vector":
        return {"architectures": ["BertModel"]}
    spec = network.specs[0]
    if spec.kind == "span":
        return {"architectures": ["BertForQuestionAnswering"]}
    labels = [label for group in spec.groups for label in group.labels]
    if len(spec.groups) > 1:
        labels = [f"{group.name}:{label}" for group in spec.groups for label in group.labels]
    # A head of another form opens as a bare encoder.
    standard = "BertModel"
    if spec.kind == "token" and not spec.hidden_layers:
        standard = "BertForTokenClassification"
    elif spec.reads_pooler and not spec.hidden_layers:
        standard = "BertForSequenceClassification"
    problems = {"binary": "multi_label_classification", "squared-error": "regression"}
    problem = {"problem_type": problems[spec.loss]} if spec.loss in problems else {}
    return {
        "architectures": [standard],
        **problem,
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }


def _modern_norm(name: str) -> str:
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _write(tensors: dict[str, torch.Tensor], config: dict[str, object], folder: Path) -> None:
    write_tensors(tensors, folder / WEIGHTS)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
