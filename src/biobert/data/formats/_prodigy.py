"""Tasks as Prodigy's annotators leave them, in words of our own.

Relations of `rel.manual` point at spans by their place; what `textcat.manual` chose is `accept`, or
the one `label` that was asked about.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from biobert.core.errors import BadInputError

ACCEPTED = "accept"
ANSWERS = (ACCEPTED, "reject", "ignore")
ENDS = {"Arg1": "head_span", "Arg2": "child_span"}


def from_prodigy(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `accepted` gives of a task; an object that is none stays as it is."""
    relations = values.get("relations") or ()
    is_task = (
        values.get("answer") in ANSWERS
        or isinstance(values.get(ACCEPTED), list)
        or any("head_span" in one for one in relations if isinstance(one, dict))
    )
    return accepted(values) if is_task else values


def accepted(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same task with `entities`, `relations`, `labels` and `metadata` as we write them.

    Raises BadInputError where its answer is another than `accept`, and for a relation of what is no
    span: words that nobody gave a label.
    """
    answer = values.get("answer", ACCEPTED)
    if answer != ACCEPTED:
        raise BadInputError(f"its answer is {answer!r}")
    entities, relations = values.get("spans") or [], values.get("relations") or []
    if relations:
        entities = [{**one, "id": f"T{number}"} for number, one in enumerate(entities, start=1)]
    meta = dict(values.get("meta") or {})
    found = {"id": meta.pop("id")} if "id" in meta else {}
    return {
        **found,
        **values,
        "entities": entities,
        "relations": [_relation(one, entities) for one in relations],
        "labels": values.get(ACCEPTED) or [one for one in [values.get("label")] if one is not None],
        "metadata": {**(values.get("metadata") or {}), **meta},
    }


def _relation(found: Mapping[str, Any], spans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    arguments = [{"role": role, "target": _target(found, end, spans)} for role, end in ENDS.items()]
    return {"label": str(found["label"]), "arguments": arguments}


def _target(found: Mapping[str, Any], end: str, spans: Sequence[Mapping[str, Any]]) -> str:
    """The identifier of the span at an end: of several there, the one with its label."""
    place = found.get(end)
    if not isinstance(place, Mapping):
        raise BadInputError(f"relation {found['label']!r} has no {end!r}")
    there = [one for one in spans if (one["start"], one["end"]) == (place["start"], place["end"])]
    if not there:
        raise BadInputError(
            f"relation {found['label']!r} points at [{place['start']}, {place['end']}), "
            "which is no span of the task: give it a label"
        )
    alike = [one for one in there if one["label"] == place.get("label")]
    return str((alike or there)[0]["id"])
