"""How many identifiers of invented notes are found, what else is replaced, and how fast.

    python benchmarks/deidentification.py

The notes and their gold annotations are in tests/trust/notes: those the rules were written with
(`tuning`), and those written before the rules (`blind`). Both are also read wrapped, with the line
ends of Windows, with non-breaking signs, in capitals and in small letters. With BIOBERT_DATA, the
abstracts of the BC5CDR test split say how much is replaced where no patient is named. Adds a line
for each to results/deidentification.jsonl.
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from machine import CACHE, record

from biobert import Deidentifier
from biobert.core.document import Document
from biobert.core.editing import Edit, edited
from biobert.data.catalogue import read_split
from biobert.data.reading import read_documents
from biobert.evaluation.leaks import LeakScores, score_leaks

NOTES = Path(__file__).parents[1] / "tests" / "trust" / "notes"
REPEATS = 20
WRAPPED_AT_72 = re.compile(r"(?=[^\n]{73})([^\n]{1,72}) ")


Form = Callable[[Document], Document]


def in_place(change: Callable[[str], str]) -> Form:
    """The change, which leaves every character in its place."""
    return lambda note: replace(note, text=change(note.text))


def letter_by_letter(change: Callable[[str], str]) -> Form:
    """The change without what would move offsets, such as a capital of two letters."""
    return in_place(
        lambda text: "".join(new if len(new := change(one)) == 1 else one for one in text)
    )


def wrapped(note: Document) -> Document:
    return replace(note, text=WRAPPED_AT_72.sub(r"\1\n", note.text))


def wrapped_on_windows(note: Document) -> Document:
    note = wrapped(note)
    return edited(note, [Edit(*one.span(), "\r\n") for one in re.finditer("\n", note.text)])


FORMS: Mapping[str, Form] = {
    "wrapped at 72 columns": wrapped,
    "wrapped, lines end in CR LF": wrapped_on_windows,
    "non-breaking spaces": in_place(lambda text: text.replace(" ", "\u00a0")),
    "non-breaking hyphens": in_place(lambda text: text.replace("-", "\u2011")),
    "capitals": letter_by_letter(str.upper),
    "small letters": letter_by_letter(str.lower),
}
"""Other ways to write a note."""


def figures(scores: LeakScores) -> dict[str, object]:
    by_kind = {
        kind: {"identifiers": one.identifiers, "removed": one.removed, "named": one.named}
        for kind, one in scores.by_kind.items()
    }
    return {
        "identifiers": scores.overall.identifiers,
        "recall": round(scores.overall.recall, 4),
        "precision": round(scores.precision, 4),
        "leak_rate": round(scores.leak_rate, 4),
        "by_kind": by_kind,
    }


def characters_per_second(documents: list[Document], deidentifier: Deidentifier) -> int:
    """Of processor time, over the documents several times."""
    began = time.process_time()
    for _ in range(REPEATS):
        for one in documents:
            deidentifier.deidentify(one)
    characters = REPEATS * sum(len(one.text) for one in documents)
    return round(characters / (time.process_time() - began))


def scores_of(gold: list[Document], deidentifier: Deidentifier) -> LeakScores:
    return score_leaks(gold, [deidentifier.marked(one) for one in gold])


def in_other_forms(gold: list[Document], deidentifier: Deidentifier) -> dict[str, object]:
    """Recall and precision where the same notes are written in other ways."""
    found: dict[str, object] = {}
    for name, change in FORMS.items():
        scores = scores_of([change(one) for one in gold], deidentifier)
        found[name] = {
            "recall": round(scores.overall.recall, 4),
            "precision": round(scores.precision, 4),
        }
    return found


def notes(name: str, deidentifier: Deidentifier) -> None:
    gold = list(read_documents(NOTES / name))
    found = {
        **figures(scores_of(gold, deidentifier)),
        "notes": len(gold),
        "characters_per_second": characters_per_second(gold, deidentifier),
        "other_forms": in_other_forms(gold, deidentifier),
    }
    print(name, found)
    record("deidentification", {"notes": name, "figures": found})


def abstracts(deidentifier: Deidentifier) -> None:
    """Replacements in published abstracts, a thousand characters."""
    root = Path(os.environ["BIOBERT_DATA"])
    split = list(read_split("BC5CDR-pubtator", "test", data_root=root, cache=CACHE))
    characters = sum(len(one.text) for one in split)
    counts: dict[str, int] = {}
    began = time.process_time()
    for document in split:
        for one in deidentifier.find(document):
            counts[one.kind] = counts.get(one.kind, 0) + 1
    found = {
        "characters": characters,
        "replaced": counts,
        "replaced_per_thousand_characters": round(1000 * sum(counts.values()) / characters, 3),
        "characters_per_second": round(characters / (time.process_time() - began)),
    }
    print("BC5CDR test", found)
    record("deidentification", {"notes": "BC5CDR test abstracts", "figures": found})


def main() -> None:
    deidentifier = Deidentifier()
    deidentifier.deidentify("Mrs. Sullivan was seen.")
    for name in ("tuning", "blind"):
        notes(name, deidentifier)
    if "BIOBERT_DATA" in os.environ:
        abstracts(deidentifier)


if __name__ == "__main__":
    main()
