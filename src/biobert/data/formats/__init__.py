"""SHELF: one module a format.

A module offers `read(path, rejects) -> Iterator[Document]`, `write(documents, path)`, or both, and
`ENDINGS`, the file endings that tell it (without a compression ending).
"""

from biobert.core.shelf import Shelf

SHELF = Shelf(__name__, "format")
