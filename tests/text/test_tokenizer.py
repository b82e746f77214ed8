"""Offsets are exact and text cannot forge special tokens."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordPiece
from transformers import AutoTokenizer, BertTokenizer

from biobert.core.errors import BadInputError
from biobert.text.tokenizer import Tokenizer
from biobert.text.words import WordMemory
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
    by_byte = (KINDS["RoBERTa"], KINDS["ModernBERT"])
    degrees = ["°", "C"] if tokenizer in by_byte else ["°C"]
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


@pytest.mark.parametrize("tokenizer", KINDS.values(), ids=KINDS)
def test_half_of_a_surrogate_pair_moves_nothing(tokenizer: Tokenizer) -> None:
    whole, broken = "aspirin \ufffd causes ulcers", "aspirin \ud800 causes ulcers"
    one, other = tokenizer.pieces([whole, broken])
    assert other.ids.tolist() == one.ids.tolist()
    assert other.offsets.tolist() == one.offsets.tolist()
    assert WordMemory(tokenizer).ids([broken]).ids.tolist() == other.ids.tolist()


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


CHINESE = "Naïve NAÏVE 中文 heart"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Naïve", "naïve", "Naive", "naive", "NAIVE"]
PIECES += ["heart", "中", "文", "中文"]
WITHOUT_UNKNOWN = Backend(WordPiece({"a": 0}, unk_token="[UNK]")).to_str()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("tokenizer.json", "{", "tokenizer.json: not a tokenizer"),
        ("tokenizer.json", WITHOUT_UNKNOWN, r"no piece \[UNK\]"),
        ("vocab.txt", "", "vocab.txt: not a tokenizer"),
        ("vocab.txt", "[CLS]\n[SEP]\na\n", r"no piece \[UNK\]"),
        ("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n\udcff\n", "vocab.txt: not a tokenizer"),
        ("tokenizer_config.json", "{", "tokenizer_config.json: not JSON"),
        ("tokenizer_config.json", "[]", "tokenizer_config.json: no object"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, content: str, problem: str) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    (tmp_path / name).write_text(content, errors="surrogateescape")
    with pytest.raises(BadInputError, match=problem):
        Tokenizer.from_folder(tmp_path)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("accents", [True, False, None])
@pytest.mark.parametrize("chinese", [True, False])
def test_a_vocabulary_is_read_as_its_settings_say(
    tmp_path: Path, lower: bool, accents: bool | None, chinese: bool
) -> None:
    settings = {"do_lower_case": lower, "strip_accents": accents, "tokenize_chinese_chars": chinese}
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    one = Tokenizer.from_folder(tmp_path)
    expected = BertTokenizer.from_pretrained(tmp_path)(CHINESE, add_special_tokens=False)[
        "input_ids"
    ]
    assert one.pieces([CHINESE])[0].ids.tolist() == expected
    one.save(tmp_path / "saved")
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert again(CHINESE, add_special_tokens=False)["input_ids"] == expected
