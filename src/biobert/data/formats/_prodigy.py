"""Tasks as Prodigy's annotators leave them, in words of our own.

Relations of `rel.manual` point at spans by their place; what `textcat.manual` chose is `accept`, or
the one `label` that was asked about.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from biobert.core.errors import BadInputError
from biobert.data.formats._fields import Fields

ACCEPTED = "accept"
ANSWERS = (ACCEPTED, "reject", "ignore")
ENDS = {"Arg1": "head_span", "Arg2": "child_span"}


def from_prodigy(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `accepted` gives of a task; an object that is none stays as it is."""
    relations = values.get("relations")
    is_task = (
        values.get("answer") in ANSWERS
        or isinstance(values.get(ACCEPTED), list)
        or (isinstance(relations, list) and any(map(_is_of_spans, relations)))
    )
    return accepted(values) if is_task else values


def accepted(values: Any) -> Mapping[str, Any]:
    """The same task with `entities`, `relations`, `labels` and `metadata` as we write them.

    Raises BadInputError where its answer is another than `accept`, for a value of another kind than
    is wanted, and for a relation of what is no span: words that nobody gave a label.
    """
    task = Fields(values, "the task")
    answer = task.text("answer", ACCEPTED)
    if answer != ACCEPTED:
        raise BadInputError(f"its answer is {answer!r}")
    spans = list(task.objects("spans")) or list(task.objects("entities"))
    relations = list(task.objects("relations"))
    if relations:
        spans = [Fields({**one.values, "id": f"T{number}"}) for number, one in enumerate(spans, 1)]
    meta = dict(task.object("meta").values)
    found = {"id": meta.pop("id")} if "id" in meta else {}
    return {
        **found,
        **{key: values[key] for key in values if key in task},
        "entities": [one.values for one in spans],
        "relations": [_relation(one, spans) for one in relations],
        "labels": list(_labels(task)),
        "metadata": {**task.object("metadata").values, **meta},
    }


def _is_of_spans(relation: Any) -> bool:
    return isinstance(relation, dict) and "head_span" in relation


def _labels(task: Fields) -> tuple[str, ...]:
    """What was chosen, or what was asked about."""
    label = task.values.get("label")
    asked = Fields({"label": label if isinstance(label, list) else [label] if label != "" else []})
    return task.names(ACCEPTED) or task.names("labels") or asked.names("label")


def _relation(found: Fields, spans: Sequence[Fields]) -> dict[str, Any]:
    arguments = [{"role": role, "target": _target(found, end, spans)} for role, end in ENDS.items()]
    return {"label": found.name("label"), "arguments": arguments}


def _target(found: Fields, end: str, spans: Sequence[Fields]) -> str:
    """The identifier of the span at an end: of several there, the one with its label."""
    label = found.name("label")
    if end not in found:
        raise BadInputError(f"relation {label!r} has no {end!r}")
    place = found.object(end)
    there = [one for one in spans if _ends(one) == _ends(place)]
    if not there:
        start, stop = _ends(place)
        raise BadInputError(
            f"relation {label!r} points at [{start}, {stop}), "
            "which is no span of the task: give it a label"
        )
    alike = [one for one in there if one.values.get("label") == place.values.get("label")]
    return (alike or there)[0].name("id")


def _ends(span: Fields) -> tuple[int, int]:
    return span.whole("start"), span.whole("end")
