"""Offsets are exact and text cannot forge special tokens."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.errors import BadInputError
from biobert.text.tokenizer import Tokenizer
from tests.model.test_hub import TEXT
from tests.text.kinds import KINDS
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


@given(st.text(max_size=200))
def test_offsets_are_ordered_and_cover_all_but_blanks_and_controls(text: str) -> None:
    (pieces,) = TOKENIZER.pieces([text])
    position = 0
    for start, end in pieces.offsets.tolist():
        assert position <= start <= end <= len(text)
        # What the tokenizer passes over is white space, controls or stripped accents.
        assert not any(
            character.isascii() and character.isalnum() for character in text[position:start]
        )
        position = end


@pytest.mark.parametrize("tokenizer", KINDS.values(), ids=KINDS)
def test_signs_are_words_whatever_the_tokenizer(tokenizer: Tokenizer) -> None:
    (pieces,) = tokenizer.pieces([TEXT])
    assert pieces.words[0] == 0 and set(np.diff(pieces.words)) <= {0, 1}
    words = [
        TEXT[places[0, 0] : places[-1, 1]]
        for number in range(pieces.words[-1] + 1)
        for places in [pieces.offsets[pieces.words == number]]
    ]
    # What parts more than BERT: bytes of letters from other signs.
    degrees = ["°", "C"] if tokenizer is KINDS["RoBERTa"] else ["°C"]
    assert words == [
        *("Lithium", ",", "at", "37", *degrees, ",", "caused", "naïve", "cardiac", "arrest"),
        *("(", "β", "-", "blockade", ")", "—", "twice", "."),
    ]


@pytest.mark.parametrize("tokenizer", KINDS.values(), ids=KINDS)
@given(text=st.text(alphabet="ab (AB)-—é心。\n ", max_size=60))
def test_a_word_ends_where_one_of_bert_does(tokenizer: Tokenizer, text: str) -> None:
    (wanted,) = KINDS["BERT"].pieces([text])
    (pieces,) = tokenizer.pieces([text])
    starts = set(pieces.offsets[:, 0].tolist())
    begins = {
        pieces.offsets[number, 0]
        for number in np.unique(pieces.words, return_index=True)[1].tolist()
    }
    of_bert = np.unique(wanted.words, return_index=True)[1]
    assert starts.intersection(wanted.offsets[of_bert, 0].tolist()) <= begins


def test_long_text_is_not_cut() -> None:
    (pieces,) = TOKENIZER.pieces(["aspirin " * 5000])
    assert len(pieces.ids) == 5000


def test_special_tokens_in_the_text_are_plain_characters() -> None:
    (pieces,) = TOKENIZER.pieces(["a [SEP] b"])
    assert TOKENIZER.special("sep") not in pieces.ids.tolist()


def test_settings_baked_into_a_checkpoint_are_undone(tmp_path) -> None:  # type: ignore[no-untyped-def]
    backend = tiny_tokenizer().backend
    backend.enable_truncation(8)
    backend.enable_padding(length=16)
    backend.save(str(tmp_path / "tokenizer.json"))
    (pieces,) = Tokenizer.from_folder(tmp_path).pieces(["aspirin " * 20])
    assert len(pieces.ids) == 20


def test_a_saved_tokenizer_reads_the_same(tmp_path) -> None:  # type: ignore[no-untyped-def]
    TOKENIZER.save(tmp_path)
    again = Tokenizer.from_folder(tmp_path)
    text = "Lithium-induced cardiac arrest (n = 3)."
    assert again.pieces([text])[0].ids.tolist() == TOKENIZER.pieces([text])[0].ids.tolist()


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(BadInputError, match=r"tokenizer\.json: not a tokenizer"):
        Tokenizer.from_folder(tmp_path)
