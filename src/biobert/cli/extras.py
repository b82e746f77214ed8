"""Optional packages: say which extra brings them before anything imports them."""

from importlib.util import find_spec

from biobert.core.errors import MissingExtraError


def need_extra(*packages: str, extra: str) -> None:
    """An error that names the cure when one of the packages is not installed."""
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtraError(package, extra)
