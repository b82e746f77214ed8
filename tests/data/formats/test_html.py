"""The page: every mention marked, each with its facts once, and small whatever lies in what."""

import re
from pathlib import Path

import pytest

from biobert.core.document import Document, Entity, Passage
from biobert.core.errors import BadInputError
from biobert.core.files import InMemoryFile
from biobert.data.formats import html

TEXT = "Hepatitis B virus infection.\nIt is treated."


def page(document: Document) -> str:
    """What stands in the articles of its page."""
    file = InMemoryFile("body")
    html.write([document], file)
    return file.content.decode().partition("<article>")[2].partition("</article>")[0]


def nested(count: int) -> Document:
    """Mentions that lie in each other."""
    text = "word " * count
    return Document("1", text, entities=tuple(Entity(n, len(text) - n, "X") for n in range(count)))


def test_a_mention_that_is_cut_says_once_what_it_is() -> None:
    entities = (
        Entity(0, 27, "Disease", ("mesh:D006509",), 0.9),
        Entity(0, 17, "Species"),
        Entity(10, 11, "Gene"),
        Entity(12, 27, "Sign"),
    )
    found = page(Document("1", TEXT, entities=entities))
    titles = re.findall(r'title="([^"]*)"', found)
    assert titles == [
        "Hepatitis B virus infection: Disease, mesh:D006509, 90%",
        "Hepatitis B virus: Species",
        "B: Gene",
        "virus infection: Sign",
    ]
    assert sorted(re.findall(r'data-label="([^"]*)"', found)) == [
        "Disease",
        "Gene",
        "Sign",
        "Species",
    ]
    assert found.count("<mark") == found.count("</mark>") == 5 + 4 + 1 + 2
    assert re.sub("<[^>]*>", "", found) == f"1{TEXT}"


def test_passages_in_each_other_are_shown_once() -> None:
    passages = (Passage(29, 43, "abstract"), Passage(0, 43, "all"), Passage(0, 28, "title"))
    found = page(Document("1", TEXT, passages, (Entity(29, 31, "X"),)))
    assert re.sub("<[^>]*>", "", found) == f"1{TEXT}" and found.count("<mark") == 1


def test_a_mention_goes_on_in_the_next_block() -> None:
    found = page(Document("1", TEXT, entities=(Entity(18, 31, "X"),)))
    assert 'X">infection.\n</mark></h2><p><mark' in re.sub(' class="[^"]*"', "", found)
    assert found.count("data-label") == 1


def test_mentions_in_each_other_are_bounded(tmp_path: Path) -> None:
    few = page(nested(300))
    assert few.count("<mark") == 300 * 300 and few.count("title=") == 300
    with pytest.raises(BadInputError, match="document '1': mentions lie in each other") as refused:
        html.write([nested(200), nested(300)], tmp_path / "a.html")
    assert refused.value.code == "too-large" and not list(tmp_path.iterdir())


def test_as_many_types_as_there_are_have_a_colour() -> None:
    text = "a " * 5000
    entities = tuple(Entity(2 * n, 2 * n + 1, f"type {n}") for n in range(5000))
    file = InMemoryFile("body")
    html.write([Document("1", text, entities=entities)], file)
    assert file.content.count(b"{--hue:") == file.content.count(b"<button") == 5000
