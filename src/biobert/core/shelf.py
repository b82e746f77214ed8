"""A shelf: a folder of modules that is its own registry."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import ModuleType

from biobert.core.errors import BadInputError


def unknown_name(kind: str, name: str, known: Iterable[str]) -> BadInputError:
    """The error for a name that is not known: says the nearest one and lists the rest."""
    names = sorted(known)
    spelled = {one.lower(): one for one in names}
    near = get_close_matches(name.lower(), spelled, n=1)
    hint = f"did you mean {spelled[near[0]]!r}? " if near else ""
    return BadInputError(
        f"unknown {kind} {name!r}; {hint}known: {', '.join(names) or 'none'}", code="unknown-name"
    )


class Shelf:
    """Modules of a package by file name, listed without importing them.

    Other distributions add to the shelf with entry points in the group named like the package.
    A module `bioc_json.py` stands on the shelf as `bioc-json`; names starting with `_` do not.
    """

    def __init__(self, package: str, kind: str) -> None:
        self.package = package
        self.kind = kind

    def names(self) -> list[str]:
        """The names on the shelf, sorted."""
        own = {
            found.name.replace("_", "-")
            for found in iter_modules(import_module(self.package).__path__)
            if not found.name.startswith("_")
        }
        return sorted(own | {point.name for point in self._entry_points()})

    def load(self, name: str) -> ModuleType:
        """The module called `name`; an unknown name is an error that suggests the nearest."""
        for point in self._entry_points():
            if point.name == name:
                module: ModuleType = point.load()
                return module
        if name not in self.names():
            raise unknown_name(self.kind, name, self.names())
        return import_module(f"{self.package}.{name.replace('-', '_')}")

    def _entry_points(self) -> Iterable[EntryPoint]:
        return _installed(self.package)


@cache
def _installed(group: str) -> Iterable[EntryPoint]:
    """Looked up once: it reads the metadata of every installed distribution (about 10 ms)."""
    return tuple(entry_points(group=group))
