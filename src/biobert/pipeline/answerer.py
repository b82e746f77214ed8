"""Answering questions: the likeliest answers of a text, each with the sentence it stands in."""

from dataclasses import dataclass, replace
from pathlib import Path

from biobert.core.document import Entity, Span
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.questions import CONTEXT, NO_ANSWER, candidates, question_document
from biobert.pipeline.load import LoadedModel, load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task
from biobert.tasks.multitask import tasks_in
from biobert.text.sentences import split_sentences

TASK = "qa"


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """Characters [start, end) of the context, their text and the probability of being the answer.

    `sentence` is the text around it and `sentence_start` the character where that begins.
    """

    start: int
    end: int
    text: str
    probability: float
    sentence: str
    sentence_start: int


@dataclass(frozen=True, slots=True)
class Answers:
    """The likeliest answers, surest first; `answerable` is whether the model stands by the first.

    `no_answer_probability` is that the context does not answer the question.
    """

    question: str
    answerable: bool
    no_answer_probability: float
    found: tuple[FoundAnswer, ...]


class Answerer:
    """Answers questions with a trained `qa` model, or the first such part of a multitask, in
    contexts of any length."""

    def __init__(
        self,
        model: str | Path | LoadedModel,
        *,
        top: int = 5,
        settings: RuntimeSettings = RuntimeSettings(),
    ) -> None:
        """Load the model; `top` is how many answers are given."""
        loaded = model if isinstance(model, LoadedModel) else load_model(model, settings)
        asked = next((one for one in tasks_in(loaded.task) if one.name == TASK), None)
        if asked is None:
            name = loaded.manifest.name if isinstance(model, LoadedModel) else model
            raise BadInputError(
                f"{name} was trained for {loaded.manifest.task!r}; answering needs a model for "
                f"{TASK!r}, such as recipes/qa-squad.toml makes"
            )
        alone = loaded.narrowed(lambda task: task is asked)
        wanted = {**asked.settings(), "candidates": top}
        self.model = replace(alone, task=build_task(TASK, wanted))

    def answer(self, question: str, context: str) -> Answers:
        """The likeliest answers to a question in a context."""
        asked = question_document("question", question, context)
        (document,) = self.model.annotated([asked])
        shift = passage_of(document, CONTEXT).start
        sentences = split_sentences(context)
        return Answers(
            question=question,
            answerable=NO_ANSWER not in document.labels,
            no_answer_probability=document.label_scores.get(NO_ANSWER, 0.0),
            found=tuple(_found(one, context, shift, sentences) for one in candidates(document)),
        )


def _found(entity: Entity, context: str, shift: int, sentences: list[Span]) -> FoundAnswer:
    start, end = entity.start - shift, entity.end - shift
    touched = [one for one in sentences if one.start < end and one.end > start]
    first, last = touched[0].start, touched[-1].end
    return FoundAnswer(
        start=start,
        end=end,
        text=context[start:end],
        probability=entity.score or 0.0,
        sentence=context[first:last],
        sentence_start=first,
    )
