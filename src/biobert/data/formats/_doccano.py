"""What Doccano exports as JSON lines, in the words of our own.

Its sequence labels are `label` (long ago `labels`), a list of `[start, end, name]`; projects with
relations have `entities` and `relations` that point at each other by number; those that classify
have a list of names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from biobert.core.arguments import shown
from biobert.core.errors import BadInputError
from biobert.data.formats._fields import Fields
from biobert.data.formats._json import list_of

LABELS = ("label", "labels")


def from_doccano(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same object with `entities`, `relations` and `labels` as we write them.

    One that is not Doccano's stays as it is. Raises BadInputError where a label is none.
    """
    if _has(values, "entities", "start_offset"):
        values = {**values, "entities": [_entity(Fields(one)) for one in values["entities"]]}
    if _has(values, "relations", "from_id"):
        values = {**values, "relations": [_relation(Fields(one)) for one in values["relations"]]}
    for key in LABELS:
        if isinstance(found := values.get(key), list):
            values = _with_labels({name: values[name] for name in values if name != key}, found)
    return values


def _has(values: Mapping[str, Any], key: str, mark: str) -> bool:
    found = values.get(key)
    return isinstance(found, list) and any(isinstance(one, dict) and mark in one for one in found)


def _with_labels(values: Mapping[str, Any], found: Sequence[Any]) -> Mapping[str, Any]:
    if any(isinstance(one, list) for one in found):
        entities = list_of(values.get("entities"), "'entities'")
        return {**values, "entities": [*entities, *map(_span, found)]}
    return {**values, "labels": [*list_of(values.get("labels"), "'labels'"), *found]}


def _span(found: Any) -> dict[str, Any]:
    if not isinstance(found, list) or len(found) != 3:
        raise BadInputError(f"its label {shown(found)} is not such as [start, end, name]")
    return dict(zip(("start", "end", "label"), found, strict=True))


def _entity(found: Fields) -> dict[str, Any]:
    place = {"start": found.whole("start_offset"), "end": found.whole("end_offset")}
    return {"id": found.name("id"), **place, "label": found.name("label")}


def _relation(found: Fields) -> dict[str, Any]:
    ends = {"Arg1": found.name("from_id"), "Arg2": found.name("to_id")}
    arguments = [{"role": role, "target": target} for role, target in ends.items()]
    return {"id": found.name("id"), "label": found.name("type"), "arguments": arguments}
