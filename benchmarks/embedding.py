"""How well vectors find the abstract that answers a question: PubMedQA, before and after training.

    BIOBERT_DATA=DATA python benchmarks/embedding.py MODEL [MODEL ...]

Each of the 500 test questions is compared with the contexts of all 1000 questions, training ones
included. A MODEL is any folder that `biobert embed` takes. Every model adds a line to
results/embedding.jsonl.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from corpora import split_of
from machine import minilm_folder, record

from biobert import Embedder
from biobert.core.document import Document
from biobert.core.passages import passage_of
from biobert.evaluation.ranking import ranks, score_ranks

CORPUS = "PubMedQA"


def texts_of(documents: list[Document], kind: str) -> list[str]:
    spans = [passage_of(one, kind) for one in documents]
    return [one.text[span.start : span.end] for one, span in zip(documents, spans, strict=True)]


def figures(model: str) -> dict[str, float]:
    """Mean reciprocal rank, recall at 1 and 10, and texts a second."""
    test = split_of(CORPUS, "test")
    pool = [*test, *split_of(CORPUS, "train"), *split_of(CORPUS, "devel")]
    questions, contexts = texts_of(test, "question"), texts_of(pool, "context")
    embedder = Embedder(model)
    began = time.perf_counter()
    asked = np.stack(list(embedder.embed_many(questions)))
    known = np.stack(list(embedder.embed_many(contexts)))
    seconds = time.perf_counter() - began
    scores = score_ranks(ranks(asked, known, np.arange(len(test))), candidates=len(pool))
    return {**scores.details, "texts_per_second": round((len(test) + len(pool)) / seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    for model in parser.parse_args().models:
        start = Path(model).resolve() == minilm_folder().resolve()
        name = "all-MiniLM-L6-v2" if start else Path(model).name
        found = figures(model)
        print(name, found)
        record("embedding", {"model": name, "figures": found})


if __name__ == "__main__":
    main()
