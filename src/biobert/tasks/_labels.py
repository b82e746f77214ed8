"""What every list of labels must be."""

from collections.abc import Sequence

from biobert.core.errors import BadInputError


def check_labels(labels: Sequence[str]) -> None:
    """An error unless there are labels, and each is there once."""
    if not labels or len(set(labels)) != len(labels):
        raise BadInputError(f"[task] labels = {list(labels)}: name each label once")
