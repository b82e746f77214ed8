"""What the check of a corpus found, for a person."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from biobert.cli.tables import show_table

if TYPE_CHECKING:
    from rich.console import Console

    from biobert.data.check import CheckReport


def show_check(report: "CheckReport") -> None:
    """Counts by split, then what is malformed, repeated, shared, inconsistent or long."""
    from rich.console import Console

    _show_counts(report)
    console = Console(highlight=False)
    console.print(f"malformed or set aside: {report.malformed} {_counted(report.reasons)}".strip())
    for example in report.malformed_examples:
        console.print(f"  {example['file']}:{example['place']}: {example['reason']}", markup=False)
    _show_repeated(report, console)
    _show_shared(report, console)
    console.print(f"mentions with several labels: {report.inconsistent_count}")
    for mixed in report.inconsistent_labels[:5]:
        console.print(f"  {mixed.mention!r}: {dict(mixed.labels)}", markup=False)
    console.print("longest sentences:")
    for row in report.longest_sentences:
        console.print(f"  {row['words']} words ({row['split']}): {row['text']}...", markup=False)


def _show_counts(report: "CheckReport") -> None:
    counts = [
        {
            "split": name,
            "documents": one.documents,
            "sentences": one.sentences,
            "words": one.words,
            "mentions": _counted(one.mentions),
            "relations": one.relations,
            "labels": _counted(one.labels),
        }
        for name, one in report.splits.items()
    ]
    show_table(report.corpus, counts)


def _show_repeated(report: "CheckReport", console: "Console") -> None:
    console.print(f"duplicate documents: {len(report.duplicate_documents)}")
    for duplicate in report.duplicate_documents[:5]:
        console.print(f"  {duplicate}", markup=False)
    if report.repeated_identifiers:
        some = ", ".join(report.repeated_identifiers[:5])
        count = len(report.repeated_identifiers)
        console.print(f"identifiers of several texts: {count}, such as {some}", markup=False)


def _show_shared(report: "CheckReport", console: "Console") -> None:
    for pair, count in report.shared_sentences.items():
        times = report.shared_occurrences[pair]
        console.print(f"shared sentences, {pair}: {count} distinct, {times} in all")
    for pair, count in report.shared_texts.items():
        console.print(f"shared texts, {pair}: {count}")
    for kind, pairs in report.shared_passages.items():
        for pair, count in pairs.items():
            console.print(f"shared passages {kind!r}, {pair}: {count}")


def _counted(labels: "Mapping[str, int]") -> str:
    return ", ".join(f"{label} {count}" for label, count in labels.items())
