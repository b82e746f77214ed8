"""The shelf of identifiers: a module a kind, with `find(note)` that gives its candidates.

Every pattern reads a bounded stretch from any place (an unbounded repeat may only stand at a
pattern's end), so that the time is linear in the text, whatever it holds.
"""

from biobert.core.shelf import Shelf

SHELF = Shelf(__name__, "identifier")
