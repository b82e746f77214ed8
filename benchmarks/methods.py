"""Ways to train on little data: the first 1000 sentences of NCBI-disease, three seeds.

    BIOBERT_DATA=DATA python benchmarks/methods.py [--methods plain rdrop] [--seeds 1] [--jobs 8]

A cell is one run from models/biobert-mini: strict F1 on devel (which chooses the epoch) and on
test, weights that learn, minutes of the processor, and peak memory. Each runs in a process of its
own and adds a line to results/methods.jsonl; cells that are there are not run again. `--jobs` runs
some at once, for a GPU that none of them fills. `--table` prints the means. The teacher of a
distillation is a plain model of the same seed, trained in its cell; `self-training` reads the
corpus's other training documents without their labels. Replaced mentions come from the Disease
Ontology, synonyms from synonyms.tsv, filled words from the encoder itself; the second task is a
fifth of BC5CDR's chemicals; the three layers are every other of the encoder's. An ensemble joins
the plain models of all seeds, which are kept for it in .cache: one row, without a spread.

Supervised contrast wants one label a text, so it has a task of its own with a plain row beside it:
macro F1 on Evidence Inference by recipes/nli-evidence-inference.toml, from 333 prompts of each of
its three labels. Measured elsewhere are a handful of examples (few_shot.py), choosing what to label
(active_learning.py), and replay and elastic weight consolidation (continual.py). Translation there
and back is measured nowhere: it needs two models of other languages.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from corpora import PLACES, mean_and_deviation, scores_of, split_of
from machine import CACHE, QuietListener, record, recorded
from method_recipes import (
    CORPUS,
    FINDINGS,
    METHODS,
    SPACE,
    TRIALS,
    learn,
    places_of,
    recipe_tables,
)

from biobert.core.model_folder import MANIFEST
from biobert.pipeline.ensemble import write_ensemble
from biobert.pipeline.load import load_model
from biobert.runtime.ensemble import Rule
from biobert.training.average import average_models
from biobert.training.methods import build_methods
from biobert.training.optimizer import build_optimizer
from biobert.training.recipe import Recipe, read_recipe
from biobert.training.splitting import split_folder
from biobert.training.start import build_learner
from biobert.training.tuning import BEST_MODEL, Search, read_space, tune

SEEDS = (1, 2, 3)
COLUMNS = ("devel", "test", "learning_weights", "processor_minutes", "peak_mib")
ENSEMBLES: dict[str, Rule | None] = {
    "ensemble: votes": "vote",
    "ensemble: probabilities": "mean",
    "ensemble: mean of weights": None,
}


def main() -> None:
    arguments = _arguments()
    if arguments.cell:
        _run_cell(arguments.cell, arguments.seeds[0])
    elif arguments.table:
        _print_table()
    else:
        with ThreadPoolExecutor(arguments.jobs) as pool:
            list(pool.map(_in_own_process, _missing(arguments.methods, arguments.seeds)))
        _join_plain_models()
        _print_table()


def _in_own_process(cell: tuple[str, int]) -> None:
    name, seed = cell
    print(f"{name}, seed {seed}", flush=True)
    command = [sys.executable, __file__, "--cell", name, "--seeds", str(seed)]
    subprocess.run(command, check=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cell", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def _missing(methods: list[str], seeds: list[int]) -> Iterator[tuple[str, int]]:
    done = {(line["method"], line["seed"]) for line in recorded("methods")}
    return ((name, seed) for name in methods for seed in seeds if (name, seed) not in done)


def _run_cell(name: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        tables, output = _made(name, seed, Path(folder))
        minutes = (time.process_time() - began) / 60
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        corpus = FINDINGS if name.startswith("findings") else CORPUS
        _record(
            {
                "method": name,
                "seed": seed,
                "devel": _score(output, "devel", corpus),
                "test": _score(output, "test", corpus),
                "learning_weights": _learning_weights(read_recipe(tables, place="benchmark")),
                "processor_minutes": round(minutes, 2),
                "peak_mib": round(memory),
                "lines": METHODS[name],
            }
        )


def _made(name: str, seed: int, folder: Path) -> tuple[dict[str, Any], Path]:
    """The recipe of a cell, and the model folder that came of it."""
    tables = recipe_tables(name, seed, folder)
    output = _kept(seed) if name == "plain" else folder / "model"
    if name == "search of dropout and decay":
        search = Search(tables, read_space(SPACE), TRIALS, seed)
        tune(search, places_of(output), listen=lambda _: QuietListener())
        return tables, output / BEST_MODEL
    learn(tables, output)
    if name == "multi-task":
        split_folder(output, folder / "parts")
        return tables, folder / "parts" / "diseases"
    return tables, output


def _join_plain_models() -> None:
    """One row for each kind of ensemble, once all plain models are there."""
    plain = [line for line in recorded("methods") if line["method"] == "plain"]
    models = [_kept(seed) for seed in SEEDS]
    done = {line["method"] for line in recorded("methods")}
    if not all((model / MANIFEST).is_file() for model in models):
        print(f"no ensembles: a plain model of the seeds {SEEDS} is missing in {_kept(0).parent}")
        return
    for name, rule in ENSEMBLES.items():
        if name in done:
            continue
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "model"
            if rule is None:
                average_models(models, output, name=name)
            else:
                write_ensemble(models, output, name=name, rule=rule, places=PLACES)
            scores = {split: _score(output, split) for split in ("devel", "test")}
        _record(
            {
                "method": name,
                "seed": None,
                **scores,
                "learning_weights": (1 if rule is None else len(models))
                * plain[0]["learning_weights"],
                "processor_minutes": round(sum(line["processor_minutes"] for line in plain), 2),
                "peak_mib": max(line["peak_mib"] for line in plain),
            }
        )


def _record(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)
    record("methods", figures)


def _kept(seed: int) -> Path:
    return CACHE / "methods" / f"plain-{seed}"


def _score(folder: Path, split: str, corpus: str = CORPUS) -> float:
    return round(scores_of(load_model(folder), split_of(corpus, split)).main, 4)


def _learning_weights(recipe: Recipe) -> int:
    network = build_learner(recipe, print).network
    build_methods(recipe, steps=1).prepare(network)
    optimizer = build_optimizer(network, recipe.optimizer)
    return sum(one.numel() for group in optimizer.param_groups for one in group["params"])


def _print_table() -> None:
    print("| method | devel F1 | test F1 | weights that learn | processor minutes | peak MiB |")
    print("|---|---|---|---|---|---|")
    for name in (*METHODS, *ENSEMBLES):
        rows = [line for line in recorded("methods") if line["method"] == name]
        if rows:
            print(f"| {name} |", " | ".join(_column(rows, what) for what in COLUMNS), "|")


def _column(rows: list[dict[str, Any]], what: str) -> str:
    values = [row[what] for row in rows]
    if what not in ("devel", "test"):
        return f"{statistics.median(values):,}"
    return mean_and_deviation(values)


if __name__ == "__main__":
    main()
