"""Finding a folder that someone else may have published: here, or on the Hugging Face hub."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from biobert.core.errors import BadInputError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SAFETENSORS = "*.safetensors"
CHECKPOINT_FILES = ("*.json", SAFETENSORS, "vocab.txt", "merges.txt", "*.model")
"""What is wanted of a checkpoint: shapes, weights, and a tokenizer in any form."""
OURS = "models/"
"""What the repository itself publishes."""
ROBOT = "SFconvertbot"
"""Opens pull requests on the hub with the safetensors of models that are published pickled."""
# With `AutoModel` the masked language model would be left behind.
CONVERT = "t.AutoModelForPreTraining.from_pretrained(f).save_pretrained(f)"
CONVERT_FOLDER = f"""python -c "import transformers as t; f = '{{folder}}'; {CONVERT}\""""
CONVERT_NAME = (
    'python -c "import transformers as t, huggingface_hub as h; '
    "f = h.snapshot_download('{name}', local_dir='FOLDER', "
    f"allow_patterns=['*.json', '*.txt', '*.model', '*.bin']); {CONVERT}\""
)
_LOG = logging.getLogger(__name__)


def find_published_folder(name: str, files: Sequence[str]) -> Path:
    """A folder as it is, or the files (patterns) of a Hugging Face name, fetched once.

    `models/...` of the repository is found from any folder while the code runs from a clone.
    Where `files` asks for safetensors and the main revision has none, they are those of the hub's
    own conversion, and the log says which. Without a network, what is in the hub's cache is used.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise BadInputError(f"{name} is a file; name the folder that it lies in")
    if name.startswith(OURS):
        return _in_clone(name)
    if name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise BadInputError(f"no such model folder: {name}", code="not-found")
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        found = _fetched(name, files)
        if SAFETENSORS in files and not list(found.rglob(SAFETENSORS)):
            return _converted(name, files, found)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as problem:
        raise BadInputError(
            f"model {name!r} is neither a folder nor could it be fetched from the Hugging Face "
            f"hub ({type(problem).__name__}); check the name, the network, or give a folder",
            code="not-found",
        ) from None
    return found


def _in_clone(name: str) -> Path:
    folder = Path(__file__).parents[3] / name
    if not folder.is_dir():
        raise BadInputError(
            f"no such model folder: {name}; what comes with the repository is found where the code "
            "runs from a clone: give a folder, or a Hugging Face name such as "
            "google-bert/bert-base-cased",
            code="not-found",
        )
    return folder


def conversion_of(name: str, api: "HfApi") -> str | None:
    """The open pull request of the hub's robot that converts the very weights of main."""
    main = _files(name, api, "main")
    requests = api.get_repo_discussions(
        name, author=ROBOT, discussion_type="pull_request", discussion_status="open"
    )
    for request in requests:
        reference = request.git_reference
        if request.author != ROBOT or reference is None:
            continue
        there = _files(name, api, reference)
        is_of_main = all(there.get(one) == main[one] for one in main if one.endswith(".bin"))
        if is_of_main and any(one.endswith(".safetensors") for one in there):
            return reference
    return None


def _fetched(name: str, files: Sequence[str], revision: str | None = None) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, revision=revision, allow_patterns=list(files)))


def _converted(name: str, files: Sequence[str], found: Path) -> Path:
    """The same files, with the safetensors of the hub's own conversion; an error without one."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # it is, dynamically

    try:
        reference = conversion_of(name, HfApi())
    except (OSError, httpx.HTTPError):
        reference = _known_conversion(found)
    if reference is None:
        raise BadInputError(
            f"{name} has no safetensors, and no conversion by the hub's {ROBOT}. Pickled weights, "
            "which can run code when read, are not read: convert them once, on a machine you can "
            f"lose, and name the new folder: {CONVERT_NAME.format(name=name)}"
        )
    folder = _fetched(name, files, reference)
    _LOG.warning(
        "%s has no safetensors: those of %s are taken, its conversion by the hub's %s (commit %s)",
        *(name, reference, ROBOT, folder.name),
    )
    return folder


def _known_conversion(found: Path) -> str | None:
    """The last conversion that was fetched before, as the hub's cache has it."""
    references = found.parents[1] / "refs"
    known = (path.relative_to(references).as_posix() for path in references.glob("refs/pr/*"))
    return max(known, default=None)


def _files(name: str, api: "HfApi", revision: str) -> dict[str, str]:
    """The files of a revision, and what tells their content."""
    from huggingface_hub import RepoFile

    tree = api.list_repo_tree(name, revision=revision)
    return {one.path: one.blob_id for one in tree if isinstance(one, RepoFile)}
