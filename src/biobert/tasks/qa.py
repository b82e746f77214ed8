"""Extractive question answering: the words of a context that answer a question.

The encoding is BERT's for SQuAD (Devlin et al. 2019, arXiv:1810.04805, section 4.2): question and
context in a row, and for every token whether the answer begins and whether it ends there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from typing import ClassVar, Literal, Self

import numpy as np

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.questions import (
    ANSWER,
    CONTEXT,
    NO_ANSWER,
    QUESTION,
    TYPE,
    candidates,
    exact_answers,
    is_untold,
    question_document,
)
from biobert.core.task import (
    IGNORED,
    Example,
    HeadSpec,
    InputName,
    IntArray,
    Outputs,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.evaluation.answers import (
    best_margin,
    best_overlap,
    no_answer_margin,
    score_answers,
    score_lists,
)
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._pairs import encode_pairs, passage_pair
from biobert.tasks._spans import (
    FoundSpan,
    Neighbours,
    best_spans,
    no_answer_score,
    span_table,
    total_score,
    word_places,
)
from biobert.tasks._thresholds import best_total
from biobert.text.windows import WindowSettings

HEAD = "answer"
NO_PLACE = (0, 0)
"""The first token, twice: this window holds no answer."""
WITHOUT_SPAN = ("yesno", "summary")
"""Types of BioASQ's questions that no span answers."""
LIST = "list"
"""The type of BioASQ's questions that have any number of answers."""
LONGEST_LIST = 100
"""So many answers a list may have, by the rules of the task."""


@dataclass(frozen=True, slots=True)
class QaSettings:
    """How long an answer may be, how many are given, and when there is none.

    `candidates` best answers are given, `apart` (without overlap) or `any`; the same words are one
    answer, where they stand best. A question has no
    answer where the logarithm of the probability of "no answer" exceeds that of the best answer by
    more than `no_answer_margin`; without a margin every question gets one. Development data with
    questions without answers choose the margin. A list question of BioASQ gets its best answer and
    others, 100 at most, that are as probable as `list_threshold`, which training chooses on devel;
    without one, `candidates` like any other. `measure` chooses checkpoints: token F1, or the mean
    reciprocal rank.
    """

    maximum_answer_tokens: int = 48
    candidates: int = 5
    neighbours: Neighbours = "apart"
    no_answer_margin: float | None = None
    list_threshold: float | None = None
    measure: Literal["f1", "mrr"] = "f1"
    windows: WindowSettings = field(default_factory=lambda: WindowSettings(384, 96))

    def __post_init__(self) -> None:
        longest, overlap = self.maximum_answer_tokens, self.windows.overlap_tokens
        if longest < 1 or self.candidates < 1:
            raise BadInputError(
                f"[task] maximum_answer_tokens = {longest}, candidates = {self.candidates}: "
                "at least 1"
            )
        if longest > overlap:
            raise BadInputError(
                f"[task] answers of up to {longest} tokens could fall between windows that share "
                f"{overlap}: set windows.overlap_tokens to at least {longest}"
            )
        if self.list_threshold is not None and not 0.0 <= self.list_threshold <= 1.0:
            raise BadInputError(f"[task] list_threshold = {self.list_threshold}: from 0 to 1")


class QuestionAnswering(Task):
    """Finds the answer to a question in a context."""

    name: ClassVar[str] = "qa"
    settings_type: ClassVar[type] = QaSettings
    _settings: QaSettings

    def heads(self) -> tuple[HeadSpec, ...]:
        """One span head."""
        return (HeadSpec(HEAD, "span"),)

    def inputs(self) -> tuple[InputName, ...]:
        """Segment ids tell the question from the context."""
        return ("token_ids", "mask", "segment_ids")

    @property
    def passages(self) -> tuple[str, ...]:
        """The two that it reads as a pair."""
        return (QUESTION, CONTEXT)

    def examples(self, document: Document) -> list[Example]:
        """The question, once; nothing where its type is not answered by a span."""
        if not document.text.strip() or document.metadata.get(TYPE) in WITHOUT_SPAN:
            return []
        return [Example(document, 0, len(document.text))]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a question and its context, several for a context that is too long."""
        pairs = [passage_pair(one.document, QUESTION, CONTEXT) for one in examples]
        # An answer that begins in the stretch of a window must be whole there.
        behind = self._settings.maximum_answer_tokens - 1
        return encode_pairs(pairs, tokenizer, self._settings.windows, least_behind=behind)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """Places of the first and the last token of an answer, for each window.

        Of several answers in a window the first one counts. A window that sees only a part of one
        neither learns that it is there nor that there is none.
        """
        _check_told([example.document])
        answers = list(example.document.entities_labelled((ANSWER,)))
        return [{HEAD: _target(window, answers)} for window in windows]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with its best answers, surest first, and the probability of none."""
        if not windows:
            return replace(document, entities=(), labels=(), label_scores={})
        settings = self._settings
        tables = [
            span_table(window, output[HEAD], maximum_tokens=settings.maximum_answer_tokens)
            for window, output in zip(windows[0], outputs[0], strict=True)
        ]
        total = total_score(tables)
        threshold = settings.list_threshold if document.metadata.get(TYPE) == LIST else None
        count = settings.candidates if threshold is None else LONGEST_LIST
        spans = best_spans(tables, count=max(count, LONGEST_LIST), neighbours=settings.neighbours)
        found = [
            Entity(one.start, one.end, ANSWER, score=_probability(one.score - total))
            for one in islice(_distinct(document.text, spans), count)
        ]
        if threshold is not None:
            found[1:] = [one for one in found[1:] if (one.score or 0.0) >= threshold]
        nothing = {NO_ANSWER: _probability(no_answer_score(tables) - total)}
        answered = replace(document, entities=tuple(found), label_scores=nothing, labels=())
        return replace(answered, labels=(NO_ANSWER,)) if self._declines(answered) else answered

    def measure(self) -> str:
        """As the settings choose it."""
        return "mean reciprocal rank" if self._settings.measure == "mrr" else "F1 of words (SQuAD)"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """SQuAD's and BioASQ's measures, over the questions that a span can answer."""
        check_same_texts(gold, predicted)
        pairs = [pair for pair in zip(gold, predicted, strict=True) if self.examples(pair[0])]
        asked, answered = [one for one, _ in pairs], [other for _, other in pairs]
        _check_told(asked)
        scores = score_answers(asked, answered)
        if self._settings.measure == "mrr":
            return replace(scores, main=scores.details["mrr"])
        return scores

    def weighing(self) -> Self:
        """The task that gives a list question all the answers that it may have."""
        return type(self)(replace(self._settings, list_threshold=0.0))

    def tuned(self, gold: Sequence[Document], predicted: Iterable[Document]) -> Self:
        """With the margin of the best F1, as SQuAD 2.0 has it, and the threshold of the best lists.

        Where every question of `gold` has an answer, none is held back.
        """
        _check_told([one for one in gold if self.examples(one)])
        margins, f1, answerable = [], [], []
        scores: list[float] = []
        gains: list[float] = []
        for one, other in zip(gold, predicted, strict=True):
            if not self.examples(one):
                continue
            accepted = [text for synonyms in exact_answers(one) for text in synonyms]
            ranked = candidates(other)
            best = other.mention(ranked[0]) if ranked else ""
            margins.append(no_answer_margin(other))
            f1.append(best_overlap(best, accepted).f1)
            answerable.append(bool(accepted))
            if accepted and one.metadata.get(TYPE) == LIST:
                scores += [answer.score or 0.0 for answer in ranked[1:]]
                gains += _gains(exact_answers(one), [other.mention(answer) for answer in ranked])
        margin = None if all(answerable) else best_margin(margins, f1, answerable)
        tuned = replace(self._settings, no_answer_margin=margin)
        if scores:
            tuned = replace(tuned, list_threshold=best_total(np.array(scores), np.array(gains)))
        return type(self)(tuned)

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Two questions with answers, and one without."""
        context = "Lithium caused cardiac arrest; aspirin did not."
        return [
            question_document("toy-1", "What caused it?", context, answers=[(0, 7)]),
            question_document("toy-2", "What did lithium cause?", context, answers=[(15, 29)]),
            question_document("toy-3", "Who was it?", context),
        ]

    def _declines(self, document: Document) -> bool:
        """Whether no answer is given: there is no span, or none is likelier by the margin."""
        if not document.entities:
            return True
        margin = self._settings.no_answer_margin
        return margin is not None and no_answer_margin(document) > margin


TASK = QuestionAnswering


def _check_told(documents: Sequence[Document]) -> None:
    """An error where nobody has told the answers: that would pass for "no answer"."""
    untold = [document for document in documents if is_untold(document)]
    if untold:
        count = len(documents)
        of_all = f"{len(untold)} of {count} questions, first " if count > 1 else ""
        raise BadInputError(
            f"no gold answers for {of_all}document {untold[0].id!r}: its file tells neither "
            "answers nor that there are none; give it `answers` (`exact_answer` in BioASQ), an "
            "empty list where there are none, or leave it out; a model can answer it all the same"
        )


def _target(window: Window, answers: Sequence[Entity]) -> IntArray:
    words = word_places(window)
    seen_in_part = False
    for answer in answers:
        touched = np.flatnonzero((words.starts < answer.end) & (words.ends > answer.start))
        if not len(touched):
            continue
        first, last = words.first[touched[0]], words.last[touched[-1]]
        if window.offsets[first, 0] <= answer.start and window.offsets[last, 1] >= answer.end:
            return np.array([first, last], dtype=np.int64)
        seen_in_part = True
    missing = (IGNORED, IGNORED) if seen_in_part else NO_PLACE
    return np.array(missing, dtype=np.int64)


def _gains(accepted: Sequence[Sequence[str]], ranked: Sequence[str]) -> list[float]:
    """What each answer behind the best one adds to the F1 of a list."""
    texts = [text.lower() for text in ranked]
    lists = [list(dict.fromkeys(texts[: count + 1])) for count in range(len(texts))]
    f1 = [score_lists([accepted], [answers])["f1"] for answers in lists]
    return [after - before for before, after in pairwise(f1)]


def _distinct(text: str, spans: Iterable[FoundSpan]) -> Iterator[FoundSpan]:
    """Of spans of the same words, whatever their case, the first: they are one answer."""
    seen = set()
    for span in spans:
        words = text[span.start : span.end].lower()
        if words not in seen:
            seen.add(words)
            yield span


def _probability(logarithm: float) -> float:
    return min(1.0, float(np.exp(logarithm)))
