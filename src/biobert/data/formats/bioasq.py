"""BioASQ task B: questions with snippets and answers, read; submissions for phase B, written.

Each question is one document: a passage `question`, and a passage `context` for each snippet, which
stand a line each. Factoid and list questions are for the task `qa`: every
occurrence of an exact answer or a synonym in the snippets is an entity, and the strings themselves
stay in the metadata `exact_answer`, so that scores do not depend on what was found. Yes/no
questions are for the task `classification`: the answer is the document's label. Summary questions
keep their ideal answers in the metadata. A question without `exact_answer`, as the challenge asks
it, can be answered but neither scored nor learnt from. One without snippets has nothing to be
answered from and is set aside. Files have the ending `.bioasq.json`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from biobert.core.document import Document, Passage
from biobert.core.errors import BadInputError
from biobert.core.files import shown_name
from biobert.core.passages import passage_of
from biobert.core.questions import (
    CONTEXT,
    EXACT_ANSWER,
    NO_ANSWER,
    QUESTION,
    TYPE,
    answer_texts,
    exact_answers,
    is_untold,
    question_document,
)
from biobert.data.formats._json import json_list, keys_of, list_of, text_of
from biobert.data.lines import write_records
from biobert.data.rejects import Rejects

ENDINGS = (".bioasq.json", ".bioasq")
HOLDS = ("entities", "labels")
TYPES = ("factoid", "list", "yesno", "summary")
IDEAL_ANSWER = "ideal_answer"
DOCUMENTS = "documents"
OFFSETS = ("offsetInBeginSection", "offsetInEndSection")
KEPT_OF_SNIPPET = ("document", "beginSection", "endSection", *OFFSETS)
LONGEST_ANSWER = 100
"""In characters, by the rules of the task, like the most answers of each type."""
MOST_ANSWERS = {"factoid": 5, "list": 100}
PROBLEMS = (BadInputError, KeyError, TypeError, ValueError, AttributeError, RecursionError)


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each question, answered or not; what is no question is set aside."""
    for number, question in enumerate(json_list(path, "questions", rejects), start=1):
        try:
            yield _document(question, path)
        except PROBLEMS as problem:
            name = question.get("id") if isinstance(question, dict) else None
            rejects.add(path, str(name or f"question {number}"), f"bad question: {problem}")


def begins(text: str) -> bool:
    """Whether it has questions."""
    return "questions" in keys_of(text)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """A submission: exact answers without synonyms, within the limits of the task.

    Gold documents keep all their answers and synonyms. Of documents that a model answered, what has
    no score is gold, and stays out.
    """
    questions = map(_question, documents)
    written = ("\n" + json.dumps(one, ensure_ascii=False) for one in questions)
    return write_records(written, path, head='{"questions": [', between=",", foot="\n]}\n")


def synonym_lists(value: Any, kind: str) -> list[list[str]]:
    """Accepted answers, each a list of synonyms, from every nesting that was published.

    A string is an answer. A flat list holds the synonyms of a factoid question's answer, but the
    answers of a list question. Lists of lists are answers with their synonyms.
    """
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, Sequence):
        raise BadInputError(f"exact answer {value!r} is neither a string nor a list")
    if kind == "factoid" and all(isinstance(one, str) for one in parts):
        parts = [parts]
    return [synonyms for synonyms in map(_strings, parts) if synonyms]


def _strings(value: Any) -> list[str]:
    """The strings in a list, however deep, each once."""
    if isinstance(value, str):
        text = text_of(value, "an exact answer").strip()
        return [text] if text else []
    if not isinstance(value, Sequence):
        raise BadInputError(f"exact answer {value!r} is neither a string nor a list")
    return list(dict.fromkeys(text for one in value for text in _strings(one)))


def _document(question: Mapping[str, Any], path: Path | str) -> Document:
    kind = question["type"]
    if kind not in TYPES:
        raise BadInputError(f"type {kind!r} is none of {', '.join(TYPES)}")
    given = list_of(question.get("snippets"), "'snippets'")
    snippets = [one for one in given if str(one["text"]).strip()]
    if not snippets:
        raise BadInputError("no snippets to answer it from")
    texts = [text_of(one["text"], "a snippet") for one in snippets]
    context = "\n".join(texts)
    exact = question.get(EXACT_ANSWER)
    extractive = kind in MOST_ANSWERS
    accepted = synonym_lists(exact, kind) if extractive and exact is not None else []
    found = _occurrences(context, [text for some in accepted for text in some])
    document = question_document(
        str(question["id"]),
        text_of(question["body"], "its body"),
        context,
        answers=None if extractive and exact is None else found,
        source=shown_name(path),
        metadata=_metadata(question, accepted),
    )
    labels = (_yes_or_no(exact),) if kind == "yesno" and exact is not None else ()
    parts = _snippet_passages(document, snippets, texts)
    return replace(document, labels=labels, passages=(document.passages[0], *parts))


def _metadata(question: Mapping[str, Any], accepted: Sequence[Sequence[str]]) -> dict[str, str]:
    found = {TYPE: question["type"]}
    if accepted:
        found[EXACT_ANSWER] = json.dumps(accepted, ensure_ascii=False)
    for key in (IDEAL_ANSWER, DOCUMENTS):
        if question.get(key):
            values = [question[key]] if isinstance(question[key], str) else question[key]
            found[key] = json.dumps(values, ensure_ascii=False)
    return found


def _yes_or_no(value: Any) -> str:
    """BioASQ's own reading: the answer holds "yes", or else "no", in whatever case."""
    text = " ".join(_strings(value)).lower()
    for label in ("yes", "no"):
        if label in text:
            return label
    raise BadInputError(f"exact answer {value!r} is neither yes nor no")


def _occurrences(context: str, answers: Sequence[str]) -> list[tuple[int, int]]:
    """Where the answers stand as whole words, in whatever case, longer ones first."""
    found: list[tuple[int, int]] = []
    taken = bytearray(len(context))
    for text in sorted(answers, key=len, reverse=True):
        words = r"\s+".join(map(re.escape, text.split()))
        for match in re.finditer(rf"(?<!\w){words}(?!\w)", context, re.IGNORECASE):
            start, end = match.span()
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append((start, end))
    return found


def _snippet_passages(
    document: Document, snippets: Sequence[Mapping[str, Any]], texts: Sequence[str]
) -> Iterator[Passage]:
    start = passage_of(document, CONTEXT).start
    for snippet, text in zip(snippets, texts, strict=True):
        kept = {key: str(snippet[key]) for key in KEPT_OF_SNIPPET if key in snippet}
        yield Passage(start, start + len(text), CONTEXT, metadata=kept)
        start += len(text) + 1


def _question(document: Document) -> dict[str, Any]:
    question = passage_of(document, QUESTION)
    kind = document.metadata.get(TYPE, "factoid")
    values: dict[str, Any] = {
        "id": document.id,
        "type": kind,
        "body": document.text[question.start : question.end],
    }
    if kind == "yesno":
        if label := _yes_or_no_label(document):
            values[EXACT_ANSWER] = label
    elif kind in MOST_ANSWERS and not is_untold(document):
        values[EXACT_ANSWER] = _exact_answer(document, kind)
    for key in (IDEAL_ANSWER, DOCUMENTS):
        if key in document.metadata:
            values[key] = json.loads(document.metadata[key])
    snippets = [passage for passage in document.passages if passage.kind == CONTEXT]
    values["snippets"] = [_snippet(document, one) for one in snippets]
    return values


def _yes_or_no_label(document: Document) -> str | None:
    known = document.label_scores if document.provenance.model else document.labels
    return next((one for one in document.labels if one in ("yes", "no") and one in known), None)


def _exact_answer(document: Document, kind: str) -> list[list[str]]:
    if not _is_predicted(document):
        return exact_answers(document)
    scored = [entity for entity in document.entities if entity.score is not None]
    texts = answer_texts(document.with_entities(scored))
    fitting = [text for text in texts if len(text) <= LONGEST_ANSWER]
    return [[text] for text in fitting[: MOST_ANSWERS[kind]]]


def _is_predicted(document: Document) -> bool:
    has_scores = any(entity.score is not None for entity in document.entities)
    return has_scores or NO_ANSWER in document.label_scores or bool(document.provenance.model)


def _snippet(document: Document, passage: Passage) -> dict[str, Any]:
    values: dict[str, Any] = dict(passage.metadata)
    for key in OFFSETS:
        if str(values.get(key, "")).isdigit():
            values[key] = int(values[key])
    return {**values, "text": document.text[passage.start : passage.end]}
