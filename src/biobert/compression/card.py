"""What a model card says of a compression."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from biobert.core.model_folder import CARD, read_manifest

TEMPLATE = """\
## Made smaller

By the recipe `{name}`: {steps}. Every figure above this section is that of the original model. All
were then measured on the same texts ({machine}); up to {max_loss:g} points could be lost.

{rows}

Times are from text to answers. The whole recipe and what each step did are in `biobert.json`.
{notes}"""

COLUMNS = {
    "original": "original",
    "original, exported": "exported",
    "this model": "compressed",
}
"""What is measured, and its name in the manifest."""

BARE = """\
## Exported for `biobert {use}`

A graph of the encoder as it was, for this alone: nothing was trained for it, and nothing measured.

```
{command}
```
"""


def write_card(folder: Path, original: Path, section: str) -> None:
    """Write into `folder`, which has a manifest, the card of the original with one more section."""
    card = original / CARD
    is_there = card.is_file()
    before = card.read_text(encoding="utf-8") if is_there else f"# {read_manifest(folder).name}"
    (folder / CARD).write_text(f"{before.rstrip()}\n\n{section}", encoding="utf-8")


def compression_section(compression: Mapping[str, Any]) -> str:
    """Markdown from what the manifest says under `compression`."""
    models = {name: one for name, one in COLUMNS.items() if compression[one]}
    weighed = [compression[one] for one in models.values()]
    rows = [_row("", list(models)), _row("---", ["---"] * len(models))]
    for name in weighed[0]["scores"]:
        rows += _score_rows(name, weighed)
    rows += [
        _row("one text, median", [f"{one['p50_ms']:.1f} ms" for one in weighed]),
        _row("texts a second, 32 at once", [f"{one['texts_per_second']:.1f}" for one in weighed]),
        _row("size", [f"{one['bytes'] / 2**20:.1f} MiB" for one in weighed]),
        _row("engine", [one["engine"] for one in weighed]),
    ]
    notes = [step["said"]["note"] for step in compression["steps"] if "note" in step["said"]]
    return TEMPLATE.format(
        name=compression["recipe"]["name"],
        steps=", ".join(step["kind"] for step in compression["steps"]),
        machine=compression["machine"],
        max_loss=compression["max_loss"],
        rows="\n".join(rows),
        notes="".join(f"\nNote: {note}.\n" for note in notes),
    )


def _score_rows(name: str, weighed: Sequence[Mapping[str, Any]]) -> list[str]:
    """The scores on a gate, and how much of it stands in the original's training data."""
    rows = [_row(f"score on {name}", [f"{100 * one['scores'][name]:.2f}" for one in weighed])]
    shared = [one["shared"][name] for one in weighed]
    counts = [_count(one) for one in shared]
    rows.append(_row(f"{shared[0]['unit']} of it in the training data too", counts))
    if shared[0]["main"] is not None:
        rest = ["" if one["main"] is None else f"{100 * one['main']:.2f}" for one in shared]
        rows.append(_row("score without these", rest))
    return rows


def _count(shared: Mapping[str, Any]) -> str:
    if not shared["sources"]:
        return "not known"
    return f"{shared['count']} of {shared['total']}" + (" at least" if shared["missing"] else "")


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
