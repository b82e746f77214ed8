"""SHELF: one file for each way to make a model smaller or faster.

A module names the frozen dataclass `SETTINGS`, what a recipe may say under its `[[steps]]`, and
`apply(source, target, settings, bench)`: it reads the model folder `source`, writes the model
folder `target`, and returns in JSON-ready words what it did. What a step cannot do with a model is
told before any corpus is read (`check_steps`).
"""

from biobert.core.shelf import Shelf

SHELF = Shelf(__name__, "compression step")
