"""SHELF: one file for each way to train; `method(recipe)` gives it where the recipe asks for it."""

from biobert.core.shelf import Shelf
from biobert.training.method import Method, Methods
from biobert.training.recipe import Recipe

SHELF = Shelf(__name__, "way to train")


def build_methods(recipe: Recipe, *, steps: int) -> Methods:
    """The methods that a recipe asks for, for a run of `steps` steps."""
    found: list[Method] = []
    for name in SHELF.names():
        method = SHELF.load(name).method(recipe, steps=steps)
        if method is not None:
            found.append(method)
    return Methods(found)
