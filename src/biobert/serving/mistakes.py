"""Validation as the published schema says it, which stops at a mistake.

pydantic collects every error, with its place, before it says no: 3 MB of `{},{},...` took 12
seconds and 4 GB. And it takes `"deidentify": "off"` for a truth value, which the schema does not.
Its core schemas are plain dicts, documented in `pydantic_core.core_schema`; here every list in them
is told to stop at its first error, every object to take no more names than are meant, and every
number and truth value to be one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import SchemaValidator
from pydantic_core.core_schema import no_info_before_validator_function

MOST_NAMES = 1_000
LISTS = frozenset({"list", "tuple", "set", "frozenset"})
EXACT = frozenset({"bool", "int", "float"})
OBJECTS = frozenset({"model-fields", "dataclass-args", "dict"})
NO_OBJECT = frozenset(
    {"model_type", "model_attributes_type", "dataclass_type", "dict_type", "dict_attributes_type"}
)
"""How pydantic calls what is no object where one must be."""
WHOLE = "body"
OF_PYDANTIC = "Value error, "
"""What it puts before our own words."""


def told(mistake: Mapping[str, Any]) -> dict[str, str]:
    """One of pydantic's errors as answers tell it: the place, and the reason without the names of
    our classes. Neither `input` nor `ctx`: they repeat what was sent."""
    place = ".".join(str(part) for part in mistake["loc"]) or WHOLE
    if mistake["type"] in NO_OBJECT:
        return {"place": place, "reason": "this must be a JSON object: {...}"}
    return {"place": place, "reason": str(mistake["msg"]).removeprefix(OF_PYDANTIC)}


class ExactModel(BaseModel):
    """A model that takes nothing for what it is not, and names the first mistake of a list."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Change the schema in place, so that models and adapters that hold this one share it."""
        super().__pydantic_init_subclass__(**kwargs)
        for schema in list(_inside(cls.__pydantic_core_schema__)):
            _make_exact(schema)
        # Of a complete model pydantic takes the validator that is there already.
        cls.__pydantic_complete__ = False
        cls.__pydantic_validator__ = SchemaValidator(cls.__pydantic_core_schema__)
        cls.__pydantic_complete__ = True


def _inside(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all that are in it."""
    if isinstance(schema, dict):
        yield schema
    for one in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(one, dict | list | tuple):
            yield from _inside(one)


def _make_exact(schema: dict[str, Any]) -> None:
    kind = schema.get("type")
    if kind in LISTS:
        schema["fail_fast"] = True
    elif kind in EXACT:
        schema["strict"] = True
    if _is_checked(schema):
        return
    for name, one in schema.items():
        if isinstance(one, dict) and one.get("type") in OBJECTS:
            schema[name] = no_info_before_validator_function(_few_names, one)


def _is_checked(schema: dict[str, Any]) -> bool:
    """Whether the check stands there already: a model may be part of several others."""
    function = schema.get("function")
    return isinstance(function, dict) and function.get("function") is _few_names


def _few_names(value: Any) -> Any:
    if isinstance(value, dict) and len(value) > MOST_NAMES:
        raise ValueError(f"{len(value)} names in one object; {MOST_NAMES} are taken")
    return value
