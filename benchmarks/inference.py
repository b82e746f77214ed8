"""Text to entities: `transformers.pipeline` and ours, same model, same sentences, same machine.

    BIOBERT_DATA=DATA python benchmarks/inference.py [--shape base]

The model is a plain BertForTokenClassification of the compact shape (6 layers of width 384),
trained here on NCBI-disease the first time. Speed is measured on the sentences of the BC5CDR test
split, as raw text; F1 on the NCBI-disease test split. Latency is that of the embedded model, one
PubMed abstract at a time. `narrowed` is the same tagger by recipes/compress-prune-structured.toml,
with 8 of 12 heads and half of the neurons, mended on the same training sentences and let through
by devel: 20 minutes on a core, once, at the compact shape alone. The base shape (12 layers of width
768) begins from models/biobert-mini-12, made twice as wide (wider.py), and is trained as the
compact one: half an hour on a core.
"""

import argparse
import shutil
import time
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from corpora import PLACES, sentences_in, split_of
from machine import CACHE, MINI, interleaved_medians, minilm_folder, record
from wider import write_twice_as_wide

from biobert.cli.progress import TrainingProgress
from biobert.compression.calibrate import Calibration, quantize_statically
from biobert.compression.folder import export_folder
from biobert.compression.quantize import quantize_weights
from biobert.compression.recipe import read_compression_recipe
from biobert.core.document import Document, Entity
from biobert.core.model_folder import EXPORTED_MODEL, MANIFEST
from biobert.core.settings import read_toml
from biobert.evaluation.spans import score_entities
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.compressing import compress
from biobert.pipeline.load import load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train

SENTENCES = {"compact": 1000, "base": 250}
RATES = {"compact": 2e-4, "base": 5e-5}
BATCH_SIZES = (1, 2, 4, 8, 16, 32)
"""Of the pipeline, which sorts nothing; ours are measured against its best."""
REPEATS = 3
ABSTRACTS = 200
RECIPE: dict[str, Any] = {
    "name": "benchmark-tagger",
    "task": {"name": "ner", "labels": ["Disease"], "scheme": "joint"},
    "data": {"train": [{"corpus": "NCBI-disease", "splits": ["train"]}]},
    "run": {"epochs": 2, "precision": "bf16", "checkpoint_every_steps": 10_000},
}


NARROWING = Path(__file__).parents[1] / "recipes/compress-prune-structured.toml"
MAY_LOSE = 0.3
"""Points of F1 on devel."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SENTENCES, default="compact")
    shape = parser.parse_args().shape
    engines = _engines(_trained_model(shape), CACHE / f"inference-{shape}")
    texts = _sentences("BC5CDR")[: SENTENCES[shape]]
    words = sum(len(text.split()) for text in texts)
    jobs: dict[str, Callable[[], object]] = {
        name: lambda annotate=annotate: annotate(texts) for name, annotate in engines.items()
    }
    for name, annotate in engines.items():
        annotate(texts[:50])
        print("ready:", name, flush=True)
    seconds = interleaved_medians(jobs, repeats=REPEATS)
    same = _entities(engines["ours, openvino float32"](texts)) == _entities(
        engines["ours, torch float32"](texts)
    )
    peer = min(seconds[name] for name in seconds if name.startswith("transformers"))
    figures = {
        name: {
            "words_per_second": round(words / seconds[name]),
            "times_the_pipeline": round(peer / seconds[name], 2),
        }
        for name in engines
    }
    for name, annotate in engines.items():
        figures[name]["f1_ncbi_disease_test"] = round(100 * _f1(annotate), 2)
    for name, row in figures.items():
        print(f"{name:32}", *(f"{key} {value}" for key, value in row.items()))
    print("float32 entities equal to PyTorch's:", same)
    latency = _abstract_latency()
    print("one abstract, embedded model:", latency)
    record(
        "inference",
        {
            "shape": shape,
            "sentences": len(texts),
            "repeats": REPEATS,
            "figures": figures,
            "float32_equal": same,
            "abstract_milliseconds": latency,
        },
    )


def _trained_model(shape: str) -> Path:
    folder = _folder(shape)
    if not (folder / MANIFEST).is_file():
        encoder = minilm_folder() if shape == "compact" else _base_encoder()
        rates = {"learning_rate": RATES[shape], "head_learning_rate": 1e-3}
        tables = {**RECIPE, "model": {"encoder": str(encoder)}, "optimizer": rates}
        recipe = read_recipe(tables, place="RECIPE")
        places = RunPlaces(folder, PLACES)
        with TrainingProgress() as progress:
            train(recipe, places, listener=progress, resume=False)
    return folder


def _folder(shape: str) -> Path:
    return CACHE / ("benchmark-tagger" if shape == "compact" else f"benchmark-tagger-{shape}")


def _base_encoder() -> Path:
    """The shape of BERT-base, with what twelve layers of half the width have learnt."""
    folder = CACHE / "twice-as-wide"
    if not folder.is_dir():
        write_twice_as_wide(MINI.with_name("biobert-mini-12"), folder)
    return folder


def _engines(trained: Path, place: Path) -> dict[str, Callable[[list[str]], list[Document]]]:
    plain, small, static = place / "float32", place / "int8", place / "int8-static"
    place.mkdir(parents=True, exist_ok=True)
    export_folder(trained, plain)
    shutil.copytree(plain, small, dirs_exist_ok=True)
    quantize_weights(plain / EXPORTED_MODEL, small / EXPORTED_MODEL)
    _calibrate(plain, static)
    ours: dict[str, Any] = {
        "ours, torch float32": (trained, RuntimeSettings(engine="torch", device="cpu")),
        "ours, openvino float32": (plain, RuntimeSettings(precision="float32")),
        "ours, openvino bf16": (plain, RuntimeSettings(precision="bf16")),
        "ours, openvino int8 weights": (small, RuntimeSettings()),
        "ours, openvino int8 static": (static, RuntimeSettings()),
        "ours, onnxruntime float32": (plain, RuntimeSettings(engine="onnxruntime")),
    }
    if trained == _folder("compact"):
        ours["ours, openvino int8 narrowed"] = (_narrowed(trained), RuntimeSettings())
    engines = {f"transformers, batch {size}": _pipeline(trained, size) for size in BATCH_SIZES}
    for name, (folder, settings) in ours.items():
        annotator = Annotator(folder, settings=settings)
        engines[name] = lambda texts, one=annotator: list(one.annotate_many(texts))  # type: ignore[misc]
    return engines


def _calibrate(plain: Path, static: Path) -> None:
    """The graph in eight bits throughout, by ranges seen on training sentences of NCBI-disease."""
    shutil.copytree(plain, static, dirs_exist_ok=True)
    model = load_model(plain, RuntimeSettings())
    settings = Calibration()
    documents = split_of("NCBI-disease", "train")
    examples = (one for document in documents for one in model.task.examples(document))
    rows = model.task.encode(list(islice(examples, settings.rows)), model.tokenizer)
    windows = [one for some in rows for one in some]
    quantize_statically(plain / EXPORTED_MODEL, static / EXPORTED_MODEL, windows, settings)


def _narrowed(trained: Path) -> Path:
    """Fewer heads and neurons, taught by the whole tagger, weights in eight bits."""
    folder = trained.with_name(f"{trained.name}-narrowed")
    if not (folder / MANIFEST).is_file():
        own = {"corpora": [{"corpus": "NCBI-disease"}]}
        own["gate"] = [{"corpus": "NCBI-disease", "splits": ["devel"]}]
        recipe = read_compression_recipe({**read_toml(NARROWING), **own}, place=NARROWING.name)
        with TrainingProgress() as progress:
            compress(str(trained), recipe, PLACES, folder, listener=progress, max_loss=MAY_LOSE)
    return folder


def _pipeline(folder: Path, batch_size: int) -> Callable[[list[str]], list[Document]]:
    from transformers import pipeline

    warnings.filterwarnings("ignore")
    tagger = pipeline(
        "token-classification", model=str(folder), aggregation_strategy="first", device="cpu"
    )

    def annotate(texts: list[str]) -> list[Document]:
        with torch.inference_mode():
            answers = tagger(texts, batch_size=batch_size)
        return [
            Document("1", text).with_entities(
                Entity(one["start"], one["end"], one["entity_group"]) for one in found
            )
            for text, found in zip(texts, answers, strict=True)
        ]

    return annotate


def _abstract_latency() -> dict[str, float]:
    """Milliseconds from text to document, for abstracts that come one by one."""
    texts = [document.text for document in split_of("BC5CDR-pubtator", "test")][:ABSTRACTS]
    annotator = Annotator()
    annotator.annotate(texts[0])
    times = []
    for text in texts:
        began = time.perf_counter()
        annotator.annotate(text)
        times.append(1000 * (time.perf_counter() - began))
    return {"median": round(median(times), 1), "p99": round(quantiles(times, n=100)[98], 1)}


def _gold(corpus: str) -> list[Document]:
    """A document for each sentence of the test split."""
    return [part for document in split_of(corpus, "test") for part in sentences_in(document)]


def _sentences(corpus: str) -> list[str]:
    return [document.text for document in _gold(corpus)]


def _f1(annotate: Callable[[list[str]], list[Document]]) -> float:
    gold = _gold("NCBI-disease")
    predicted = annotate([document.text for document in gold])
    return score_entities(gold, predicted, ["Disease"]).micro.f1


def _entities(documents: list[Document]) -> list[list[tuple[int, int, str]]]:
    return [[(one.start, one.end, one.label) for one in doc.entities] for doc in documents]


if __name__ == "__main__":
    main()
