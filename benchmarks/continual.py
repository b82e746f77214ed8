"""Learning one corpus after another: what is forgotten, and what helps against it.

    BIOBERT_DATA=DATA python benchmarks/continual.py [--ways plain replay] [--seeds 1]

NCBI-disease, then BC2GM, about a thousand sentences of each, then linnaeus, twice as many, for it
names few species; with one network whose heads know all three types. After each stage the strict
F1 on the test split of every corpus learnt so far. `replay` mixes a quarter of the earlier
sentences in, `ewc` holds on to the weights that mattered (elastic weight consolidation),
`adapters` learns a LoRA adapter for each corpus on the encoder as published, so that nothing can
be forgotten; `together` learns all three at once, what the others may be measured by. Each stage
adds a line to results/continual.jsonl, with way, seed, stage and the F1 of each corpus; stages that
are there are not run again.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora import PLACES, scores_of, split_of
from machine import CACHE, MINI, QuietListener, record, recorded

from biobert.core.model_folder import MANIFEST
from biobert.data.rejects import Rejects
from biobert.pipeline.evaluating import with_labels_alone
from biobert.pipeline.load import load_model
from biobert.training.corpora import read_sources
from biobert.training.importance import IMPORTANCE, write_importance
from biobert.training.material import RunPlaces
from biobert.training.recipe import DataSource, read_recipe
from biobert.training.session import train

STAGES = (("NCBI-disease", "Disease", 0.2), ("BC2GM", "Gene", 0.08), ("linnaeus", "Species", 0.25))
"""Corpus, type, and the share of its training documents that is learnt from."""
REPLAYED = 0.25
WAYS = ("plain", "replay", "ewc", "adapters", "together")
STRENGTH = 20.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        for way in arguments.ways:
            _run(way, seed)
    _print_table()


def _run(way: str, seed: int) -> None:
    done = {(line["way"], line["seed"], line["stage"]) for line in recorded("continual")}
    last = len(STAGES) - 1
    for stage in [last] if way == "together" else range(len(STAGES)):
        if (way, seed, stage) in done:
            continue
        folder = _folder(way, seed, stage)
        if not (folder / (IMPORTANCE if way == "ewc" else MANIFEST)).is_file():
            _learn(way, seed, stage)
        scores = {
            corpus: round(_score(_answering(way, seed, stage, number), corpus, label), 4)
            for number, (corpus, label, _) in enumerate(STAGES[: stage + 1])
        }
        line = {"way": way, "seed": seed, "stage": stage, "scores": scores}
        print(json.dumps(line), flush=True)
        record("continual", line)


def _learn(way: str, seed: int, stage: int) -> None:
    folder = _folder(way, seed, stage)
    recipe = read_recipe(_tables(way, seed, stage), place="benchmark")
    train(recipe, RunPlaces(folder, PLACES), listener=QuietListener(), resume=True)
    if way == "ewc":
        corpus, _, share = STAGES[stage]
        source = DataSource(corpus, share=share)
        found = read_sources([source], PLACES, rejects=Rejects())
        documents = [one for some in found.values() for one in some]
        earlier = _folder(way, seed, stage - 1) if stage else None
        write_importance(folder, documents, rows=300, seed=seed, earlier=earlier)


def _tables(way: str, seed: int, stage: int) -> dict[str, Any]:
    own = range(stage + 1) if way == "together" else [stage]
    sources = [{"corpus": STAGES[number][0], "share": STAGES[number][2]} for number in own]
    if way == "replay":
        earlier = STAGES[:stage]
        sources += [{"corpus": corpus, "share": REPLAYED * share} for corpus, _, share in earlier]
    goes_on = stage > 0 and way in ("plain", "replay", "ewc")
    start = _folder(way, seed, stage - 1) if goes_on else MINI
    tables: dict[str, Any] = {
        "name": f"continual-{way}",
        "task": {"name": "ner", "labels": [label for _, label, _ in STAGES]},
        "model": {"encoder": str(start), "heads": "kept" if goes_on else "new"},
        "data": {"train": sources},
        "optimizer": {"learning_rate": 3e-4, "head_learning_rate": 1e-3},
        "run": {"epochs": 4, "seed": seed, "precision": "bf16"},
    }
    if way == "ewc" and stage:
        tables["consolidation"] = {"strength": STRENGTH}
    if way == "adapters":
        tables["adapter"] = {"kind": "lora"}
        tables["optimizer"]["learning_rate"] = 2e-3
    return tables


def _answering(way: str, seed: int, stage: int, number: int) -> Path:
    """The model that answers for a corpus: the newest, or its own adapter."""
    return _folder(way, seed, number if way == "adapters" else stage)


def _score(folder: Path, corpus: str, label: str) -> float:
    gold = with_labels_alone(split_of(corpus, "test"), [label])
    return scores_of(load_model(folder), gold).main


def _folder(way: str, seed: int, stage: int) -> Path:
    return CACHE / "continual" / f"{way}-{seed}-{stage}"


def _print_table() -> None:
    print("| way |", " | ".join(corpus for corpus, _, _ in STAGES), "| forgotten |")
    print("|---|---|---|---|---|")
    for way in WAYS:
        lines = [line for line in recorded("continual") if line["way"] == way]
        last = [line["scores"] for line in lines if line["stage"] == len(STAGES) - 1]
        if last:
            means = [_mean([scores[corpus] for scores in last]) for corpus, _, _ in STAGES]
            print(f"| {way} |", " | ".join(means), f"| {_forgotten(lines)} |")


def _forgotten(lines: Sequence[dict[str, Any]]) -> str:
    """How many points the earlier corpora have lost since they were learnt, in the mean."""
    by_stage = {(line["seed"], line["stage"]): line["scores"] for line in lines}
    lost = [
        by_stage[seed, number][corpus] - scores[corpus]
        for (seed, stage), scores in by_stage.items()
        if stage == len(STAGES) - 1
        for number, (corpus, _, _) in enumerate(STAGES[:-1])
        if (seed, number) in by_stage
    ]
    return _mean(lost) if lost else ""


def _mean(values: Sequence[float]) -> str:
    return f"{100 * sum(values) / len(values):.2f}"


if __name__ == "__main__":
    main()
