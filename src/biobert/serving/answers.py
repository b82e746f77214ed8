"""What answers say, for the OpenAPI document: the answers themselves are written straight away."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, Field, RootModel

from biobert.core.document import Document
from biobert.pipeline.answerer import FoundAnswer
from biobert.pipeline.gap_filler import Gap
from biobert.serving.content import MEDIA_TYPES
from biobert.serving.routing import JSON
from biobert.serving.schema import ANNOTATED, EXAMPLE

MODEL = {"name": "entities", "version": "1", "digest": "0123456789abcdef"}
KNOWN = {**MODEL, "task": "ner", "tasks": {"ner": ["Chemical"]}, "labels": ["Chemical"]}
DOCUMENT = {**ANNOTATED, "entities": [{**ANNOTATED["entities"][0], "score": 0.99}]}
YES = {"labels": ["yes"], "scores": {"yes": 0.75, "no": 0.25}}
FOUND = {
    "start": 18,
    "end": 32,
    "text": "gastric ulcers",
    "probability": 0.9,
    "sentence": EXAMPLE,
    "sentence_start": 0,
}
GAP = {"start": 17, "end": 23, "candidates": [{"piece": "pain", "probability": 0.4}]}
MENTION = {
    "id": ["CUI-less"],
    "is_neural_normalized": False,
    "mention": "Aspirin",
    "obj": "drug",
    "prob": 0.99,
    "span": {"begin": 0, "end": 7},
}
VECTOR = [0.6, -0.8]


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

    models: list[KnownModel] = Field(examples=[[KNOWN]])


class ReloadedAnswer(BaseModel):
    """The model before and the one that answers now."""

    before: KnownModel = Field(examples=[KNOWN])
    now: KnownModel = Field(examples=[{**KNOWN, "digest": "fedcba9876543210"}])
    seconds: float = Field(examples=[1.5])


class AnswerBody(BaseModel):
    """An answer of a model."""

    model: ModelAnswer = Field(examples=[MODEL])


class DocumentsAnswer(AnswerBody):
    """Texts with what was found in them; each entity has its words too, as `text`."""

    documents: list[Document] = Field(examples=[[DOCUMENT]])


class ConvertedAnswer(BaseModel):
    """Documents in our own JSON."""

    documents: list[Document] = Field(examples=[[ANNOTATED]])


class Labelled(BaseModel):
    """The labels, and the probability of every label that was weighed."""

    labels: list[str]
    scores: dict[str, float]


class LabelledText(Labelled):
    """A text by its id."""

    id: str


class ClassifyAnswer(AnswerBody):
    """Labels of texts."""

    documents: list[LabelledText] = Field(examples=[[{"id": "1", **YES}]])


class InferAnswer(AnswerBody):
    """Labels of pairs."""

    pairs: list[Labelled] = Field(examples=[[YES]])


class Alike(BaseModel):
    """How alike two texts are, on the annotators' scale, and between 0 and 1."""

    similarity: float
    place: float


class SimilarityAnswer(AnswerBody):
    """How alike the texts of pairs are."""

    pairs: list[Alike] = Field(examples=[[{"similarity": 3.0, "place": 0.75}]])


class QuestionAnswer(AnswerBody):
    """The likeliest answers, surest first."""

    question: str = Field(examples=["What may aspirin cause?"])
    answerable: bool = Field(examples=[True])
    no_answer_probability: float = Field(examples=[0.05])
    found: list[FoundAnswer] = Field(examples=[[FOUND]])


class EmbedAnswer(AnswerBody):
    """A vector for each text."""

    size: int = Field(examples=[len(VECTOR)])
    vectors: list[list[float]] = Field(examples=[[VECTOR]])


class FillMaskAnswer(AnswerBody):
    """The likeliest word pieces of each gap."""

    text: str = Field(examples=["Aspirin relieves [MASK]."])
    gaps: list[Gap] = Field(examples=[[GAP]])


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

    annotations: list[BernAnnotation] = Field(examples=[[MENTION]])
    text: str = Field(examples=[EXAMPLE])
    timestamp: str = Field(examples=["Sat Nov 28 12:00:00 +0000 2026"])


class Ranked(BaseModel):
    """A text by its place in the request; its words where they were asked for."""

    index: int
    score: float
    text: str | None = None


class TeiEmbedAnswer(RootModel[list[list[float]]]):
    """As text-embeddings-inference gives vectors."""

    root: list[list[float]] = Field(examples=[[VECTOR]])


class TeiRerankAnswer(RootModel[list[Ranked]]):
    """As text-embeddings-inference ranks."""

    root: list[Ranked] = Field(examples=[[{"index": 0, "score": 0.8}]])


def answers(
    model: type[BaseModel], formats: Collection[str] = (), **fields: Any
) -> dict[int | str, dict[str, Any]]:
    """What a route says of its answer: its shape, an example, and in what other formats it comes.

    The example is made of those of the model's fields, but for the `fields` that are given.
    """
    shown = {
        name: field.examples[0] for name, field in model.model_fields.items() if field.examples
    }
    example = shown["root"] if issubclass(model, RootModel) else {**shown, **fields}
    content: dict[str, Any] = {MEDIA_TYPES[one]: {} for one in formats}
    return {200: {"model": model, "content": {**content, JSON: {"example": example}}}}
