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
    from biobert.pipeline.annotator import Annotator
    from biobert.pipeline.embedder import Embedder
    from biobert.trust.deidentification import Deidentifier

__all__ = [
    "Annotator",
    "BiobertError",
    "Deidentifier",
    "Document",
    "Embedder",
    "Entity",
    "Relation",
    "Span",
    "__version__",
]

# Imported when first asked for, so that `import biobert` and the command line start in a blink.
_HOMES = {
    "Annotator": "biobert.pipeline.annotator",
    "BiobertError": "biobert.core.errors",
    "Deidentifier": "biobert.trust.deidentification",
    "Document": "biobert.core.document",
    "Embedder": "biobert.pipeline.embedder",
    "Entity": "biobert.core.document",
    "Relation": "biobert.core.document",
    "Span": "biobert.core.document",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'biobert' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
