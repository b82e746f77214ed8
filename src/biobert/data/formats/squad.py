"""SQuAD 1.1 and 2.0: questions on paragraphs, with answers by character offset.

Each question is a document with the passages `question` and `context`; accepted answers are its
entities. An empty list of `answers` means that the context has none, like `is_impossible`; without
`answers` nobody has told, and the question can be answered but neither scored nor learnt from.
Files have the ending `.squad.json`; rename a `train-v2.0.json`. An answer whose text does not
stand at its offset is set aside, and the question with it when it is left with none. Plausible
answers to unanswerable questions are not read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import shown_name, write_text
from biobert.core.passages import passage_of
from biobert.core.questions import (
    CONTEXT,
    NO_ANSWER,
    QUESTION,
    candidates,
    is_untold,
    question_document,
)
from biobert.data.formats._json import json_list, keys_of, list_of, text_of
from biobert.data.rejects import Rejects

ENDINGS = (".squad.json", ".squad")
HOLDS = ("entities",)
TITLE = "title"
PROBLEMS = (BadInputError, KeyError, TypeError, ValueError, AttributeError)


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each question; bad articles, paragraphs, questions, answers are set aside."""
    for number, article in enumerate(json_list(path, "data", rejects), start=1):
        place = f"article {number}"
        for paragraph in _members(article, "paragraphs", path, place, rejects):
            for question in _members(paragraph, "qas", path, place, rejects):
                try:
                    yield from _document(question, paragraph, article, path, rejects)
                except PROBLEMS as problem:
                    rejects.add(path, _place(question, place), f"bad question: {problem}")


def begins(text: str) -> bool:
    """Whether it has articles."""
    return "data" in keys_of(text)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """SQuAD 2.0; questions in a row on one context share its paragraph."""
    count = 0
    with write_text(path) as stream:
        stream.write('{"version": "v2.0", "data": [')
        separator = "\n"
        for (title, context), some in groupby(documents, key=_paragraph_of):
            questions = [_question(document) for document in some]
            count += len(questions)
            paragraph = {"context": context, "qas": questions}
            article = {"title": title, "paragraphs": [paragraph]}
            stream.write(separator + json.dumps(article, ensure_ascii=False))
            separator = ",\n"
        stream.write("\n]}\n")
    return count


def _members(
    value: Any, key: str, path: Path | str, place: str, rejects: Rejects
) -> Iterator[dict[str, Any]]:
    """The objects of a list inside an object; what is none is set aside."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list):
        rejects.add(path, place, f"no list {key!r}")
        return
    for one in found:
        if isinstance(one, dict):
            yield one
        else:
            rejects.add(path, place, f"bad {key}: {str(one)[:40]!r} is no object")


def _document(
    question: Mapping[str, Any],
    paragraph: Mapping[str, Any],
    article: Mapping[str, Any],
    path: Path | str,
    rejects: Rejects,
) -> Iterator[Document]:
    name, context = str(question["id"]), text_of(paragraph["context"], "its context")
    given = [] if question.get("is_impossible") is True else _answers(question)
    right = []
    for start, text in given or ():
        if text and context[start : start + len(text)] == text and start >= 0:
            right.append((start, start + len(text)))
        else:
            rejects.add(path, name, f"bad offset: no answer {text[:40]!r} at {start}")
    if given and not right:
        # Without its answers it would pass for a question that has none.
        return
    title = article.get(TITLE)
    yield question_document(
        name,
        text_of(question["question"], "its question"),
        context,
        answers=None if given is None else right,
        source=shown_name(path),
        metadata={TITLE: title} if isinstance(title, str) and title else None,
    )


def _answers(question: Mapping[str, Any]) -> list[tuple[int, str]] | None:
    """Offsets and texts, from a list of answers or from the columns of Hugging Face's copies; None
    where the file does not tell."""
    answers = question.get("answers")
    if answers is None:
        return None
    if isinstance(answers, Mapping):
        starts = list_of(answers["answer_start"], "'answer_start'")
        texts = list_of(answers["text"], "'text' of its answers")
    else:
        found = list_of(answers, "'answers'")
        starts, texts = [one["answer_start"] for one in found], [one["text"] for one in found]
    return [(int(start), str(text)) for start, text in zip(starts, texts, strict=True)]


def _place(question: Mapping[str, Any], place: str) -> str:
    return str(question.get("id", place))


def _paragraph_of(document: Document) -> tuple[str, str]:
    context = passage_of(document, CONTEXT)
    return document.metadata.get(TITLE, ""), document.text[context.start : context.end]


def _question(document: Document) -> dict[str, Any]:
    question, context = passage_of(document, QUESTION), passage_of(document, CONTEXT)
    answers = [
        {"text": document.mention(one), "answer_start": one.start - context.start}
        for one in candidates(document)
        if context.start <= one.start and one.end <= context.end and not one.fragments
    ]
    asked = {"id": document.id, "question": document.text[question.start : question.end]}
    if is_untold(document):
        return asked
    impossible = not answers or NO_ANSWER in document.labels
    return {**asked, "answers": [] if impossible else answers, "is_impossible": impossible}
