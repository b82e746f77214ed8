"""How good written conclusions are: PubMedQA's test abstracts, beside two that need no model.

    BIOBERT_DATA=DATA python benchmarks/generation.py MODEL ENCODER [--documents 500]

MODEL is a folder that recipes/gen-pubmedqa.toml made; ENCODER gives the token vectors of the
BERTScore-like figure. `last sentence` copies the end of the abstract's context, `common sentence`
says of every abstract what one conclusion of the training split says. A line is added to
results/generation.jsonl, with the F1 of ROUGE-1, -2 and -L and of the vectors for each of the
three, how long their texts are beside the gold ones, and how many of them differ.
"""

import argparse
from pathlib import Path

from corpora import split_of
from machine import record

from biobert import Embedder
from biobert.core.document import Document
from biobert.evaluation.generated import score_texts, score_vectors
from biobert.pipeline.writer import Writer
from biobert.tasks.generation import GENERATED
from biobert.text.sentences import split_sentences


def documents_of(split: str) -> list[Document]:
    return [one for one in split_of("PubMedQA", split) if one.metadata.get("long_answer")]


def last_sentence(document: Document) -> str:
    span = split_sentences(document.text)[-1]
    return document.text[span.start : span.end]


def commonest(documents: list[Document]) -> str:
    """Of the training conclusions the one that scores best against the others."""
    texts = [one.metadata["long_answer"] for one in documents][:100]
    return max(texts, key=lambda text: score_texts(texts, [text] * len(texts)).main)


def figures(gold: list[str], written: list[str], embedder: Embedder) -> dict[str, float]:
    scores = score_texts(gold, written)
    near = score_vectors(list(embedder.token_vectors(gold)), list(embedder.token_vectors(written)))
    return {**scores.details, "vector_f1": near.f1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("encoder")
    parser.add_argument("--documents", type=int, default=500)
    options = parser.parse_args()
    test = documents_of("test")[: options.documents]
    common = commonest(documents_of("train"))
    written = {
        "last sentence": [last_sentence(one) for one in test],
        "common sentence": [common for _ in test],
        Path(options.model).name: [
            one.metadata[GENERATED] for one in Writer(options.model).write_many(test)
        ],
    }
    gold = [one.metadata["long_answer"] for one in test]
    embedder = Embedder(options.encoder)
    found = {name: figures(gold, texts, embedder) for name, texts in written.items()}
    for name, row in found.items():
        print(name, {key: round(value, 4) for key, value in row.items()})
    for one, text in list(zip(gold, written[Path(options.model).name], strict=True))[:5]:
        print("gold:", one, "\nwritten:", text)
    record("generation", {"documents": len(test), "figures": found})


if __name__ == "__main__":
    main()
