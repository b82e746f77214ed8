"""Frozen dataclasses from TOML: typed, with clear errors, and changed by `--set a.b=c`."""

import dataclasses
import tomllib
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name

S = TypeVar("S")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; a syntax error names the file and the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInputError(f"no such file: {path}", code="not-found") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadInputError(f"{path}: not valid TOML: {problem}") from None


def override(tables: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Tables changed by assignments such as `optimizer.learning_rate=5e-5`.

    The value is read as TOML; what is not TOML is taken as a string.
    """
    result = _copied(tables)
    for assignment in assignments:
        path, sign, text = assignment.partition("=")
        if not sign or not path.strip():
            raise BadInputError(f"--set {assignment!r}: write it as table.key=value", code="usage")
        *parents, key = path.strip().split(".")
        table = result
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                raise BadInputError(
                    f"--set {assignment!r}: {parent!r} is a value, not a table", code="usage"
                )
        table[key] = _toml_value(text.strip())
    return result


def read_changed(
    read: Callable[[Mapping[str, Any]], S], tables: Mapping[str, Any], changes: Sequence[str]
) -> S:
    """What `read` makes of tables with changes as `--set` has them; where these alone are wrong,
    the call was."""
    try:
        return read(override(tables, changes))
    except BadInputError as problem:
        try:
            read(tables)
        except BadInputError as own:
            if str(own) == str(problem):
                raise
        raise BadInputError(str(problem), code="usage") from None


def from_mapping(kind: type[S], values: Mapping[str, Any], *, place: str) -> S:
    """A settings dataclass from a mapping; `place` (`recipe.toml [optimizer]`) is for errors."""
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise BadInputError(f"{place}: {unknown_name('setting', key, fields)}")
    for name, field in fields.items():
        no_default = field.default is field.default_factory is dataclasses.MISSING
        if no_default and name not in values:
            raise BadInputError(f"{place}: setting {name!r} is missing")
    converted = {
        key: _convert(hints[key], value, f"{place} {key}") for key, value in values.items()
    }
    return kind(**converted)


def to_mapping(settings: Any) -> dict[str, Any]:
    """The JSON-ready mapping from which `from_mapping` makes an equal value; None is left out."""
    return {key: value for key, value in dataclasses.asdict(settings).items() if value is not None}


def refuse_unread(settings: Any, names: Iterable[str], *, place: str, reader: str) -> None:
    """An error where one of these settings differs from its default, for it would be ignored.

    `reader` says beside what it is read: `kind = 'lora'`.
    """
    fields = {field.name: field for field in dataclasses.fields(settings)}
    for name in names:
        value, default = getattr(settings, name), _default(fields[name])
        if value != default:
            raise BadInputError(
                f"{place} {name} = {value!r} is read beside {reader} alone: set that, or leave "
                f"{name} at {default!r}"
            )


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Where two tables differ, in words: `run.seed: 1, now 2`."""
    found: list[str] = []
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{prefix}{key}.")
        elif before != after:
            found.append(f"{prefix}{key}: {before!r}, now {after!r}")
    return found


def _default(field: dataclasses.Field[Any]) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


def _convert(hint: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in arguments:
            raise BadInputError(f"{place}: {unknown_name('choice', str(value), arguments)}")
        return value
    if origin in (Union, types.UnionType):
        inner = next(kind for kind in arguments if kind is not type(None))
        return None if value is None else _convert(inner, value, place)
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise BadInputError(f"{place} = {value!r}: expected a list")
        return tuple(_convert(arguments[0], item, place) for item in value)
    is_table = origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping))
    if (is_table or dataclasses.is_dataclass(hint)) and not isinstance(value, Mapping):
        raise BadInputError(f"{place} = {value!r}: expected a table")
    if is_table:
        inner = arguments[1] if arguments[1] in (str, int, float) else Any
        return {key: _convert(inner, one, f"{place}.{key}") for key, one in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_mapping(cast(type[Any], hint), value, place=place)
    return _plain(hint, value, place)


def _plain(hint: Any, value: Any, place: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Any:
        return value
    if hint is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise BadInputError(f"{place} = {value!r}: expected {hint.__name__}")
    # A NaN would pass every check of bounds.
    if value != value:
        raise BadInputError(f"{place} = {value!r}: expected a number")
    return value


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _copied(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _copied(value) if isinstance(value, Mapping) else value
        for key, value in tables.items()
    }
