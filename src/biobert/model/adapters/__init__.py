"""SHELF: one file for each kind of adapter; `attach(encoder, settings)` gives the encoder with it.

`AdapterSettings` is free of torch, for recipes.
"""

from biobert.core.shelf import Shelf
from biobert.model.adapters._settings import AdapterSettings

__all__ = ["SHELF", "AdapterSettings"]
SHELF = Shelf(__name__, "kind of adapter")
