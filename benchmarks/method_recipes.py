"""What methods.py runs: the recipe of each method, from one plain run, and what it needs beside."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from corpora import PLACES, split_of
from machine import CACHE, MINI, QuietListener

from biobert.core.document import Document
from biobert.core.settings import read_toml
from biobert.data.catalogue import find_split, load_corpus
from biobert.data.reading import write_documents
from biobert.text.sentences import sentences_of
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train

SENTENCES = 1000
EPOCHS = 5
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


def recipe_tables(name: str, seed: int, folder: Path) -> dict[str, Any]:
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
    learn(recipe_tables("plain", seed, folder), folder / "teacher")
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


def learn(tables: Mapping[str, Any], output: Path) -> None:
    """Train by a recipe, in place of what the folder held."""
    shutil.rmtree(output, ignore_errors=True)
    recipe = read_recipe(tables, place="benchmark")
    train(recipe, places_of(output), listener=QuietListener(), resume=False)


def places_of(output: Path) -> RunPlaces:
    """Where a run writes and finds its corpora."""
    return RunPlaces(output, PLACES)
