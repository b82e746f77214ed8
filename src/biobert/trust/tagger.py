"""A trained model that finds identifiers, as a help to the rules."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.task import Predictor
from biobert.pipeline.annotator import Annotator
from biobert.runtime.settings import RuntimeSettings
from biobert.trust.deidentification import Tagger
from biobert.trust.model_labels import kind_of

RULES_ALONE = "none"


@dataclass(frozen=True, slots=True)
class LoadedTagger:
    """A tagger, and those of its labels that stand for no kind of identifier."""

    annotator: Annotator
    ignored_labels: tuple[str, ...]

    def annotate(self, text: str) -> Document:
        """The text with its entities: a `Tagger`."""
        return self.annotator.annotate(text)

    def through(self, wrap: Callable[[Predictor], Predictor]) -> Tagger:
        """The same tagger, its predictor wrapped."""
        model = self.annotator.model
        wrapped = replace(model, predictor=wrap(model.predictor))
        return Annotator(wrapped, minimum_score=self.annotator.minimum_score).annotate


def load_tagger(
    model: str | Path, settings: RuntimeSettings = RuntimeSettings(), *, minimum_score: float = 0.0
) -> LoadedTagger:
    """The model in this folder; an error where none of its labels is an identifier."""
    annotator = Annotator(model, settings=settings, minimum_score=minimum_score)
    labels = annotator.model.labels
    ignored = tuple(label for label in labels if kind_of(label) is None)
    if len(ignored) == len(labels):
        raise BadInputError(
            f"model {model} finds {', '.join(labels) or 'no entities'}: no persons or places "
            "and no other identifiers (labels such as PERSON, HOSPITAL, DATE)",
            code="usage",
        )
    return LoadedTagger(annotator, ignored)


def tagger_or_rules(model: str, settings: RuntimeSettings) -> LoadedTagger | None:
    """The model that helps the rules; none where `model` is RULES_ALONE."""
    return None if model == RULES_ALONE else load_tagger(model, settings)
