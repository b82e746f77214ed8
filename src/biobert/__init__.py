"""BioBERT: biomedical text mining, from raw literature to annotated documents.

>>> from biobert import Annotator
>>> document = Annotator().annotate("Aspirin may cause gastric ulcers.")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from biobert.core.version import __version__

if TYPE_CHECKING:
    from biobert.core.document import Document, Entity, Relation, Span
    from biobert.core.errors import BiobertError
    from biobert.core.passages import pair_document
    from biobert.data.places import CorpusPlaces
    from biobert.pipeline.annotator import Annotator
    from biobert.pipeline.answerer import Answerer
    from biobert.pipeline.embedder import Embedder
    from biobert.pipeline.evaluating import TestSet, evaluate
    from biobert.pipeline.gap_filler import GapFiller
    from biobert.pipeline.train import train
    from biobert.pipeline.writer import Writer
    from biobert.trust.deidentification import Deidentifier

__all__ = [
    "Annotator",
    "Answerer",
    "BiobertError",
    "CorpusPlaces",
    "Deidentifier",
    "Document",
    "Embedder",
    "Entity",
    "GapFiller",
    "Relation",
    "Span",
    "TestSet",
    "Writer",
    "__version__",
    "evaluate",
    "pair_document",
    "train",
]

# Imported when first asked for, so that `import biobert` and the command line start in a blink.
_HOMES = {
    "Annotator": "biobert.pipeline.annotator",
    "Answerer": "biobert.pipeline.answerer",
    "BiobertError": "biobert.core.errors",
    "CorpusPlaces": "biobert.data.places",
    "Deidentifier": "biobert.trust.deidentification",
    "Document": "biobert.core.document",
    "Embedder": "biobert.pipeline.embedder",
    "Entity": "biobert.core.document",
    "GapFiller": "biobert.pipeline.gap_filler",
    "Relation": "biobert.core.document",
    "Span": "biobert.core.document",
    "TestSet": "biobert.pipeline.evaluating",
    "Writer": "biobert.pipeline.writer",
    "evaluate": "biobert.pipeline.evaluating",
    "pair_document": "biobert.core.passages",
    "train": "biobert.pipeline.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'biobert' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
