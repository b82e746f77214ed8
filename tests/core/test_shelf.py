"""A folder as the registry of its modules."""

import pytest

from biobert.core.errors import BiobertError
from biobert.core.shelf import Shelf, unknown_name


def test_a_shelf_lists_and_loads_its_modules() -> None:
    shelf = Shelf("biobert.data.formats", "format")
    assert "pubtator" in shelf.names()
    assert shelf.load("bioc-xml").__name__ == "biobert.data.formats.bioc_xml"
    with pytest.raises(BiobertError, match=r"format 'pubtatr'.*pubtator"):
        shelf.load("pubtatr")
    assert unknown_name("thing", "x", ["y"]).code == "unknown-name"
