"""From documents to annotated documents: a task, a tokenizer and a predictor put together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from biobert.core.certainty import certainty_of
from biobert.core.document import Document, Span
from biobert.core.editing import Edit, edited
from biobert.core.task import Example, Outputs, Predictor, Task, TextTokenizer, Window


@dataclass(frozen=True, slots=True)
class Answer:
    """A document as a model answers it, and how certain it is of its least sure answer (0 to 1)."""

    document: Document
    certainty: float


@dataclass(frozen=True, slots=True, eq=False)
class EncodedDocuments:
    """Documents, the examples of each, and the windows of each example."""

    documents: Sequence[Document]
    examples: list[list[Example]]
    windows: list[list[tuple[Window, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A document, its examples, their windows and what a network says to each."""

    document: Document
    examples: list[Example]
    windows: list[tuple[Window, ...]]
    outputs: list[list[Outputs]]


def annotate_documents(
    documents: Sequence[Document], *, task: Task, tokenizer: TextTokenizer, predictor: Predictor
) -> list[Document]:
    """The documents with the task's annotations, in the same order.

    All of them are predicted in one go, so pass a chunk of a stream, not the stream.
    """
    encoded = encode_documents(documents, task=task, tokenizer=tokenizer)
    return decode_documents(predict_documents(encoded, predictor), task)


def encode_documents(
    documents: Sequence[Document], *, task: Task, tokenizer: TextTokenizer
) -> EncodedDocuments:
    """The first of three steps: texts become windows of token ids."""
    examples = [task.examples(document) for document in documents]
    encoded = iter(task.encode([one for some in examples for one in some], tokenizer))
    return EncodedDocuments(
        documents, examples, [[next(encoded) for _ in some] for some in examples]
    )


def predict_documents(encoded: EncodedDocuments, predictor: Predictor) -> list[Prediction]:
    """The second step: what a network says to every window."""
    # Tasks that share a row of the encoder give one and the same window: it is predicted once.
    distinct = {
        id(window): window for rows in encoded.windows for parts in rows for window in parts
    }
    outputs = dict(zip(distinct, predictor.predict(list(distinct.values())), strict=True))
    return [
        Prediction(document, some, rows, [[outputs[id(one)] for one in parts] for parts in rows])
        for document, some, rows in zip(
            encoded.documents, encoded.examples, encoded.windows, strict=True
        )
    ]


def decode_documents(predictions: Sequence[Prediction], task: Task) -> list[Document]:
    """The third step: the documents with the task's answers."""
    return task.decode_many(
        [one.document for one in predictions],
        [one.windows for one in predictions],
        [one.outputs for one in predictions],
    )


def answer_documents(
    documents: Sequence[Document], *, task: Task, tokenizer: TextTokenizer, predictor: Predictor
) -> list[Answer]:
    """The same answers with their certainty, in parts: a sentence each where the task labels words,
    else the whole document. A document in which there is nothing to answer is left out.
    """
    encoded = encode_documents(documents, task=task, tokenizer=tokenizer)
    return answer_encoded(encoded, task=task, predictor=predictor)


def answer_encoded(encoded: EncodedDocuments, *, task: Task, predictor: Predictor) -> list[Answer]:
    """The same for documents that are encoded already."""
    by_sentence = all(head.kind == "token" for head in task.heads())
    answers: list[Answer] = []
    for one in predict_documents(encoded, predictor):
        annotated = task.decode(one.document, one.windows, one.outputs)
        certainties = [
            certainty_of(task, example, windows, outputs, annotated)
            for example, windows, outputs in zip(
                one.examples, one.windows, one.outputs, strict=True
            )
        ]
        if by_sentence:
            answers += _sentences(annotated, one.examples, certainties)
        elif certainties:
            answers.append(Answer(annotated, min(certainties)))
    return answers


def part_of(document: Document, start: int, end: int) -> Document:
    """The stretch [start, end) as a document of its own, one sentence, with what lies inside it."""
    cut = edited(document, [Edit(0, start, ""), Edit(end, len(document.text), "")])
    return replace(
        cut,
        id=f"{document.id}:{start}-{end}",
        passages=tuple(one for one in cut.passages if one.start < one.end),
        sentences=(Span(0, end - start),),
    )


def _sentences(
    document: Document, examples: Sequence[Example], certainties: Sequence[float]
) -> Iterator[Answer]:
    for example, certainty in zip(examples, certainties, strict=True):
        yield Answer(part_of(document, example.start, example.end), certainty)
