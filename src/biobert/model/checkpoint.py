"""Where a published checkpoint lies, with a tokenizer that can be read."""

import logging
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.files import read_json, written_whole
from biobert.core.hub import CHECKPOINT_FILES, find_published_folder
from biobert.core.model_folder import CONFIG
from biobert.text.tokenizer import VOCABULARY_FILES

_LOG = logging.getLogger(__name__)


def find_encoder_folder(name: str) -> Path:
    """The folder of a checkpoint: a path as it is, or a Hugging Face name fetched once.

    Only safetensors are fetched: the publisher's own, or else those of the hub's conversion. Where
    the tokenizer has one of its older forms alone, `tokenizer.json` is written beside it, once.
    """
    folder = find_published_folder(name, CHECKPOINT_FILES)
    has_older = (folder / "merges.txt").is_file() or any(folder.glob("*.model"))
    if has_older and not has_tokenizer(folder):
        _write_tokenizer(folder)
    return folder


def has_tokenizer(folder: Path) -> bool:
    """Whether it is there in a form that is read as it is."""
    return any((folder / name).is_file() for name in VOCABULARY_FILES)


def _write_tokenizer(folder: Path) -> None:
    """Write what transformers makes of `merges.txt` (RoBERTa) or a `*.model` (DeBERTa-v3)."""
    from transformers import AutoTokenizer

    try:
        backend = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    except Exception as problem:  # noqa: BLE001 - tokenizers raises nothing more exact
        first_line = str(problem).strip().partition("\n")[0]
        raise BadInputError(
            f"{folder}: no tokenizer.json, and none could be made of the older files "
            f"({first_line}); of a *.model it takes pip install sentencepiece protobuf"
        ) from None
    config = read_json(folder / CONFIG, missing=f"{folder}: no {CONFIG}; is it a model folder?")
    pieces, wanted = backend.get_vocab_size(), config.get("vocab_size")
    # Where transformers misses a file, it goes on with special tokens alone.
    if isinstance(wanted, int) and 2 * pieces < wanted:
        raise BadInputError(
            f"{folder}: no tokenizer.json, and of the older files came {pieces} pieces, not "
            f"{wanted}: a file is missing; copy the whole folder"
        )
    with written_whole(folder / "tokenizer.json") as stream:
        stream.write(backend.to_str(pretty=True).encode())
    _LOG.warning("%s: tokenizer.json has been made of the older files of its tokenizer", folder)
