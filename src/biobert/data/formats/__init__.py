"""SHELF: one module a format.

A module offers `read(path, rejects) -> Iterator[Document]`, `write(documents, path)`, or both, and
`ENDINGS`, the file endings that tell it (without a compression ending). A format in XML has `ROOTS`
too, the root elements that tell it where the ending is but `.xml`. One that is written has `HOLDS`,
the kinds of annotations that it has a place for. `begins(text)` says whether a text begins as the
format does, for streams, which have no ending.
"""

from biobert.core.shelf import Shelf

SHELF = Shelf(__name__, "format")
