"""What stands under the keys of a JSON object, each of the kind that is wanted; nothing is bent."""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, NoReturn, TypeGuard

from biobert.core.arguments import shown
from biobert.core.errors import BadInputError


class Fields:
    """The values of a JSON object by their keys; `null` is as good as absent.

    One that is of another kind than is asked for raises BadInputError, which names it and its key.
    """

    __slots__ = ("values",)

    def __init__(self, values: Any, name: str = "the value") -> None:
        if not isinstance(values, dict):
            raise BadInputError(f"{name} is {shown(values)}, not an object")
        self.values: dict[str, Any] = values

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without a default it must be there."""
        value = self._or(key, default)
        return value if isinstance(value, str) else self._refuse(key, "a string")

    def name(self, key: str, default: str | None = None) -> str:
        """The same of an identifier or a label, for which others write numbers, too."""
        value = self._or(key, default)
        return str(value) if isinstance(value, NAMES) else self._refuse(key, "a string or number")

    def number(self, key: str) -> float:
        """A number, which must be there."""
        value = self.values.get(key)
        return value if _is_number(value) else self._refuse(key, "a number")

    def whole(self, key: str) -> int:
        """A number without a fraction, which must be there."""
        value = self.number(key)
        return int(value) if value % 1 == 0 else self._refuse(key, "a whole number")

    def names(self, key: str) -> tuple[str, ...]:
        """A list of identifiers or labels; nulls in it are left out."""
        found = [one for one in self._list(key) if one is not None]
        if all(isinstance(one, NAMES) for one in found):
            return tuple(map(str, found))
        return self._refuse(key, "a list of strings or numbers")

    def objects(self, key: str) -> Iterator["Fields"]:
        """A list of objects."""
        name = f"one of {key!r}"
        return (Fields(one, name) for one in self._list(key))

    def object(self, key: str) -> "Fields":
        """An object; an empty one where it is absent."""
        return Fields(self._or(key, {}), repr(key))

    def _or(self, key: str, default: Any) -> Any:
        value = self.values.get(key)
        return default if value is None else value

    def _list(self, key: str) -> Sequence[Any]:
        value = self._or(key, [])
        return value if isinstance(value, list) else self._refuse(key, "a list")

    def _refuse(self, key: str, wanted: str) -> NoReturn:
        raise BadInputError(f"{key!r} is {shown(self.values.get(key))}, not {wanted}")


NAMES = (str, int, float)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
