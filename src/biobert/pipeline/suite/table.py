"""The table of a benchmark suite, as Markdown, JSON and HTML."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from biobert.core.files import write_text
from biobert.pipeline.suite.cells import Cell
from biobert.pipeline.suite.description import Suite

COLUMNS = (
    "test",
    "measure",
    "mean",
    "deviation",
    "95% interval",
    "without shared",
    "minutes",
    "published",
)
RULES = {"mean": "the mean of their probabilities", "vote": "their votes"}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:CanvasText;background:Canvas;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{padding:.4rem .6rem;border-bottom:1px solid #8886;text-align:left;vertical-align:top}"
    "td:nth-child(n+3):nth-child(-n+7){text-align:right;font-variant-numeric:tabular-nums}"
)


def write_tables(suite: Suite, cells: Sequence[Cell], folder: Path) -> list[Path]:
    """Write `table.md`, `table.json` and `table.html`."""
    values = {
        "suite": suite.name,
        "seeds": suite.seeds,
        "protocol": _protocol(suite, cells),
        "cells": [cell.to_json() for cell in cells],
    }
    contents = {
        "table.md": as_markdown(suite, cells),
        "table.json": json.dumps(values, indent=2) + "\n",
        "table.html": as_html(suite, cells),
    }
    for name, content in contents.items():
        with write_text(folder / name) as stream:
            stream.write(content)
    return [folder / name for name in contents]


def as_markdown(suite: Suite, cells: Sequence[Cell]) -> str:
    """A heading, the protocol and one row for each test."""
    rows = [_row(cell) for cell in cells]
    lines = [
        f"# {suite.name}",
        "",
        *([suite.description, ""] if suite.description else []),
        _protocol(suite, cells),
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(value.replace("|", "\\|") for value in row) + " |" for row in rows),
        "",
        *(f"- {_origin(cell)}" for cell in cells),
    ]
    return "\n".join(lines) + "\n"


def as_html(suite: Suite, cells: Sequence[Cell]) -> str:
    """The same as a page of its own, without anything from elsewhere."""
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in _row(cell)) + "</tr>\n"
        for cell in cells
    )
    origins = "".join(f"<li>{escape(_origin(cell))}</li>\n" for cell in cells)
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{escape(suite.name)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{escape(suite.name)}</h1><p>{escape(suite.description)}</p>"
        f"<p>{escape(_protocol(suite, cells))}</p>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>\n"
        f"<ul>\n{origins}</ul></body></html>\n"
    )


def _protocol(suite: Suite, cells: Sequence[Cell]) -> str:
    seeds = ", ".join(map(str, suite.seeds))
    said = [
        f"Trained with seeds {seeds}; scores in per cent; intervals are bootstrap intervals of one "
        "run, averaged over the runs; `without shared` leaves out what stands in the training "
        "data too, whole or in part; minutes are those of one training."
    ]
    for model in suite.models:
        if model.start is not None:
            said.append(f"{model.folder} begins from {model.start} of the same seed.")
        if model.folds:
            said.append(
                f"{model.folder} is trained {len(model.folds)} times for each seed: of "
                f"{', '.join(model.folds)} each in turn is devel, and the others are learnt from; "
                "mean and deviation are over folds and seeds."
            )
        if model.ensemble is not None:
            said.append(
                f"{model.folder} is what all seeds of {model.ensemble} answer together, by "
                f"{RULES[model.rule]}: one score, and the minutes of all of them."
            )
    scored = [cell for cell in cells if cell.scores]
    said += _by_test("Encoder", {cell.test: cell.encoder for cell in scored})
    said += _by_test(
        "Changed in the recipe", {cell.test: ", ".join(cell.changes) for cell in scored}
    )
    return " ".join(said)


def _by_test(name: str, values: Mapping[str, str]) -> list[str]:
    """What holds of each test, in words, said once where it holds of all."""
    tests = {value: [one for one in values if values[one] == value] for value in values.values()}
    said = "; ".join(
        value if len(some) == len(values) else f"{value} ({', '.join(some)})"
        for value, some in tests.items()
        if value
    )
    return [f"{name}: {said}."] if said else []


def _row(cell: Cell) -> tuple[str, ...]:
    if cell.failure:
        return (cell.test, f"failed: {cell.failure}", *[""] * (len(COLUMNS) - 2))
    published = [f"{100 * one.score:.1f} {one.system} ({one.source})" for one in cell.published]
    if cell.incomparable:
        published.append(f"none compares: {cell.incomparable}")
    return (
        cell.test,
        cell.measure,
        _percent(cell.mean),
        _percent(cell.deviation),
        f"{_mean_percent([low for low, _ in cell.intervals])} to "
        f"{_mean_percent([high for _, high in cell.intervals])}",
        _without_shared(cell),
        f"{sum(cell.minutes) / len(cell.minutes):.1f}",
        "; ".join(published),
    )


def _without_shared(cell: Cell) -> str:
    """The mean score without what is shared, and how much that is."""
    known = [one for one in cell.shared if one is not None]
    if not known or len(known) < len(cell.shared):
        return "not checked"
    said = [_without(cell, [(one.count, one.main) for one in known], known[0].unit)]
    parts = [(one.in_part or 0, one.main_without_parts) for one in known]
    if any(count > one.count for one, (count, _) in zip(known, parts, strict=True)):
        said.append(_without(cell, parts, "documents shared in part"))
    missing = sorted({name for one in known for name in one.missing})
    return "; ".join([*said, f"{', '.join(missing)} not checked"] if missing else said)


def _without(cell: Cell, left_out: Sequence[tuple[int, float | None]], units: str) -> str:
    """The mean score without so many of these units, of every run."""
    counts = sorted({count for count, _ in left_out})
    what = f"{' to '.join(map(str, (counts[0], *counts[1:][-1:])))} {units}"
    scores = [
        main if count else whole for whole, (count, main) in zip(cell.scores, left_out, strict=True)
    ]
    left = [one for one in scores if one is not None]
    if not counts[-1]:
        return f"{what} shared"
    if len(left) < len(scores):
        return f"nothing to score without {what}"
    return f"{_mean_percent(left)} without {what}"


def _origin(cell: Cell) -> str:
    checksum = f", SHA-256 {cell.checksum}" if cell.checksum else ""
    documents = f"{cell.documents} documents"
    if cell.set_aside:
        documents += f", {cell.set_aside} records set aside"
    said = f"{cell.test}: {cell.corpus} {cell.split}, {documents}{checksum}"
    if cell.trained_on:
        learnt = ", ".join(f"{name} ({what})" for name, what in cell.trained_on.items())
        said += f"; trained on {learnt}"
    return f"{said}; trained with biobert {cell.version}" if cell.version else said


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f}"


def _mean_percent(values: Sequence[float]) -> str:
    return _percent(sum(values) / len(values)) if values else ""
