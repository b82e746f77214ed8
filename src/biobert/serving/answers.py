"""What answers say, for the OpenAPI document: the answers themselves are written straight away."""

from typing import Any

from pydantic import BaseModel, RootModel

from biobert.core.document import Document
from biobert.pipeline.answering import FoundAnswer
from biobert.pipeline.filling import Gap


class ModelAnswer(BaseModel):
    """Which model answered: its name here, its version, and a digest of its files."""

    name: str
    version: str
    digest: str


class KnownModel(ModelAnswer):
    """A model that is loaded: all its tasks, each with its labels, and the labels of all."""

    task: str
    tasks: dict[str, list[str]]
    labels: list[str]


class ModelsAnswer(BaseModel):
    """All models that are loaded."""

    models: list[KnownModel]


class ReloadedAnswer(BaseModel):
    """The model before and the one that answers now."""

    before: KnownModel
    now: KnownModel
    seconds: float


class Answer(BaseModel):
    """An answer of a model."""

    model: ModelAnswer


class DocumentsAnswer(Answer):
    """Texts with what was found in them; each entity has its words too, as `text`."""

    documents: list[Document]


class ConvertedAnswer(BaseModel):
    """Documents in our own JSON."""

    documents: list[Document]


class Labelled(BaseModel):
    """The labels, and the probability of every label that was weighed."""

    labels: list[str]
    scores: dict[str, float]


class LabelledText(Labelled):
    """A text by its id."""

    id: str


class ClassifyAnswer(Answer):
    """Labels of texts."""

    documents: list[LabelledText]


class InferAnswer(Answer):
    """Labels of pairs."""

    pairs: list[Labelled]


class Alike(BaseModel):
    """How alike two texts are, on the annotators' scale, and between 0 and 1."""

    similarity: float
    place: float


class SimilarityAnswer(Answer):
    """How alike the texts of pairs are."""

    pairs: list[Alike]


class QuestionAnswer(Answer):
    """The likeliest answers, surest first."""

    question: str
    answerable: bool
    no_answer_probability: float
    found: list[FoundAnswer]


class EmbedAnswer(Answer):
    """A vector for each text."""

    size: int
    vectors: list[list[float]]


class FillMaskAnswer(Answer):
    """The likeliest word pieces of each gap."""

    text: str
    gaps: list[Gap]


class BernAnnotation(BaseModel):
    """A mention as BERN2 shows it."""

    id: list[str]
    is_neural_normalized: bool
    mention: str
    obj: str
    prob: float | None
    span: dict[str, int]


class BernAnswer(BaseModel):
    """As BERN2 answers."""

    annotations: list[BernAnnotation]
    text: str
    timestamp: str


class Ranked(BaseModel):
    """A text by its place in the request; its words where they were asked for."""

    index: int
    score: float
    text: str | None = None


class TeiEmbedAnswer(RootModel[list[list[float]]]):
    """As text-embeddings-inference gives vectors."""


class TeiRerankAnswer(RootModel[list[Ranked]]):
    """As text-embeddings-inference ranks."""


def answers(model: type[BaseModel], **others: Any) -> dict[int | str, dict[str, Any]]:
    """What a route says of its answer."""
    return {200: {"model": model, **others}}
