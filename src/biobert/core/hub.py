"""Finding a folder that someone else may have published: here, or on the Hugging Face hub."""

from collections.abc import Sequence
from pathlib import Path

from biobert.core.errors import BadInputError


def find_published_folder(name: str, files: Sequence[str]) -> Path:
    """A folder as it is, or the files (patterns) of a Hugging Face name, fetched once.

    Without a network, what is in the hub's cache is used.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise BadInputError(f"{name} is a file; name the folder that it lies in")
    if name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise BadInputError(f"no such model folder: {name}", code="not-found")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        found = snapshot_download(name, allow_patterns=list(files))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as problem:
        raise BadInputError(
            f"model {name!r} is neither a folder nor could it be fetched from the Hugging Face "
            f"hub ({type(problem).__name__}); check the name, the network, or give a folder",
            code="not-found",
        ) from None
    return Path(found)
