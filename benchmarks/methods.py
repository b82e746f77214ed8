"""Ways to train on little data: the first 1000 sentences of NCBI-disease, three seeds.

    BIOBERT_DATA=DATA python benchmarks/methods.py [--methods plain rdrop] [--seeds 1]

A cell is one run: strict F1 on devel (which chooses the epoch) and on test, weights that learn,
minutes, and peak memory. Each runs in a process of its own and adds a line to
results/methods.jsonl; cells that are there are not run again. `--table` prints the means.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from machine import CACHE, QuietListener, minilm_folder, record, recorded

from biobert.core.annotate import annotate_documents
from biobert.core.document import Document
from biobert.data.catalogue import read_split
from biobert.data.reading import write_documents
from biobert.pipeline.load import load_model
from biobert.text.sentences import sentences_of
from biobert.training.material import Places
from biobert.training.methods import build_methods
from biobert.training.optimizer import build_optimizer
from biobert.training.recipe import Recipe, read_recipe
from biobert.training.session import train
from biobert.training.start import build_learner

SENTENCES = 1000
EPOCHS = 5
SEEDS = (1, 2, 3)
COLUMNS = ("devel", "test", "learning_weights", "minutes", "peak_mib")
CORPUS = "NCBI-disease"
RATES = {"learning_rate": 3e-4, "head_learning_rate": 1e-3}
"""Those of recipes/embedded-tagger-plain.toml. Adapters learn at higher ones, as in their papers;
none is tuned on this task."""
METHODS: dict[str, dict[str, Any]] = {
    "plain": {},
    "layer decay 0.9": {"optimizer": {"layer_decay": 0.9}},
    "frozen 2 of 6": {"optimizer": {"frozen_layers": 2}},
    "unfreezing": {"optimizer": {"unfrozen_layers": 3}},
    "reinitialised 1": {"model": {"reinitialised_layers": 1}},
    "masked words": {"regularization": {"masked_words": 0.15}},
    "label smoothing": {"regularization": {"label_smoothing": 0.1}},
    "focal": {"regularization": {"focal": 1.0}},
    "rdrop": {"regularization": {"rdrop": 1.0}},
    "fgm": {"adversarial": {"kind": "fgm"}},
    "pgd": {"adversarial": {"kind": "pgd", "steps": 2}},
    "freelb": {"adversarial": {"kind": "freelb", "steps": 2}},
    "exponential average": {"averaging": {"kind": "exponential", "decay": 0.98}},
    "uniform average": {"averaging": {"kind": "uniform"}},
    "lora": {"adapter": {"kind": "lora"}, "optimizer": {"learning_rate": 2e-3}},
    "ia3": {"adapter": {"kind": "ia3"}, "optimizer": {"learning_rate": 1e-2}},
    "bottleneck": {"adapter": {"kind": "bottleneck"}, "optimizer": {"learning_rate": 2e-3}},
    "prefix": {"adapter": {"kind": "prefix"}, "optimizer": {"learning_rate": 1e-2}},
    "prompt": {"adapter": {"kind": "prompt"}, "optimizer": {"learning_rate": 1e-2}},
}
DATA = Path(os.environ.get("BIOBERT_DATA", "data"))


def main() -> None:
    arguments = _arguments()
    if arguments.cell:
        _run_cell(arguments.cell, arguments.seeds[0])
    elif arguments.table:
        _print_table()
    else:
        for name, seed in _missing(arguments.methods, arguments.seeds):
            print(f"{name}, seed {seed}", flush=True)
            command = [sys.executable, __file__, "--cell", name, "--seeds", str(seed)]
            subprocess.run(command, check=True)
        _print_table()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--cell", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def _missing(methods: list[str], seeds: list[int]) -> Iterator[tuple[str, int]]:
    done = {(line["method"], line["seed"]) for line in recorded("methods")}
    return ((name, seed) for seed in seeds for name in methods if (name, seed) not in done)


def _run_cell(name: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = Places(output=Path(folder) / "model", cache=CACHE, data_root=DATA)
        recipe = read_recipe(_tables(name, seed), place="benchmark")
        began = time.perf_counter()
        manifest = train(recipe, places, listener=QuietListener(), resume=False)
        minutes = (time.perf_counter() - began) / 60
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        test = _test_score(places.output)
    figures = {
        "method": name,
        "seed": seed,
        "devel": round(manifest.metrics["devel"], 4),
        "test": round(test, 4),
        "learning_weights": _learning_weights(recipe),
        "minutes": round(minutes, 2),
        "peak_mib": round(memory),
        "lines": METHODS[name],
    }
    print(json.dumps(figures), flush=True)
    record("methods", figures)


def _tables(name: str, seed: int) -> dict[str, Any]:
    tables: dict[str, Any] = {
        "name": "benchmark",
        "task": {"name": "ner", "labels": ["Disease"], "scheme": "joint"},
        "model": {"encoder": str(minilm_folder())},
        "data": {
            "train": [{"corpus": str(_sentences())}],
            "devel": [{"corpus": CORPUS, "splits": ["devel"]}],
        },
        "optimizer": RATES,
        "batches": {"tokens": 512},
        "run": {"epochs": EPOCHS, "seed": seed, "precision": "bf16"},
    }
    for table, values in METHODS[name].items():
        tables[table] = {**tables.get(table, {}), **values}
    return tables


def _sentences() -> Path:
    """A file with the documents that hold the first sentences; the last document is cut."""
    path = CACHE / f"{CORPUS}-{SENTENCES}.jsonl"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        write_documents(list(_first(SENTENCES)), path, "jsonl")
    return path


def _first(wanted: int) -> Iterator[Document]:
    for document in read_split(CORPUS, "train", data_root=DATA, cache=CACHE):
        sentences = sentences_of(document)
        if len(sentences) < wanted:
            wanted -= len(sentences)
            yield document
            continue
        end = sentences[wanted - 1].end
        kept = tuple(one for one in document.entities if one.end <= end)
        kept_sentences = tuple(sentences[:wanted])
        yield Document(document.id, document.text[:end], entities=kept, sentences=kept_sentences)
        return


def _test_score(folder: Path) -> float:
    model = load_model(folder)
    gold = list(read_split(CORPUS, "test", data_root=DATA, cache=CACHE))
    parts = {"task": model.task, "tokenizer": model.tokenizer, "predictor": model.predictor}
    return model.task.score(gold, annotate_documents(gold, **parts)).main


def _learning_weights(recipe: Recipe) -> int:
    network = build_learner(recipe, print).network
    build_methods(recipe, steps=1).prepare(network)
    optimizer = build_optimizer(network, recipe.optimizer)
    return sum(one.numel() for group in optimizer.param_groups for one in group["params"])


def _print_table() -> None:
    print("| method | devel F1 | test F1 | weights that learn | minutes | peak MiB |")
    print("|---|---|---|---|---|---|")
    for name in METHODS:
        rows = [line for line in recorded("methods") if line["method"] == name]
        if rows:
            print(f"| {name} |", " | ".join(_column(rows, what) for what in COLUMNS), "|")


def _column(rows: list[dict[str, Any]], what: str) -> str:
    values = [row[what] for row in rows]
    if what not in ("devel", "test"):
        return f"{statistics.median(values):,}"
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.2f}{spread} ({len(values)})"


if __name__ == "__main__":
    main()
