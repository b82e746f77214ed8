"""The figures of a pretraining corpus, for a program and for a person."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from biobert.data.shards import CorpusManifest

WHAT = ("documents", "sentences", "tokens", "text_bytes")


def corpus_figures(manifest: "CorpusManifest") -> dict[str, Any]:
    """What the manifest tells, as plain values."""
    from biobert.data.shards import SPLITS

    return {
        "splits": {
            split: {what: manifest.total(split, what) for what in WHAT}  # type: ignore[arg-type]
            for split in SPLITS
        },
        "shards": len(manifest.shards),
        "tokenizer": manifest.tokenizer,
        "vocabulary_size": manifest.vocabulary_size,
        "sources": [one["name"] for one in manifest.sources],
        "licences": dict(manifest.licences),
        "set_aside": sum(manifest.rejects.values()),
        "rejects": dict(manifest.rejects),
        "removed": dict(manifest.removed),
        "absent_test_splits": list(manifest.absent_test_splits),
        "tags": list(manifest.tags),
    }


def show_corpus(data: Mapping[str, Any]) -> None:
    """Print the figures, and the sample sentences where there are some."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    _show_splits(console, data)
    _show_counts(console, "tokens in a sentence", data.get("tokens_per_sentence", {}))
    _show_counts(console, "licences", data["licences"])
    _show_counts(console, "tags", data.get("tag_counts", {}))
    _show_counts(console, "cut out of documents", data["removed"])
    console.print(f"left out or noted: {data['set_aside']} documents and records")
    for reason, count in sorted(data["rejects"].items(), key=lambda pair: -pair[1]):
        console.print(f"  {count} x {reason}", markup=False)
    if data["absent_test_splits"]:
        names = ", ".join(data["absent_test_splits"])
        console.print(f"test splits not at hand, so not excluded: {names}", markup=False)
    for shard in data.get("damaged_shards", ()):
        console.print(
            f"DAMAGED shard {shard}: its checksum differs; remove the folder and build anew",
            markup=False,
        )
    for sample in data.get("samples", ()):
        console.print(f"\n{sample['document']} ({sample['split']}): {sample['text']}", markup=False)
        if sample["tags"]:
            console.print(" ".join(tag or "-" for tag in sample["tags"]), markup=False)


def _show_splits(console: "Console", data: Mapping[str, Any]) -> None:
    from rich.table import Table

    table = Table(title=data["output"], box=None, header_style="bold")
    table.add_column("split")
    for what in WHAT:
        table.add_column(what.replace("_", " "), justify="right")
    for split, counts in data["splits"].items():
        table.add_row(split, *(f"{counts[what]:,}" for what in WHAT))
    console.print(table)
    tokenizer = f"tokenizer {data['tokenizer'][:12]} of {data['vocabulary_size']} tokens"
    console.print(f"{tokenizer}, {data['shards']} shards", markup=False)


def _show_counts(console: "Console", title: str, counts: Mapping[str, int]) -> None:
    if counts:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        console.print(f"{title}: {listed}", markup=False)
