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
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from corpora import DATA, PLACES, mean_and_deviation, scores_of, split_of
from machine import CACHE, MINI, QuietListener, record, recorded

from biobert.core.document import Document
from biobert.core.model_folder import MANIFEST
from biobert.core.settings import read_toml
from biobert.data.catalogue import find_split, load_corpus
from biobert.data.reading import write_documents
from biobert.pipeline.ensemble import write_ensemble
from biobert.pipeline.load import load_model
from biobert.runtime.ensemble import Rule
from biobert.text.sentences import sentences_of
from biobert.training.average import average_models
from biobert.training.material import Places
from biobert.training.methods import build_methods
from biobert.training.optimizer import build_optimizer
from biobert.training.recipe import Recipe, read_recipe
from biobert.training.session import train
from biobert.training.splitting import split_folder
from biobert.training.start import build_learner
from biobert.training.tuning import BEST_MODEL, Search, read_space, tune

SENTENCES = 1000
EPOCHS = 5
SEEDS = (1, 2, 3)
COLUMNS = ("devel", "test", "learning_weights", "processor_minutes", "peak_mib")
CORPUS, OTHER_NAMES, FINDINGS = "NCBI-disease", "BC5CDR", "evidence-inference"
ROOT = Path(__file__).parents[1]
RATES = {"learning_rate": 3e-4, "head_learning_rate": 1e-3}
"""Those of recipes/embedded-tagger-plain.toml. Adapters learn at higher ones, as in their papers;
none is tuned on this task. Behind a prefix or a prompt the head has to learn nearly all, and at the
usual rate it learns nothing in five epochs."""
METHODS: dict[str, dict[str, Any]] = {
    "plain": {},
    "layer decay 0.9": {"optimizer": {"layer_decay": 0.9}},
    "frozen 2 of 6": {"optimizer": {"frozen_layers": 2}},
    "unfreezing": {"optimizer": {"unfrozen_layers": 3}},
    "reinitialised 1": {"model": {"reinitialised_layers": 1}},
    "dropout 0.2": {"model": {"dropout": 0.2, "encoder_dropout": 0.2}},
    "weight decay 0.1": {"optimizer": {"weight_decay": 0.1}},
    "early stopping": {"run": {"patience": 1}},
    "masked words": {"regularization": {"masked_words": 0.15}},
    "label smoothing": {"regularization": {"label_smoothing": 0.1}},
    "focal": {"regularization": {"focal": 1.0}},
    "rdrop": {"regularization": {"rdrop": 1.0}},
    "fgm": {"adversarial": {"kind": "fgm"}},
    "pgd": {"adversarial": {"kind": "pgd", "steps": 2}},
    "pgd, a third as far": {
        "adversarial": {"kind": "pgd", "steps": 2, "epsilon": 0.3, "step_size": 0.1, "start": 0.03}
    },
    "freelb": {"adversarial": {"kind": "freelb", "steps": 2}},
    "exponential average": {"averaging": {"kind": "exponential", "decay": 0.98}},
    "uniform average": {"averaging": {"kind": "uniform"}},
    "lora": {"adapter": {"kind": "lora"}, "optimizer": {"learning_rate": 2e-3}},
    "ia3": {"adapter": {"kind": "ia3"}, "optimizer": {"learning_rate": 1e-2}},
    "bottleneck": {"adapter": {"kind": "bottleneck"}, "optimizer": {"learning_rate": 2e-3}},
    "prefix": {"adapter": {"kind": "prefix"}, "optimizer": dict.fromkeys(RATES, 1e-2)},
    "prompt": {"adapter": {"kind": "prompt"}, "optimizer": dict.fromkeys(RATES, 1e-2)},
    "distillation": {"distillation": {"weight": 0.5}},
    "mention replacement": {"augmentation": {"mention_rate": 0.3}},
    "ontology replacement": {"augmentation": {"mention_rate": 0.3}},
    "synonyms": {"augmentation": {"synonym_rate": 0.2}},
    "filled words": {"augmentation": {"filled_rate": 0.1}},
    "self-training": {"self_training": {"minimum_score": 0.95}},
    "multi-task": {},
    "3 layers": {"model": {"layers": 3}},
    "distillation into 3 layers": {"model": {"layers": 3}, "distillation": {"weight": 0.5}},
    "search of dropout and decay": {},
    "findings: plain": {},
    "findings: contrastive": {"regularization": {"contrastive": 0.5}},
}
SPACE = (
    "model.dropout=0,0.1,0.2",
    "model.encoder_dropout=0,0.1,0.2",
    "optimizer.weight_decay=0,0.01,0.1",
)
TRIALS = 10
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
    tables = _tables(name, seed, folder)
    output = _kept(seed) if name == "plain" else folder / "model"
    if name == "search of dropout and decay":
        search = Search(tables, read_space(SPACE), TRIALS, seed)
        tune(search, _places(output), listen=lambda _: QuietListener())
        return tables, output / BEST_MODEL
    _train(tables, output)
    if name == "multi-task":
        split_folder(output, folder / "parts")
        return tables, folder / "parts" / "diseases"
    return tables, output


def _train(tables: Mapping[str, Any], output: Path) -> None:
    shutil.rmtree(output, ignore_errors=True)
    recipe = read_recipe(tables, place="benchmark")
    train(recipe, _places(output), listener=QuietListener(), resume=False)


def _places(output: Path) -> Places:
    return Places(output=output, cache=CACHE, data_root=DATA)


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


def _tables(name: str, seed: int, folder: Path) -> dict[str, Any]:
    """The recipe of a method; what it needs beside, such as a teacher, is made in the folder."""
    needed = NEEDED[name](seed, folder) if name in NEEDED else {}
    tables = _base(name, seed)
    for changes in (METHODS[name], needed):
        for table, values in changes.items():
            tables[table] = {**tables.get(table, {}), **values}
    return tables


def _base(name: str, seed: int) -> dict[str, Any]:
    """What a method changes: the plain run on the task of its row."""
    run = {"epochs": EPOCHS, "seed": seed, "precision": "bf16"}
    model = {"encoder": str(MINI)}
    if name.startswith("findings"):
        tables = read_toml(ROOT / "recipes/nli-evidence-inference.toml")
        few = {"corpus": FINDINGS, "per_label": SENTENCES // len(tables["task"]["labels"])}
        data = {**tables["data"], "train": [few]}
        return {**tables, "model": model, "data": data, "run": run}
    diseases = {"name": "ner", "labels": ["Disease"], "scheme": "joint"}
    sources = {
        "train": [{"corpus": str(_sentences())}],
        "devel": [{"corpus": CORPUS, "splits": ["devel"]}],
    }
    if name == "multi-task":
        for source in (one for some in sources.values() for one in some):
            source["part"] = "diseases"
        chemicals = {"name": "ner", "labels": ["Chemical"], "scheme": "joint"}
        diseases = {"name": "multitask", "parts": {"diseases": diseases, "chemicals": chemicals}}
        other = {"corpus": OTHER_NAMES, "share": 0.2, "labels": ["Chemical"], "part": "chemicals"}
        sources["train"].append(other)
    return {
        "name": "benchmark",
        "task": diseases,
        "model": model,
        "data": sources,
        "optimizer": RATES,
        "batches": {"tokens": 512},
        "run": run,
    }


def _teacher(seed: int, folder: Path) -> dict[str, Any]:
    """A plain model of the same seed, to learn from."""
    _train(_tables("plain", seed, folder), folder / "teacher")
    return {"distillation": {"teacher": str(folder / "teacher")}}


def _names_of_diseases() -> str:
    terms = find_split(load_corpus("Disease-Ontology"), "terms", PLACES)
    return str(terms.path)


NEEDED: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    "distillation": _teacher,
    "ontology replacement": lambda *_: {
        "augmentation": {"ontologies": {"Disease": _names_of_diseases()}}
    },
    "synonyms": lambda *_: {
        "augmentation": {"synonyms": str(Path(__file__).with_name("synonyms.tsv"))}
    },
    "filled words": lambda *_: {"augmentation": {"language_model": str(MINI)}},
    "self-training": lambda *_: {"self_training": {"unlabelled": [{"corpus": str(_others())}]}},
    "distillation into 3 layers": _teacher,
}


def _sentences() -> Path:
    """A file with the documents that hold the first sentences; the last document is cut."""
    path = CACHE / f"{CORPUS}-{SENTENCES}.jsonl"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        write_documents(list(_first(SENTENCES)), path, "jsonl")
    return path


def _others() -> Path:
    """A file with the training documents that hold none of these sentences, without labels."""
    path = CACHE / f"{CORPUS}-beyond-{SENTENCES}.jsonl"
    if not path.is_file():
        known = {document.id for document in _first(SENTENCES)}
        documents = split_of(CORPUS, "train")
        write_documents([Document(d.id, d.text) for d in documents if d.id not in known], path)
    return path


def _first(wanted: int) -> Iterator[Document]:
    for document in split_of(CORPUS, "train"):
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
