"""What requests may say, checked at the border; unknown fields are refused, not overlooked."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from biobert.core.document import Document, Entity, Passage
from biobert.serving.mistakes import ExactModel

EXAMPLE = "Aspirin may cause gastric ulcers in patients with diabetes."
ANNOTATED: dict[str, Any] = {
    "id": "1",
    "text": EXAMPLE,
    "entities": [{"start": 0, "end": 7, "label": "Chemical", "text": "Aspirin"}],
}
PAIR = {"first": "All patients recovered.", "second": "Nobody died."}
Score = Annotated[float, Field(ge=0.0, le=1.0)]
Identifier = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f|]+$")]


class Request(ExactModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())


class PersonsRequest(Request):
    """A request about texts that may tell of persons."""

    deidentify: bool = Field(False, description="Take names, dates and the like out first.")


class PassageIn(Request):
    """A part of a text: characters [start, end)."""

    start: int = Field(ge=0)
    end: int
    kind: str = Field(max_length=100)


class EntityIn(Request):
    """A mention that is known already: characters [start, end)."""

    start: int = Field(ge=0)
    end: int
    label: str = Field(max_length=100)
    id: Identifier | None = None
    concept_ids: list[str] = Field(default=[])


class TextIn(Request):
    """A text with what is known of it. Offsets count Unicode code points."""

    text: str
    id: Identifier | None = None
    passages: list[PassageIn] = Field(default=[])
    entities: list[EntityIn] = Field(default=[])

    def document(self, number: int) -> Document:
        """The document; one without an id is called by its number."""
        return Document(
            id=self.id or str(number),
            text=self.text,
            passages=tuple(Passage(one.start, one.end, one.kind) for one in self.passages),
            entities=tuple(
                Entity(one.start, one.end, one.label, tuple(one.concept_ids), id=one.id)
                for one in self.entities
            ),
        )


class TextsRequest(PersonsRequest):
    """One `text`, or `documents`. `model` names one of /v1/models; else the first that fits."""

    text: str | None = Field(None, examples=[EXAMPLE])
    documents: list[TextIn] | None = None
    model: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.documents is None):
            raise ValueError("give either text or documents")
        return self

    def as_documents(self) -> list[Document]:
        """The texts as documents, numbered from 1."""
        given = self.documents if self.text is None else [TextIn(text=self.text)]
        return [one.document(number) for number, one in enumerate(given or (), start=1)]


class AnnotateRequest(TextsRequest):
    """Texts to annotate."""

    minimum_score: Score = Field(0.0, description="Leave out what is less sure.")
    labels: list[str] | None = Field(None, description="Keep these types only.")


class ConvertRequest(Request):
    """Documents as answers show them; `Accept` names the format to write."""

    documents: list[Document] = Field(min_length=1, examples=[[ANNOTATED]])

    @field_validator("documents", mode="before")
    @classmethod
    def _without_words(cls, documents: Any) -> Any:
        """Answers show the words of each entity, which its document has too."""
        for one in documents if isinstance(documents, list) else ():
            entities = one.get("entities") if isinstance(one, dict) else None
            for entity in entities if isinstance(entities, list) else ():
                if isinstance(entity, dict):
                    entity.pop("text", None)
        return documents


class RelationsRequest(TextsRequest):
    """Texts in which to relate entities: those given, or those that a model finds first."""

    entities_model: str | None = Field(None, description="The model that finds the entities.")
    minimum_score: Score = 0.0
    minimum_relation_score: Score = 0.0


class ClassifyRequest(TextsRequest):
    """Texts to label."""


class PairIn(Request):
    """Two texts; for inference a premise and a hypothesis."""

    first: str
    second: str


class PairsRequest(PersonsRequest):
    """Pairs of texts."""

    pairs: list[PairIn] = Field(examples=[[PAIR]])
    model: str | None = None


class AnswerRequest(PersonsRequest):
    """A question, and the text to answer it from."""

    question: str = Field(examples=["What may aspirin cause?"])
    context: str = Field(examples=[EXAMPLE])
    top: int = Field(3, ge=1, le=20)
    model: str | None = None


class EmbedRequest(PersonsRequest):
    """Texts to give vectors."""

    texts: list[str] = Field(examples=[[EXAMPLE]])
    model: str | None = None


class FillMaskRequest(PersonsRequest):
    """A text with [MASK] where a word is wanted."""

    text: str = Field(examples=["Aspirin relieves [MASK]."])
    top: int = Field(5, ge=1, le=100)
    model: str | None = None


class ReloadRequest(Request):
    """The name of the model to load anew from its folder."""

    model: str = Field(examples=["entities"])


class BernRequest(PersonsRequest):
    """As BERN2 is asked."""

    text: str = Field(examples=[EXAMPLE])


class TeiEmbedRequest(PersonsRequest):
    """As Hugging Face text-embeddings-inference is asked. Nothing is ever truncated here."""

    inputs: str | list[str] = Field(examples=[EXAMPLE])
    normalize: bool = True
    truncate: bool | None = None
    truncation_direction: str | None = None
    prompt_name: str | None = None
    dimensions: int | None = None


class TeiRerankRequest(PersonsRequest):
    """As Hugging Face text-embeddings-inference is asked to rank texts for a query."""

    query: str = Field(examples=["What helps against fever?"])
    texts: list[str] = Field(min_length=1, examples=[["Aspirin lowers a fever.", "It is late."]])
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool | None = None
    truncation_direction: str | None = None


class ErrorPart(BaseModel):
    """What went wrong: a stable word for programs, and what to do about it."""

    code: str = Field(examples=["invalid"])
    message: str
    request_id: str
    details: list[dict[str, Any]] = []


class ErrorAnswer(BaseModel):
    """The one shape of all errors."""

    error: ErrorPart
