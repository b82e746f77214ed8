"""Tags stand beside token ids, and change none."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.data.shards import SPLITS, open_corpus
from biobert.data.tagging import Tagger, Tagging
from tests.data.built import build
from tests.tiny import tiny_tokenizer


class TagLongWords:
    """Makes a tagger that tags each word: LONG, or SHORT; full stops have no tag."""

    def __call__(self) -> Tagger:
        return tag_words


def tag_words(documents: Sequence[Document]) -> list[Document]:
    found = []
    for document in documents:
        entities, position = [], 0
        for word in document.text.replace("\n", " ").split(" "):
            stripped = word.rstrip(".")
            label = "LONG" if len(stripped) > 5 else "SHORT"
            if stripped:
                entities.append(Entity(position, position + len(stripped), label))
            position += len(word) + 1
        found.append(document.with_entities(entities))
    return found


TAGGING = Tagging("toy", ("LONG", "SHORT"), TagLongWords())


def test_tags_stand_beside_the_same_ids(folder: Path, tmp_path: Path) -> None:
    plain = build(folder, tmp_path / "plain")
    tagged = build(folder, tmp_path / "tagged", tagging=TAGGING, workers=2)
    assert tagged.tags == ("", "LONG", "SHORT")
    assert [one.tokens for one in tagged.shards] == [one.tokens for one in plain.shards]
    for split in SPLITS:
        one, other = open_corpus(tmp_path / "plain", split), open_corpus(tmp_path / "tagged", split)
        for number in range(len(one.shards)):
            shard = other.load(number)
            assert shard.tags is not None
            assert (one.load(number).tokens == shard.tokens).all()
            for word, tags in tagged_words(shard.tokens.tolist(), shard.tags.tolist()):
                expected = 0 if word == "." else 1 if len(word) > 5 else 2
                assert tags == {expected}, word


def tagged_words(tokens: list[int], tags: list[int]) -> list[tuple[str, set[int]]]:
    """Whole words, each with the tags of its pieces."""
    words: list[tuple[str, set[int]]] = []
    backend = tiny_tokenizer().backend
    for token, tag in zip(tokens, tags, strict=True):
        piece = backend.id_to_token(token)
        if piece.startswith("##"):
            word, found = words.pop()
            words.append((word + piece[2:], found | {tag}))
        else:
            words.append((piece, {tag}))
    return words


def test_a_tagger_must_give_what_it_names() -> None:
    with pytest.raises(BadInputError, match="300 labels"):
        Tagging("toy", tuple(map(str, range(300))), TagLongWords())


def test_a_tag_that_was_not_named_is_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="unknown tag of the tagger 'SHORT'"):
        build(folder, tmp_path / "out", tagging=Tagging("toy", ("LONG",), TagLongWords()))


def test_a_resumed_build_keeps_its_tagger(folder: Path, tmp_path: Path) -> None:
    build(folder, tmp_path / "out")
    with pytest.raises(BadInputError, match=r"tagger was '' and is now 'toy'"):
        build(folder, tmp_path / "out", start="resume", tagging=TAGGING)
