"""A learning curve: NCBI-disease labelled sentence by sentence, in the order each method asks for.

    BIOBERT_DATA=DATA python benchmarks/active_learning.py [SEED ...] [--methods random both]

All methods begin with the same 100 sentences of the training split, drawn by chance, and add 225 in
each round, up to 1000: by chance, or as `biobert label suggest` chooses them with the model of the
round before (the gold labels of the rest stay hidden). Every round trains the compact shape (6
layers of width 384, from models/biobert-mini) anew: 5 epochs, more where that would be too few
steps. The yardstick is the same recipe on all 5424 sentences. Nothing is chosen on devel or test.

A stopped run goes on: each round is a line of `.cache/active-learning/rounds.jsonl`. At the end
results/active-learning.jsonl gets a line, with each method's test F1 by number of sentences and the
number that reaches 95% of the yardstick; results/active-learning.png shows the curves.
"""

import argparse
import json
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from corpora import scores_of, sentences_in, split_of
from machine import CACHE, MINI, RESULTS, QuietListener, record

from biobert.core.annotate import answer_documents
from biobert.core.document import Document
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.pipeline.load import LoadedModel, load_model
from biobert.pipeline.suggesting import SuggestionSettings, choose
from biobert.runtime.settings import RuntimeSettings
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train

CORPUS = "NCBI-disease"
FOLDER = CACHE / "active-learning"
ROUNDS = FOLDER / "rounds.jsonl"
PICTURE = RESULTS / "active-learning.png"
FIRST, ADDED, LAST = 100, 225, 1000
METHODS = ("random", "uncertainty", "both", "diversity")
ALL, BEGINNING = "all", "beginning"
EPOCHS, LEAST_SENTENCES = 5, 3000
"""So many epochs, but no fewer than it takes to see so many sentences."""
SHARE = 0.95
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    arguments = parser.parse_args()
    seeds, methods = arguments.seeds, arguments.methods
    FOLDER.mkdir(parents=True, exist_ok=True)
    pool = [part for document in split_of(CORPUS, "train") for part in sentences_in(document)]
    for seed in seeds:
        if not _rows(seed, ALL):
            _round(pool, range(len(pool)), [], seed=seed, method=ALL)
        if not _rows(seed, BEGINNING):
            added = np.random.default_rng(seed).permutation(len(pool))[:FIRST].tolist()
            _round(pool, added, added, seed=seed, method=BEGINNING)
        for method in methods:
            _curve(pool, seed=seed, method=method)
    figures = _figures(seeds, methods)
    print(json.dumps(figures, indent=2))
    _plot(seeds, methods)
    record("active-learning", {"figures": figures})


def _curve(pool: Sequence[Document], *, seed: int, method: str) -> None:
    """The rounds of one method that are still to be done."""
    rows = _rows(seed, BEGINNING) + _rows(seed, method)
    labelled = [number for row in rows for number in row["added"]]
    model = None
    while len(labelled) < LAST:
        model = model or _trained(pool, labelled, seed=seed)
        added = _added(pool, labelled, model, seed=seed, method=method)
        labelled += added
        model = _round(pool, labelled, added, seed=seed, method=method)


def _added(
    pool: Sequence[Document],
    labelled: Sequence[int],
    model: LoadedModel,
    *,
    seed: int,
    method: str,
) -> list[int]:
    """The sentences of the pool that the method asks for next."""
    known = set(labelled)
    rest = [number for number in range(len(pool)) if number not in known]
    if method == "random":
        generator = np.random.default_rng((seed, len(labelled)))
        return [rest[one] for one in generator.permutation(len(rest))[:ADDED].tolist()]
    hidden = [replace(pool[number], entities=()) for number in rest]
    answers = answer_documents(
        hidden, task=model.task, tokenizer=model.tokenizer, predictor=model.predictor
    )
    assert len(answers) == len(rest)
    settings = SuggestionSettings(ADDED, by=method, seed=seed)  # type: ignore[arg-type]
    return [rest[one] for one in choose(answers, settings)]


def _round(
    pool: Sequence[Document],
    labelled: Sequence[int],
    added: Sequence[int],
    *,
    seed: int,
    method: str,
) -> LoadedModel:
    """Train on what is labelled so far, score it, and put the round on record."""
    model = _trained(pool, labelled, seed=seed)
    row: Row = {"seed": seed, "method": method, "sentences": len(labelled), "added": list(added)}
    row["mentions"] = sum(len(pool[number].entities) for number in labelled)
    row["words"] = sum(len(pool[number].text.split()) for number in labelled)
    for split in ("devel", "test"):
        row[split] = scores_of(model, split_of(CORPUS, split)).main
    with ROUNDS.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")
    print({name: value for name, value in row.items() if name != "added"}, flush=True)
    return model


def _trained(pool: Sequence[Document], labelled: Sequence[int], *, seed: int) -> LoadedModel:
    corpus, output = FOLDER / "labelled.jsonl", FOLDER / "model"
    shutil.rmtree(output, ignore_errors=True)
    write_documents([pool[number] for number in labelled], corpus)
    tables = {
        "name": "active-learning",
        "task": {"name": "ner", "labels": ["Disease"]},
        "model": {"encoder": str(MINI)},
        "data": {"train": [{"corpus": str(corpus)}]},
        "optimizer": {"learning_rate": 3e-4, "head_learning_rate": 1e-3},
        "batches": {"tokens": 512},
        "run": {
            "epochs": max(EPOCHS, LEAST_SENTENCES // len(labelled)),
            "seed": seed,
            "precision": "bf16",
            "checkpoint_every_steps": 100_000,
        },
    }
    recipe = read_recipe(tables, place="benchmark")
    train(recipe, RunPlaces(output, CorpusPlaces(FOLDER)), listener=QuietListener(), resume=False)
    return load_model(output, RuntimeSettings(engine="torch"))


def _rows(seed: int, method: str) -> list[Row]:
    if not ROUNDS.is_file():
        return []
    # A line that a kill cut short is a round that is not done.
    lines = (line for line in ROUNDS.read_text(encoding="utf-8").splitlines() if line[-1:] == "}")
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if (row["seed"], row["method"]) == (seed, method)]


def _figures(seeds: Sequence[int], methods: Sequence[str]) -> Row:
    """Test F1 by method and sentences, and how many sentences reach the share of all data's F1."""
    whole = statistics.mean(_rows(seed, ALL)[0]["test"] for seed in seeds)
    figures: Row = {"seeds": list(seeds), "all_sentences": round(whole, 4)}
    for method in methods:
        curve = _mean_curve(seeds, method, "test")
        reached = (count for count, score in curve.items() if score >= SHARE * whole)
        figures[method] = {
            "f1": {count: round(score, 4) for count, score in curve.items()},
            f"sentences_to_{SHARE:.0%}_of_all": next(reached, None),
        }
    return figures


def _mean_curve(seeds: Sequence[int], method: str, split: str) -> dict[int, float]:
    scores: dict[int, list[float]] = {}
    for seed in seeds:
        for row in _rows(seed, BEGINNING) + _rows(seed, method):
            scores.setdefault(row["sentences"], []).append(row[split])
    return {count: statistics.mean(some) for count, some in sorted(scores.items())}


def _plot(seeds: Sequence[int], methods: Sequence[str]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")
    for method in methods:
        curve = _mean_curve(seeds, method, "test")
        axes.plot(list(curve), list(curve.values()), marker="o", markersize=3, label=method)
    whole = statistics.mean(_rows(seed, ALL)[0]["test"] for seed in seeds)
    axes.axhline(whole, color="#555555", linewidth=1, label="all 5424 sentences")
    axes.axhline(SHARE * whole, color="#999999", linewidth=1, linestyle=":", label="95% of that")
    axes.set(xlabel="labelled sentences", ylabel="strict entity F1, NCBI-disease test")
    axes.legend(fontsize=8)
    figure.savefig(PICTURE, dpi=130)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
