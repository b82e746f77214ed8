"""An annotator as the tagger of a corpus: made anew in every worker process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biobert.core.errors import BadInputError

if TYPE_CHECKING:
    from biobert.core.document import Document
    from biobert.data.tagging import Tagger, Tagging


@dataclass(frozen=True, slots=True)
class MakeTagger:
    """Loads the model when it is called; this value itself is light and pickles."""

    model: str

    def __call__(self) -> "Tagger":
        """The tagger: one thread, since every core has a worker."""
        from biobert.pipeline.annotator import Annotator
        from biobert.runtime.settings import RuntimeSettings

        annotator = Annotator(self.model, settings=RuntimeSettings(threads=1))

        def tag(documents: "Sequence[Document]") -> "list[Document]":
            return list(annotator.annotate_many(documents))

        return tag


def tagging_of(model: str) -> "Tagging":
    """What a build is told of a token-tagging model."""
    from biobert.core.model_folder import read_manifest
    from biobert.data.tagging import Tagging
    from biobert.pipeline.load import model_folder

    manifest = read_manifest(model_folder(model))
    labels = tuple(manifest.task_settings.get("labels", ()))
    if not labels:
        raise BadInputError(
            f"--tagger {model}: a model for {manifest.task!r} gives words no tags; "
            "name one that was trained for pos or ner",
            code="usage",
        )
    return Tagging(f"{manifest.name} {manifest.version}", labels, MakeTagger(model))
