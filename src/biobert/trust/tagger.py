"""A trained model that finds persons and places, as a help to the rules."""

from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.pipeline.annotator import Annotator
from biobert.runtime.settings import RuntimeSettings
from biobert.trust.deidentification import MODEL_LABELS, Tagger


def load_tagger(
    model: str | Path, settings: RuntimeSettings = RuntimeSettings(), *, minimum_score: float = 0.0
) -> Tagger:
    """The model in this folder; an error where none of its labels is a person or a place."""
    annotator = Annotator(model, settings=settings, minimum_score=minimum_score)
    labels = annotator.model.manifest.task_settings.get("labels", ())
    if not any(label.lower() in MODEL_LABELS for label in labels):
        raise BadInputError(
            f"model {model} finds {', '.join(labels) or 'no entities'}: no persons or places "
            f"(labels such as {', '.join(sorted(MODEL_LABELS)[:6])})",
            code="usage",
        )
    return annotator.annotate
