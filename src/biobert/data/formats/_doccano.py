"""What Doccano exports as JSON lines, in the words of our own.

Its sequence labels are `label` (long ago `labels`), a list of `[start, end, name]`; projects with
relations have `entities` and `relations` that point at each other by number; those that classify
have a list of names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

LABELS = ("label", "labels")


def from_doccano(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same object with `entities`, `relations` and `labels` as we write them.

    One that is not Doccano's stays as it is. Raises TypeError, ValueError or KeyError where a label
    is none.
    """
    if any("start_offset" in one for one in values.get("entities") or () if isinstance(one, dict)):
        values = {**values, "entities": [_entity(one) for one in values["entities"]]}
    if any("from_id" in one for one in values.get("relations") or () if isinstance(one, dict)):
        values = {**values, "relations": [_relation(one) for one in values["relations"]]}
    for key in LABELS:
        if isinstance(found := values.get(key), list):
            values = _with_labels({name: values[name] for name in values if name != key}, found)
    return values


def _with_labels(values: Mapping[str, Any], found: Sequence[Any]) -> Mapping[str, Any]:
    if any(isinstance(one, list) for one in found):
        spans = [_span(one) for one in found]
        return {**values, "entities": [*values.get("entities", ()), *spans]}
    return {**values, "labels": [*values.get("labels", ()), *found]}


def _span(found: Any) -> dict[str, Any]:
    if not isinstance(found, list):
        raise TypeError(f"its label {found!r} stands among such as [start, end, name]")
    start, end, label = found
    return {"start": start, "end": end, "label": label}


def _entity(found: Mapping[str, Any]) -> dict[str, Any]:
    start, end = found["start_offset"], found["end_offset"]
    return {"id": str(found["id"]), "start": start, "end": end, "label": found["label"]}


def _relation(found: Mapping[str, Any]) -> dict[str, Any]:
    ends = {"Arg1": str(found["from_id"]), "Arg2": str(found["to_id"])}
    arguments = [{"role": role, "target": target} for role, target in ends.items()]
    return {"id": str(found["id"]), "label": found["type"], "arguments": arguments}
