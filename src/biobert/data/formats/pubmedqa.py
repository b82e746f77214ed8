"""PubMedQA: questions answered `yes`, `no` or `maybe` by the abstract beside them, as JSON.

A question is one document: a passage `question`, and passages `context`, the abstract's sections
with their labels as headings. Its label is the answer, and the abstract's conclusion stands in the
metadata as `long_answer`: it tells the answer, and no model may read it (Jin et al. 2019,
arXiv:1909.06146).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from biobert.core.document import Document, Provenance
from biobert.core.errors import BadInputError
from biobert.core.files import shown_name
from biobert.data.formats._json import json_object, text_of, texts_of
from biobert.data.formats._passages import Part, joined
from biobert.data.rejects import Rejects

ENDINGS: tuple[str, ...] = ()
ANSWERS = ("yes", "no", "maybe")
FOLDS = 10


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The questions of a file, in file order; one without question, context or answer is set aside.

    Unlabelled questions (PQA-U) have no label.
    """
    for number, values in json_object(path, rejects).items():
        try:
            yield _document(number, values, shown_name(path))
        except (KeyError, TypeError, AttributeError, BadInputError) as problem:
            rejects.add(path, number, f"not a question: {problem}")


def read_together(path: Path, beside: Mapping[str, Path], rejects: Rejects) -> Iterator[Document]:
    """The labelled questions with their split, `test` or `fold-0` to `fold-9`, in the metadata.

    `beside["test-answers"]` lists the test questions. The folds are those of the authors, drawn as
    their program draws them; an error where it draws other test questions than are listed.
    """
    listed = set(json_object(beside["test-answers"], rejects))
    documents = {one.id: one for one in read(path, rejects) if one.labels}
    answers = {number: document.labels[0] for number, document in documents.items()}
    split_of = official_splits(answers)
    drawn = {number for number, split in split_of.items() if split == "test"}
    if drawn != listed:
        raise BadInputError(
            f"{path}: {len(drawn ^ listed)} questions are in one and not in the other of the test "
            f"set drawn here and that of {beside['test-answers']}; use both files as published"
        )
    for number, document in documents.items():
        yield replace(document, metadata={**document.metadata, "split": split_of[number]})


def official_splits(answers: Mapping[str, str]) -> dict[str, str]:
    """The split of each question, given all answers in file order.

    As in `preprocess/split_dataset.py` of the authors: one generator with the seed 0 draws halves
    by answer, of which the second is the test set, and then ten folds of the first half.
    """
    generator = Random(0)
    training, test = _drawn(answers, list(answers), 2, generator)
    splits = dict.fromkeys(test, "test")
    for number, fold in enumerate(_drawn(answers, training, FOLDS, generator)):
        splits.update(dict.fromkeys(fold, f"fold-{number}"))
    return splits


def _drawn(
    answers: Mapping[str, str], numbers: Iterable[str], count: int, generator: Random
) -> list[list[str]]:
    """Parts with about the same share of each answer, of equal size."""
    by_answer: dict[str, list[str]] = {answer: [] for answer in ANSWERS}
    for number in numbers:
        by_answer[answers[number]].append(number)
    parts: list[list[str]] = [[] for _ in range(count)]
    for some in by_answer.values():
        generator.shuffle(some)
        size = math.ceil(len(some) / count)
        for place, part in enumerate(parts):
            part += some[place * size : (place + 1) * size]
    if len(parts[-1]) != len(parts[0]):
        # Sizes are rounded up, so the last part is short: each of the others gives it one.
        for part in filter(None, parts[:-1]):
            given = generator.choice(part)
            part.remove(given)
            parts[-1].append(given)
    return parts


def _document(number: str, values: Mapping[str, Any], source: str) -> Document:
    contexts = texts_of(values["CONTEXTS"], "'CONTEXTS'")
    headings = texts_of(values.get("LABELS"), "'LABELS'")
    if len(headings) != len(contexts):
        headings = [""] * len(contexts)
    sections = [
        Part("context", context, heading)
        for context, heading in zip(contexts, headings, strict=True)
    ]
    question = Part("question", text_of(values["QUESTION"], "the question"))
    text, passages = joined([question, *sections])
    if {passage.kind for passage in passages} != {"question", "context"}:
        raise BadInputError("its question or its context is empty")
    answer = values.get("final_decision")
    if answer is not None and answer not in ANSWERS:
        raise BadInputError(f"its answer {str(answer)[:40]!r} is none of {', '.join(ANSWERS)}")
    return Document(
        id=str(number),
        text=text,
        passages=passages,
        labels=() if answer is None else (answer,),
        provenance=Provenance(source=source),
        metadata=_metadata(number, values),
    )


def _metadata(number: str, values: Mapping[str, Any]) -> dict[str, str]:
    found = {
        "pmid": str(number),
        "year": str(values.get("YEAR") or ""),
        "mesh_names": "|".join(texts_of(values.get("MESHES"), "'MESHES'")),
        "long_answer": text_of(values.get("LONG_ANSWER") or "", "the long answer"),
    }
    return {key: value for key, value in found.items() if value}
