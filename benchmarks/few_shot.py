"""A handful of examples of each label: cloze against a classification head, from one encoder.

    BIOBERT_DATA=DATA python benchmarks/few_shot.py --encoder FOLDER [--sizes 8 16] [--seeds 1]

FOLDER carries a masked language model, such as models/biobert-mini. A cell is one run on Evidence
Inference with the cited words: macro F1 on as many examples of each label of devel, which choose
the epoch (a large devel set would be labels that one does not have: Gao et al. 2021,
arXiv:2012.15723, section 3), and on the whole test set. The seed draws the examples too. Each runs
in a process of its own and adds a line to results/few-shot.jsonl, with the cell, macro F1 on devel
and test, accuracy on test and minutes; cells that are there are not run again. `--table` prints the
means, each at the learning rate that is best on devel.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import PLACES, mean_and_deviation, scores_of, split_of
from machine import QuietListener, record, recorded

from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.settings import read_toml
from biobert.pipeline.load import load_model
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train

CORPUS = "evidence-inference"
RESULT = "few-shot"
EPOCHS = {8: 40, 16: 25, 32: 15, 64: 10}
"""By examples of each label: the fewer, the more often, for about as many steps."""
SEEDS = (1, 2, 3)
RATES = (5e-5, 2e-4)
HEAD_RATE = 1e-3
"""Of the new layer of a classification head, as in recipes/nli-evidence-inference.toml."""
RECIPES = Path(__file__).parents[1] / "recipes"
METHODS = {
    "cloze": RECIPES / "few-evidence-inference.toml",
    "classification": RECIPES / "nli-evidence-inference.toml",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One run."""

    method: str
    size: int
    rate: float
    seed: int


def main() -> None:
    arguments = _arguments()
    if arguments.table:
        _print_table()
        return
    cells = _missing(arguments)
    if arguments.cell:
        _run_cell(next(cells), arguments.encoder)
        return
    for cell in cells:
        print(cell, flush=True)
        command = [sys.executable, __file__, "--cell", "--encoder", str(arguments.encoder)]
        command += ["--methods", cell.method, "--sizes", str(cell.size)]
        command += ["--rates", str(cell.rate), "--seeds", str(cell.seed)]
        subprocess.run(command, check=True)
    _print_table()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--encoder", type=Path, help="folder with a masked language model")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--sizes", nargs="*", type=int, choices=EPOCHS, default=list(EPOCHS))
    parser.add_argument("--rates", nargs="*", type=float, default=list(RATES))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--cell", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.encoder is None and not arguments.table:
        parser.error("--encoder FOLDER: which encoder to start from")
    return arguments


def _missing(arguments: argparse.Namespace) -> Iterator[Cell]:
    name = _name_of(arguments.encoder)
    done = {
        Cell(line["method"], line["examples_per_label"], line["learning_rate"], line["seed"])
        for line in recorded(RESULT)
        if line["encoder"] == name
    }
    cells = (
        Cell(method, size, rate, seed)
        for seed in arguments.seeds
        for size in arguments.sizes
        for rate in arguments.rates
        for method in arguments.methods
    )
    return (cell for cell in cells if cell not in done)


def _name_of(encoder: Path) -> str:
    return read_manifest(encoder).name if (encoder / MANIFEST).is_file() else encoder.name


def _run_cell(cell: Cell, encoder: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = RunPlaces(Path(folder) / "model", PLACES)
        recipe = read_recipe(_tables(cell, encoder), place="benchmark")
        began = time.perf_counter()
        manifest = train(recipe, places, listener=QuietListener(), resume=False)
        minutes = (time.perf_counter() - began) / 60
        test = scores_of(load_model(places.output), split_of(CORPUS, "test"))
    figures = {
        "encoder": _name_of(encoder),
        "method": cell.method,
        "examples_per_label": cell.size,
        "learning_rate": cell.rate,
        "seed": cell.seed,
        "devel": round(manifest.metrics["devel"], 4),
        "test": round(test.main, 4),
        "test_accuracy": round(test.details["accuracy"], 4),
        "minutes": round(minutes, 2),
    }
    print(json.dumps(figures), flush=True)
    record(RESULT, figures)


def _tables(cell: Cell, encoder: Path) -> dict[str, Any]:
    few = {"corpus": CORPUS, "per_label": cell.size, "draw": cell.seed}
    rates = {"learning_rate": cell.rate}
    if cell.method == "classification":
        rates["head_learning_rate"] = HEAD_RATE
    return {
        "name": "benchmark",
        "task": read_toml(METHODS[cell.method])["task"],
        "model": {"encoder": str(encoder)},
        "data": {"train": [few], "devel": [{**few, "splits": ["devel"]}]},
        "optimizer": rates,
        "batches": {"tokens": 1024},
        "run": {"epochs": EPOCHS[cell.size], "seed": cell.seed, "precision": "bf16"},
    }


def _print_table() -> None:
    for encoder in dict.fromkeys(line["encoder"] for line in recorded(RESULT)):
        print(f"macro F1 on test from {encoder}, mean ± deviation (runs)\n")
        print("| examples of each label |", " | ".join(METHODS), "|")
        print("|---|" + "---|" * len(METHODS))
        for size in EPOCHS:
            columns = [_column(encoder, method, size) for method in METHODS]
            print(f"| {size} |", " | ".join(columns), "|")


def _column(encoder: str, method: str, size: int) -> str:
    """Of each seed the run that is best on devel; the first of equal ones."""
    best: dict[int, dict[str, Any]] = {}
    for line in recorded(RESULT):
        if (line["encoder"], line["method"], line["examples_per_label"]) != (encoder, method, size):
            continue
        other = best.get(line["seed"])
        if other is None or line["devel"] > other["devel"]:
            best[line["seed"]] = line
    values = [line["test"] for line in best.values()]
    return mean_and_deviation(values) if values else ""


if __name__ == "__main__":
    main()
