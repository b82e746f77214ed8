"""Steps of pretraining: the plain Hugging Face `Trainer` and our loop, same text, model, batches.

    BIOBERT_DATA=DATA python benchmarks/pretraining.py [--shape base] [--batch-tokens N] [--steps N]
        [--repeats N] [--compilation none default] [--objective words] [--precision bf16]
        [--side ours]

The text is that of three tagging corpora's training splits. `words` is the masked language model
alone: `BertForMaskedLM` on rows of exactly 128 tokens, as the run_mlm example fills them, and our
rows of whole sentences, one a row or (on a GPU) also packed. `words and pairs` adds next-sentence
prediction: `BertForPreTraining` on the very pairs that ours draws. Tokens are real ones, without
padding. On a CPU every turn is a process of its own, so that peak memory (resident) is its own too;
on a GPU it is what torch allocated. With `--compilation default` torch compiles the network of both
sides; ratios are to the `Trainer` as people run it, uncompiled, where that is among the turns.
"""

import argparse
import gc
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from corpora import DATA
from machine import CACHE, minilm_folder, record

from biobert.core.task import Scores
from biobert.data.places import CorpusPlaces
from biobert.data.shards import TokenShard, open_corpus
from biobert.model.flops import training_flops_per_token
from biobert.model.settings import EncoderSettings
from biobert.tasks.pretraining import Pretraining
from biobert.training.batches import Batch
from biobert.training.loop import StepReport, TrainingLoop
from biobert.training.material import RunPlaces, read_material
from biobert.training.recipe import Recipe, read_recipe
from biobert.training.sources import BatchSource
from biobert.training.start import build_learner

CORPORA = ("NCBI-disease:train", "BC5CDR:train", "BC2GM:train")
CORPUS = CACHE / "pretraining-corpus"
ROW = 128
WARM_STEPS = {"none": 3, "default": 12}
"""Not timed; batches of several shapes make a compiler begin anew."""
ON_GPU = torch.cuda.is_available()
ATTENTION_DROPOUT = 0.0 if ON_GPU else 0.1
"""The kernel for packed rows knows none, so neither side has any there."""
SHAPES = {"compact": (6, 384), "base": (12, 768)}
OBJECTIVES = ("words", "words and pairs")
PRECISIONS = ("float32", "bf16")
SIDES = ("Trainer", "ours", "ours packed") if ON_GPU else ("Trainer", "ours")
COMPILED = {"none": "", "default": ", compiled"}
COMMON = ("shape", "batch_tokens", "steps")
"""What all turns of a benchmark share."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of one side."""

    side: str
    objective: str
    precision: str
    shape: str
    batch_tokens: int
    steps: int
    compilation: str

    @property
    def warm_steps(self) -> int:
        return WARM_STEPS[self.compilation]

    @property
    def layout(self) -> str:
        return "packed" if self.side == "ours packed" else "sorted"

    @property
    def name(self) -> str:
        return f"{self.side}, {self.precision}, {self.objective}{COMPILED[self.compilation]}"


@dataclass(slots=True)
class Meter:
    """Ends of steps, and the tokens of the batches made for them."""

    warm_steps: int
    ends: list[float] = field(default_factory=list)
    tokens: int = 0
    batches: int = 0

    def made(self, tokens: int) -> None:
        self.tokens += tokens
        self.batches += 1

    def tokens_per_second(self) -> float:
        """Over all steps but the first ones."""
        seconds = self.ends[-1] - self.ends[self.warm_steps - 1]
        return self.tokens / self.batches * (len(self.ends) - self.warm_steps) / seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SHAPES, default="compact")
    parser.add_argument("--batch-tokens", type=int, default=32768 if ON_GPU else 4096)
    parser.add_argument("--steps", type=int, default=20 if ON_GPU else 6)
    parser.add_argument("--compilation", choices=COMPILED, nargs="+", default=["none"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--objective", choices=OBJECTIVES, nargs="+", default=OBJECTIVES)
    parser.add_argument("--precision", choices=PRECISIONS, nargs="+", default=PRECISIONS)
    parser.add_argument("--side", choices=SIDES, nargs="+", default=SIDES)
    parser.add_argument("--turn", help="(for the benchmark's own processes)")
    arguments = parser.parse_args()
    if arguments.turn:
        print(json.dumps(_take(Turn(**json.loads(arguments.turn)))))
        return
    _build_corpus()
    common = {name: getattr(arguments, name) for name in COMMON}
    turns = [
        Turn(side, objective, precision, compilation=compilation, **common)
        for objective in arguments.objective
        for precision in arguments.precision
        for compilation in arguments.compilation
        for side in arguments.side
    ]
    found: dict[str, list[dict[str, Any]]] = {turn.name: [] for turn in turns}
    for number in range(arguments.repeats):
        for turn in turns:
            found[turn.name].append(_take(turn) if ON_GPU else _in_own_process(turn))
            print(f"  round {number + 1}: {turn.name} {found[turn.name][-1]}", flush=True)
    _report(turns, found, arguments)


def _report(
    turns: Sequence[Turn], found: dict[str, list[dict[str, Any]]], arguments: argparse.Namespace
) -> None:
    rows = {name: _medians(some) for name, some in found.items()}
    for turn in turns:
        if turn.side != "Trainer":
            mine = rows[turn.name]["tokens_per_second"]
            for precision in PRECISIONS:
                if other := rows.get(f"Trainer, {precision}, {turn.objective}"):
                    times = round(mine / other["tokens_per_second"], 2)
                    rows[turn.name][f"times_the_trainer_in_{precision}"] = times
    for name, row in rows.items():
        print(f"{name:32}", *(f"{key} {value}" for key, value in row.items()))
    record(
        "pretraining",
        {
            "device": torch.cuda.get_device_name() if ON_GPU else "cpu",
            **{name: getattr(arguments, name) for name in COMMON},
            "repeats": arguments.repeats,
            "figures": rows,
        },
    )


def _medians(some: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        key: round(statistics.median(one[key] for one in some), 3 if key == "teraflops" else None)
        for key in some[0]
    }


def _in_own_process(turn: Turn) -> dict[str, Any]:
    values = {name: getattr(turn, name) for name in Turn.__slots__}
    command = [sys.executable, __file__, "--turn", json.dumps(values)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _take(turn: Turn) -> dict[str, Any]:
    warnings.filterwarnings("ignore")
    meter = Meter(turn.warm_steps)
    if ON_GPU:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    (_trainer if turn.side == "Trainer" else _ours)(turn, meter)
    speed = meter.tokens_per_second()
    cost = training_flops_per_token(
        _settings(turn.shape), length=ROW, predicted_share=_recipe(turn).task["masking"]["rate"]
    )
    if ON_GPU:
        peak = torch.cuda.max_memory_allocated()
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "tokens_per_second": round(speed),
        "teraflops": round(speed * cost / 1e12, 4),
        "peak_megabytes": round(peak / 1e6),
    }


def _recipe(turn: Turn) -> Recipe:
    layers, size = SHAPES[turn.shape]
    shape = {"layers": layers, "hidden_size": size, "heads": 12, "intermediate_size": 4 * size}
    return read_recipe(
        {
            "name": "benchmark",
            "task": {
                "name": "pretraining",
                "pairs": "none" if turn.objective == "words" else "next",
                "short_rows": 0.0,
                "masking": {"rate": 0.15},
            },
            "model": {
                "shape": shape,
                "vocabulary": str(CORPUS),
                "attention_dropout": ATTENTION_DROPOUT,
            },
            # Often enough that no epoch ends, and saves a checkpoint, while steps are timed.
            "data": {"train": [{"corpus": str(CORPUS), "times": 8}]},
            "optimizer": {"learning_rate": 1e-4},
            "stages": [{"length": ROW}],
            "batches": {"tokens": turn.batch_tokens, "layout": turn.layout},
            "run": {
                "steps": turn.warm_steps + turn.steps,
                "precision": turn.precision,
                "compilation": turn.compilation,
                "checkpoint_every_steps": 1_000_000,
            },
        },
        place="benchmark",
    )


def _settings(shape: str) -> EncoderSettings:
    layers, size = SHAPES[shape]
    pieces = open_corpus(CORPUS, "train").manifest.vocabulary_size
    return EncoderSettings(pieces, size, layers, heads=12, intermediate_size=4 * size)


class _Counting:
    """A source whose batches are counted."""

    def __init__(self, source: BatchSource, meter: Meter) -> None:
        self._source = source
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def batch(self, key: Any, generator: np.random.Generator) -> Batch:
        """The source's batch."""
        batch = self._source.batch(key, generator)
        self._meter.made(batch.tokens)
        return batch


class _Stopwatch:
    """Notes the end of every step."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def noted(self, message: str) -> None:
        """Nothing."""

    def stepped(self, report: StepReport) -> None:
        """The loss has been read: the step is over on a GPU too."""
        self._meter.ends.append(time.perf_counter())

    def evaluated(self, step: int, scores: dict[str, Scores], main: float) -> None:
        """Nothing."""


def _ours(turn: Turn, meter: Meter) -> None:
    output = CACHE / "pretraining"
    shutil.rmtree(output, ignore_errors=True)
    recipe = _recipe(turn)
    learner = build_learner(recipe, print)
    source = read_material(recipe, RunPlaces(output, CorpusPlaces(CACHE)), learner, print).source
    counting, stopwatch = _Counting(source, meter), _Stopwatch(meter)
    TrainingLoop(recipe, learner, counting, output=output, listener=stopwatch).run(resume=False)


def _trainer(turn: Turn, meter: Meter) -> None:
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        BertForPreTraining,
        DataCollatorForLanguageModeling,
        PreTrainedTokenizerFast,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    settings = _settings(turn.shape)
    config = BertConfig(
        vocab_size=settings.vocabulary_size,
        hidden_size=settings.hidden_size,
        num_hidden_layers=settings.layers,
        intermediate_size=settings.intermediate_size,
        attention_probs_dropout_prob=ATTENTION_DROPOUT,
    )
    tokenizer = PreTrainedTokenizerFast.from_pretrained(CORPUS)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)

    def counted(rows: list[dict[str, Any]]) -> Any:
        meter.made(sum(len(row["input_ids"]) for row in rows))
        return collate(rows)

    class Stopwatch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *arguments: Any, **named: Any) -> None:
            if ON_GPU:
                torch.cuda.synchronize()
            meter.ends.append(time.perf_counter())

    words_only = turn.objective == "words"
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    Trainer(
        model=(BertForMaskedLM if words_only else BertForPreTraining)(config),
        args=TrainingArguments(
            output_dir=str(CACHE / "trainer"),
            per_device_train_batch_size=turn.batch_tokens // ROW,
            max_steps=turn.warm_steps + turn.steps,
            torch_compile=turn.compilation == "default",
            learning_rate=1e-4,
            bf16=turn.precision == "bf16",
            use_cpu=not ON_GPU,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
        ),
        train_dataset=_full_rows(special) if words_only else _pairs(special),
        data_collator=counted,
        callbacks=[Stopwatch()],
    ).train()


def _full_rows(special: tuple[int, int]) -> list[dict[str, Any]]:
    """All text in one stream, cut every 126 pieces."""
    first, last = special
    stream = np.concatenate([shard.tokens for shard in _shards()]).astype(np.int64)
    inner = ROW - 2
    return [
        {"input_ids": [first, *stream[start : start + inner].tolist(), last]}
        for start in range(0, len(stream) - inner, inner)
    ]


def _pairs(special: tuple[int, int]) -> list[dict[str, Any]]:
    """The pairs that our task draws from the same shards."""
    task = Pretraining.from_settings({"short_rows": 0.0})
    pool = task.draw(_shards(), length=ROW, generator=np.random.default_rng(1))
    rows = []
    for number, label in enumerate(pool.labels.tolist()):
        shard, parts = pool.parts(number)
        ids, segments = [special[0]], [0]
        for segment, part in enumerate(parts):
            ids += [*shard.tokens[part].tolist(), special[1]]
            segments += [segment] * (len(ids) - len(segments))
        rows.append({"input_ids": ids, "token_type_ids": segments, "next_sentence_label": label})
    return rows


def _shards() -> list[TokenShard]:
    corpus = open_corpus(CORPUS, "train")
    return [corpus.load(number) for number in range(len(corpus.shards))]


def _build_corpus() -> None:
    if (CORPUS / "manifest.json").is_file():
        return
    options = ["--tokenizer", str(minilm_folder()), "--output", str(CORPUS), "--heldout", "0"]
    verb = [sys.executable, "-m", "biobert", "corpus", "build", *CORPORA, *options]
    environment = {**os.environ, "BIOBERT_DATA": str(DATA)}
    subprocess.run(verb, check=True, env=environment, cwd=Path.cwd())


if __name__ == "__main__":
    main()
