"""What a run remembers of itself: a line of JSON for each step and each score."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from biobert.core.files import write_text
from biobert.core.task import Scores

SCORE = "score"
"""What the main score of a devel set is called beside its other figures."""


def shown_scores(scores: Mapping[str, Scores]) -> dict[str, float]:
    """The main score of each devel set by its name, then its other single figures (`NAME X`)."""
    shown: dict[str, float] = {}
    for name, score in scores.items():
        shown[name] = score.main
        for detail, value in score.details.items():
            if isinstance(value, float):
                shown[f"{name} {detail}"] = value
    return shown


def by_detail(shown: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """What `shown_scores` gave, by the name of the figure and then of the devel set."""
    found: dict[str, dict[str, float]] = {}
    devel_set: str | None = None
    for key, value in shown.items():
        detail = SCORE
        if devel_set is not None and key.startswith(f"{devel_set} "):
            detail = key.removeprefix(f"{devel_set} ")
        else:
            devel_set = key
        found.setdefault(detail, {})[devel_set] = value
    return found


def write_history(history: Sequence[Mapping[str, Any]], output: Path) -> None:
    """Write `history.jsonl`, whole or not at all."""
    with write_text(output / "history.jsonl") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in history)
