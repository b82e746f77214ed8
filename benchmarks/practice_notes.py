"""Practice notes for recipes/ner-names.toml: invented persons and places, no patient's data.

    python benchmarks/practice_notes.py --output corpora/names

Writes train.jsonl, of the notes that the rules of de-identification were written with, those that
name nobody among them (never the blind ones, which measure it), and of nine tenths of the contexts
of trust/contexts.toml, and devel.jsonl, of the other tenth. The same seed gives the same files.
"""

import argparse
from pathlib import Path

from biobert.data.reading import read_documents, write_documents
from biobert.trust.practice import contexts, put_together, written_again

NOTES = Path(__file__).parents[1] / "tests" / "trust" / "notes"
REWRITTEN = ("tuning", "clean-tuning")
DEVEL_EVERY = 10
DEVEL_COUNT = 300


def write_practice_notes(folder: Path, *, copies: int, count: int, seed: int) -> None:
    """`copies` of each note with other identifiers, `count` of contexts, and those for devel."""
    lines = contexts().lines
    devel = lines[::DEVEL_EVERY]
    train = [line for line in lines if line not in devel]
    notes = [one for name in REWRITTEN for one in read_documents(NOTES / name)]
    again = written_again(notes, copies=copies, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_documents([*again, *put_together(train, count=count, seed=seed)], folder / "train.jsonl")
    chosen_by = put_together(devel, count=DEVEL_COUNT, seed=seed)
    write_documents(chosen_by, folder / "devel.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=80, help="of each note")
    parser.add_argument("--count", type=int, default=16_000, help="notes of contexts")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write_practice_notes(
        arguments.output, copies=arguments.copies, count=arguments.count, seed=arguments.seed
    )


if __name__ == "__main__":
    main()
