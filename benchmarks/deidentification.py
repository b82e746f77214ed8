"""How many identifiers of invented notes are found, what else is replaced, and how fast.

    python benchmarks/deidentification.py [--names embedded-names] [--repeats 0]

With a tagger (recipes/ner-names.toml), everything is measured without and with it. The notes and
their gold annotations are in tests/trust/notes: those the rules were written with (`tuning`; the
tagger learns from them too), and those written before the rules (`blind`). Both are also read
wrapped, with the line ends of Windows, with non-breaking signs, in capitals and in small letters.
Notes that name nobody (`clean-tuning`, which the word lists were written with, and `clean-blind`)
say how many words are replaced for nothing. With BIOBERT_DATA, the abstracts of the BC5CDR test
split say how much is replaced where no patient is named. Adds a line for each to
results/deidentification.jsonl. `--repeats 0` times nothing and only prints: a quick look.
"""

import argparse
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from corpora import split_of
from machine import record

from biobert import Deidentifier
from biobert.core.document import Document
from biobert.core.editing import Edit, edited
from biobert.data.reading import read_documents
from biobert.evaluation.leaks import LeakScores, score_leaks
from biobert.text.letters import letter_by_letter
from biobert.trust.tagger import load_tagger

NOTES = Path(__file__).parents[1] / "tests" / "trust" / "notes"
REPEATS = 20
"""How often the notes are read to be timed."""
WRAPPED_AT_72 = re.compile(r"(?=[^\n]{73})([^\n]{1,72}) ")


Form = Callable[[Document], Document]


def in_place(change: Callable[[str], str]) -> Form:
    """The change, which leaves every character in its place."""
    return lambda note: replace(note, text=change(note.text))


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
    "capitals": in_place(lambda text: letter_by_letter(text, str.upper)),
    "small letters": in_place(lambda text: letter_by_letter(text, str.lower)),
}
"""Other ways to write a note."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured: the rules, beside them perhaps a model, and how often that is timed."""

    deidentifier: Deidentifier
    model: str | None
    repeats: int

    def tell(self, notes: str, found: Mapping[str, object]) -> None:
        """Show the figures, and keep those that were timed."""
        print(notes, self.model or "rules alone", found, flush=True)
        if self.repeats:
            record("deidentification", {"notes": notes, "names": self.model, "figures": found})


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
        "clean_words_replaced": round(scores.clean_words_replaced, 4),
        "by_kind": by_kind,
    }


def characters_per_second(
    documents: list[Document], deidentifier: Deidentifier, repeats: int
) -> int | None:
    """Of processor time, over the documents several times; None for no time at all."""
    if not repeats:
        return None
    began = time.process_time()
    for _ in range(repeats):
        for one in documents:
            deidentifier.deidentify(one)
    characters = repeats * sum(len(one.text) for one in documents)
    return round(characters / (time.process_time() - began))


def scores_of(gold: list[Document], deidentifier: Deidentifier) -> LeakScores:
    return score_leaks(gold, [deidentifier.marked(one) for one in gold])


def in_other_forms(gold: list[Document], deidentifier: Deidentifier) -> dict[str, object]:
    """The figures where the same notes are written in other ways."""
    return {
        name: figures(scores_of([change(one) for one in gold], deidentifier))
        for name, change in FORMS.items()
    }


def notes(name: str, one: Measured) -> None:
    gold = list(read_documents(NOTES / name))
    found = {
        **figures(scores_of(gold, one.deidentifier)),
        "notes": len(gold),
        "characters_per_second": characters_per_second(gold, one.deidentifier, one.repeats),
        "other_forms": in_other_forms(gold, one.deidentifier),
    }
    one.tell(name, found)


def clean_notes(name: str, one: Measured) -> None:
    """The share of words replaced in notes without identifiers."""
    gold = list(read_documents(NOTES / name))
    forms = {"as written": gold} | {
        form: [FORMS[form](note) for note in gold] for form in ("capitals", "small letters")
    }
    found = {
        form: round(scores_of(documents, one.deidentifier).clean_words_replaced, 4)
        for form, documents in forms.items()
    }
    one.tell(name, found)


def abstracts(one: Measured) -> None:
    """Replacements in published abstracts, a thousand characters."""
    split = split_of("BC5CDR-pubtator", "test")
    characters = sum(len(document.text) for document in split)
    began = time.process_time()
    counts = Counter(found.kind for document in split for found in one.deidentifier.find(document))
    found = {
        "characters": characters,
        "replaced": dict(counts),
        "replaced_per_thousand_characters": round(1000 * counts.total() / characters, 3),
        "characters_per_second": round(characters / (time.process_time() - began)),
    }
    one.tell("BC5CDR test abstracts", found)


def measure(one: Measured) -> None:
    one.deidentifier.deidentify("Mrs. Sullivan was seen.")
    for name in ("tuning", "blind"):
        notes(name, one)
        clean_notes(f"clean-{name}", one)
    if "BIOBERT_DATA" in os.environ:
        abstracts(one)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", metavar="MODEL", help="a tagger to measure beside the rules")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="0: print only, no timing")
    given = parser.parse_args()
    measure(Measured(Deidentifier(), None, given.repeats))
    if given.names is not None:
        both = Deidentifier(names=load_tagger(given.names).annotate)
        measure(Measured(both, Path(given.names).name, given.repeats))


if __name__ == "__main__":
    main()
