"""From documents to annotated documents: a task, a tokenizer and a predictor put together."""

from collections.abc import Sequence

from biobert.core.document import Document
from biobert.core.task import Predictor, Task, TextTokenizer


def annotate_documents(
    documents: Sequence[Document], *, task: Task, tokenizer: TextTokenizer, predictor: Predictor
) -> list[Document]:
    """The documents with the task's annotations, in the same order.

    All of them are predicted in one go, so pass a chunk of a stream, not the stream.
    """
    examples = [task.examples(document) for document in documents]
    encoded = iter(task.encode([one for some in examples for one in some], tokenizer))
    windows = [[next(encoded) for _ in some] for some in examples]
    flat = [window for rows in windows for parts in rows for window in parts]
    outputs = iter(predictor.predict(flat))
    return [
        task.decode(document, rows, [[next(outputs) for _ in parts] for parts in rows])
        for document, rows in zip(documents, windows, strict=True)
    ]
