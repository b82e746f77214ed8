"""SHELF: one module a format.

A module offers `read(path, rejects) -> Iterator[Document]`, `write(documents, path)`, or both, and
`ENDINGS`, the file endings that tell it (without a compression ending). A format in XML has `ROOTS`
too, the root elements that tell it where the ending is but `.xml`.
"""

from biobert.core.shelf import Shelf

SHELF = Shelf(__name__, "format")
