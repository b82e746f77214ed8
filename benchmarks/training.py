"""One epoch of NER fine-tuning: the plain Hugging Face `Trainer` and our loop, same sentences.

    BIOBERT_DATA=DATA python benchmarks/training.py

Both train the compact shape (6 layers of width 384, from all-MiniLM-L6-v2) on sentences of the
NCBI-disease training split: the Trainer as its token-classification example does (batches of 32,
padded to their longest row), ours with the default batches of 1024 tokens.
"""

import logging
import shutil
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from corpora import split_of
from machine import CACHE, QuietListener, interleaved_medians, minilm_folder, record

from biobert.core.document import Document
from biobert.training.batches import Row, encode_rows
from biobert.training.loop import TrainingLoop
from biobert.training.material import document_source
from biobert.training.recipe import read_recipe
from biobert.training.start import build_learner

SENTENCES = 500
REPEATS = 3
PRECISIONS = ("float32", "bf16")


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    documents = _documents()
    words = sum(
        len(one.text[span.start : span.end].split()) for one in documents for span in one.sentences
    )
    jobs: dict[str, Callable[[], object]] = {}
    for precision in PRECISIONS:
        jobs[f"Trainer, {precision}"] = lambda precision=precision: _trainer(documents, precision)
        jobs[f"ours, {precision}"] = lambda precision=precision: _ours(documents, precision)
    seconds = interleaved_medians(jobs, repeats=REPEATS)
    figures: dict[str, Any] = {
        name: {"words_per_second": round(words / one)} for name, one in seconds.items()
    }
    for precision in PRECISIONS:
        ratio = seconds[f"Trainer, {precision}"] / seconds[f"ours, {precision}"]
        figures[f"ours, {precision}"]["times_the_trainer"] = round(ratio, 2)
    for name, row in figures.items():
        print(f"{name:20}", *(f"{key} {value}" for key, value in row.items()))
    record("training", {"words": words, "repeats": REPEATS, "figures": figures})


def _documents() -> list[Document]:
    found, sentences = [], 0
    for document in split_of("NCBI-disease", "train"):
        found.append(document)
        sentences += len(document.sentences)
        if sentences >= SENTENCES:
            break
    return found


def _recipe(precision: str) -> Any:
    return read_recipe(
        {
            "name": "benchmark",
            "task": {"name": "ner", "labels": ["Disease"], "scheme": "joint"},
            "model": {"encoder": str(minilm_folder())},
            "data": {"train": [{"corpus": "NCBI-disease"}]},
            "run": {"epochs": 1, "precision": precision, "checkpoint_every_steps": 1_000_000},
        },
        place="benchmark",
    )


def _ours(documents: list[Document], precision: str) -> None:
    output = CACHE / "training"
    shutil.rmtree(output, ignore_errors=True)
    recipe = _recipe(precision)
    learner = build_learner(recipe, print)
    rows = encode_rows(learner.task, documents, learner.tokenizer)
    source = document_source(recipe, learner, rows)
    TrainingLoop(recipe, learner, source, output=output, listener=QuietListener()).run(resume=False)


def _trainer(documents: list[Document], precision: str) -> None:
    from transformers import (
        AutoModelForTokenClassification,
        AutoTokenizer,
        DataCollatorForTokenClassification,
        Trainer,
        TrainingArguments,
    )

    learner = build_learner(_recipe(precision), print)
    rows = encode_rows(learner.task, documents, learner.tokenizer)
    tokenizer = AutoTokenizer.from_pretrained(str(minilm_folder()))
    model = AutoModelForTokenClassification.from_pretrained(str(minilm_folder()), num_labels=3)
    arguments = TrainingArguments(
        output_dir=str(CACHE / "trainer"),
        per_device_train_batch_size=32,
        num_train_epochs=1,
        bf16=precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
    )
    Trainer(
        model=model,
        args=arguments,
        train_dataset=[_example(row) for row in rows],
        data_collator=DataCollatorForTokenClassification(tokenizer),
    ).train()


def _example(row: Row) -> dict[str, list[int]]:
    labels = np.asarray(row.targets["tags"][:, 0])
    return {
        "input_ids": row.window.token_ids.tolist(),
        "attention_mask": [1] * len(row.window),
        "labels": labels.tolist(),
    }


if __name__ == "__main__":
    main()
