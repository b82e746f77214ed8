"""Questions and answers as documents: what readers, the task and its scores agree on.

The text is the question, a line break, the context; passages of these two kinds say which is which,
several in a row where a context has parts. Answers are entities in the context: accepted ones in
gold, candidates with scores in predictions. A question judged to have no answer carries the label
`no-answer` beside its candidates. Gold without entities means that there is no answer, unless the
metadata say that nobody has told.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from biobert.core.document import Document, Entity, Provenance
from biobert.core.errors import BadInputError
from biobert.core.passages import pair_document

QUESTION, CONTEXT = "question", "context"
ANSWER, NO_ANSWER = "answer", "no-answer"
TYPE = "type"
"""Metadata: the type of a BioASQ question (factoid, list, yesno or summary)."""
EXACT_ANSWER = "exact_answer"
"""Metadata: accepted answers as strings, a JSON list of lists of synonyms."""
GOLD_ANSWERS, UNKNOWN = "gold_answers", "unknown"
"""Metadata, and its value, of a question whose answers its file does not tell."""


def question_document(
    name: str,
    question: str,
    context: str,
    *,
    answers: Iterable[tuple[int, int]] | None = (),
    source: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Document:
    """A question beside its context; `answers` are (start, end) of characters of the context.

    None of them means that it has no answer there; None, that nobody has told.
    """
    for kind, text in ((QUESTION, question), (CONTEXT, context)):
        if not text.strip():
            raise BadInputError(f"question {name!r}: its {kind} is empty")
    shift = len(question) + 1
    spans = sorted(set(answers or ()))
    untold = {GOLD_ANSWERS: UNKNOWN} if answers is None else {}
    return replace(
        pair_document(name, question, context, (QUESTION, CONTEXT)),
        entities=tuple(Entity(shift + start, shift + end, ANSWER) for start, end in spans),
        provenance=Provenance(source=source),
        metadata={**(metadata or {}), **untold},
    )


def candidates(document: Document) -> list[Entity]:
    """The answers, surest first; those without a score as they stand in the text."""
    found = document.entities_labelled((ANSWER,))
    return sorted(found, key=lambda one: (-(one.score or 0.0), one.start, one.end))


def is_untold(document: Document) -> bool:
    """Whether nobody has told the answers to a question, nor that it has none."""
    return (
        document.metadata.get(GOLD_ANSWERS) == UNKNOWN
        and EXACT_ANSWER not in document.metadata
        and NO_ANSWER not in document.labels
        and not any(document.entities_labelled((ANSWER,)))
    )


def answer_texts(document: Document) -> list[str]:
    """The answers as strings, surest first; none where the question was judged to have none.

    What differs in upper and lower case alone is one answer.
    """
    if NO_ANSWER in document.labels:
        return []
    texts = (document.mention(one) for one in candidates(document))
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(text.lower(), text)
    return list(first.values())


def exact_answers(document: Document) -> list[list[str]]:
    """Accepted answers, each a list of synonyms: those of the metadata, else the gold entities."""
    if EXACT_ANSWER not in document.metadata:
        return [[text] for text in answer_texts(document)]
    found = json.loads(document.metadata[EXACT_ANSWER])
    if not isinstance(found, list) or not all(isinstance(one, list) for one in found):
        raise BadInputError(
            f"document {document.id!r}: metadata {EXACT_ANSWER!r} is not a JSON list of lists"
        )
    return [[str(text) for text in synonyms] for synonyms in found]
