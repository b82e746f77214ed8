"""SHELF: one file for each thing that is answered; each names its routes `ROUTES`."""

from biobert.core.shelf import Shelf

SHELF = Shelf(__name__, "endpoint")
