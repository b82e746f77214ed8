"""Encoders made from encoders: what was learnt stays where it was."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE, WordPiece
from transformers import BertModel

from biobert.core.errors import BadInputError
from biobert.model.encoder import Encoder
from biobert.model.settings import EncoderSettings
from biobert.model.surgery import (
    mean_rows,
    piece_sources,
    restacked,
    with_positions,
    with_vocabulary,
)
from biobert.model.weights import save_bert
from biobert.text.tokenizer import Tokenizer
from tests.tiny import LETTERS, SPECIAL, tiny_tokenizer, tokenizer_of

NEW_WORDS = ["##mia", "anae", "breast", "cancer", "lithium", "arrests", "µ", "##µ", "the", "##.com"]
OLD = tiny_tokenizer()
TEXT = "the lithium breast cancer"


def new_tokenizer() -> Tokenizer:
    """Other words in another order, specials at other places, and a letter the old one lacks."""
    letters = [*LETTERS, *(f"##{letter}" for letter in LETTERS)]
    return tokenizer_of([*NEW_WORDS, *reversed(SPECIAL), *letters])


NEW = new_tokenizer()


def tiny_encoder(dtype: torch.dtype = torch.float32) -> Encoder:
    torch.manual_seed(13)
    settings = EncoderSettings(
        vocabulary_size=OLD.vocabulary_size,
        hidden_size=32,
        layers=2,
        heads=4,
        intermediate_size=48,
        maximum_positions=20,
    )
    return Encoder(settings).to(dtype).eval()


def ids_of(tokenizer: Tokenizer, text: str) -> torch.Tensor:
    (pieces,) = tokenizer.pieces([text])
    row = [tokenizer.special("cls"), *pieces.ids.tolist(), tokenizer.special("sep")]
    return torch.tensor([row])


def row_of(change_or_encoder: Encoder, tokenizer: Tokenizer, piece: str) -> torch.Tensor:
    return change_or_encoder.embeddings.word.weight[tokenizer.backend.token_to_id(piece)]


def old_mean(encoder: Encoder, *pieces: str) -> torch.Tensor:
    return torch.stack([row_of(encoder, OLD, piece) for piece in pieces]).mean(dim=0)


def assert_opens_in_transformers(encoder: Encoder, token_ids: torch.Tensor, folder: Path) -> None:
    save_bert(encoder, folder)
    theirs = BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        expected = theirs(token_ids)
        hidden = encoder(token_ids)
        pooled = encoder.pooler(hidden[:, 0])
    torch.testing.assert_close(hidden, expected.last_hidden_state, atol=2e-5, rtol=0)
    torch.testing.assert_close(pooled, expected.pooler_output, atol=2e-5, rtol=0)


def test_text_of_kept_pieces_has_the_same_vectors(tmp_path: Path) -> None:
    encoder = tiny_encoder()
    made = with_vocabulary(encoder, OLD, NEW).encoder
    old_ids, new_ids = ids_of(OLD, TEXT), ids_of(NEW, TEXT)
    assert not torch.equal(old_ids, new_ids)
    with torch.no_grad():
        assert torch.equal(made(new_ids), encoder(old_ids))
    assert made.settings.pad_id == NEW.special("pad")
    assert_opens_in_transformers(made, new_ids, tmp_path)


def test_new_pieces_start_from_the_pieces_that_spell_them() -> None:
    encoder = tiny_encoder()
    made = with_vocabulary(encoder, OLD, NEW).encoder
    expected = {
        "anae": old_mean(encoder, "a", "##n", "##a", "##e"),
        "arrests": old_mean(encoder, "arrest", "##s"),
        "##mia": old_mean(encoder, "##m", "##i", "##a"),
        "##.com": old_mean(encoder, "##.", "##c", "##o", "##m"),
        "µ": encoder.embeddings.word.weight.mean(dim=0),
        "##µ": encoder.embeddings.word.weight.mean(dim=0),
        "[MASK]": old_mean(encoder, "[MASK]"),
    }
    for piece, row in expected.items():
        torch.testing.assert_close(row_of(made, NEW, piece), row, atol=1e-6, rtol=0)


def test_a_continuation_that_no_continuations_spell_is_spelled_as_a_word() -> None:
    vocabulary = {piece: number for number, piece in enumerate([*SPECIAL, "a", "##b"])}
    backend = Backend(WordPiece(vocabulary, unk_token="[UNK]"))
    sources = piece_sources(Tokenizer(backend), NEW)
    assert sources.old_ids[NEW.backend.token_to_id("##a")] == (vocabulary["a"],)


def test_upper_case_is_spelled_as_an_uncased_vocabulary_reads_it() -> None:
    vocabulary = {piece: number for number, piece in enumerate([*SPECIAL, "Cancer", "##AB"])}
    sources = piece_sources(OLD, Tokenizer(Backend(WordPiece(vocabulary, unk_token="[UNK]"))))
    assert sources.old_ids[5:] == (
        (OLD.backend.token_to_id("cancer"),),
        (OLD.backend.token_to_id("##a"), OLD.backend.token_to_id("##b")),
    )


def test_what_became_of_the_rows_is_counted() -> None:
    sources = piece_sources(OLD, NEW)
    assert len(sources.old_ids) == NEW.vocabulary_size
    assert (sources.averaged, sources.fresh) == (4, 2)
    assert sources.kept == NEW.vocabulary_size - 6


def test_an_output_bias_moves_along() -> None:
    sources = piece_sources(OLD, NEW)
    bias = torch.arange(OLD.vocabulary_size, dtype=torch.bfloat16)
    moved = mean_rows(bias, sources)
    assert moved.shape == (NEW.vocabulary_size,) and moved.dtype == torch.bfloat16
    place = NEW.backend.token_to_id("cancer")
    assert moved[place] == bias[OLD.backend.token_to_id("cancer")]
    parts = torch.tensor([OLD.backend.token_to_id(one) for one in ("arrest", "##s")])
    assert moved[NEW.backend.token_to_id("arrests")] == parts.float().mean().bfloat16()


def test_a_tokenizer_of_another_encoder_is_refused() -> None:
    small = Encoder(replace(tiny_encoder().settings, vocabulary_size=10))
    with pytest.raises(BadInputError, match="10 word embeddings"):
        with_vocabulary(small, OLD, NEW)


def test_only_word_pieces_are_mapped() -> None:
    backend = Backend(BPE({one: number for number, one in enumerate(SPECIAL)}, []))
    with pytest.raises(BadInputError, match="BPE"):
        piece_sources(OLD, Tokenizer(backend))


def test_tiled_positions_give_the_same_vectors_for_rows_of_before(tmp_path: Path) -> None:
    encoder = tiny_encoder()
    made = with_positions(encoder, 50, "tile")
    ids = ids_of(OLD, "aspirin " * 18)
    with torch.no_grad():
        assert torch.equal(made(ids), encoder(ids))
    table, old = made.embeddings.position.weight, encoder.embeddings.position.weight
    assert torch.equal(table, torch.cat([old, old, old[:10]]))
    assert_opens_in_transformers(made, ids_of(OLD, "aspirin " * 48), tmp_path)


def test_stretched_positions_keep_their_ends(tmp_path: Path) -> None:
    encoder = tiny_encoder()
    made = with_positions(encoder, 39, "interpolate")
    table, old = made.embeddings.position.weight, encoder.embeddings.position.weight
    assert torch.equal(table[0], old[0]) and torch.equal(table[-1], old[-1])
    torch.testing.assert_close(table[::2], old, atol=1e-6, rtol=0)
    torch.testing.assert_close(table[1::2], (old[1:] + old[:-1]) / 2, atol=1e-6, rtol=0)
    assert_opens_in_transformers(made, ids_of(OLD, "aspirin " * 37), tmp_path)


def test_fewer_positions_are_refused() -> None:
    with pytest.raises(BadInputError, match="20 positions, 19"):
        with_positions(tiny_encoder(), 19, "tile")


def test_a_grown_encoder_has_each_layer_beside_its_original(tmp_path: Path) -> None:
    encoder = tiny_encoder()
    made = restacked(encoder, 6)
    assert made.layer_count == len(made.layers) == 6
    for number, layer in enumerate(made.layers):
        for name, value in encoder.layers[number // 3].state_dict().items():
            assert torch.equal(layer.state_dict()[name], value)
    assert_opens_in_transformers(made, ids_of(OLD, TEXT), tmp_path)


@pytest.mark.parametrize(("layers", "originals"), [(1, [0]), (3, [0, 0, 1]), (4, [0, 0, 1, 1])])
def test_layers_are_taken_evenly(layers: int, originals: list[int]) -> None:
    encoder = tiny_encoder()
    made = restacked(encoder, layers)
    for layer, original in zip(made.layers, originals, strict=True):
        expected = encoder.layers[original].state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("layers", [0, -2])
def test_an_encoder_keeps_a_layer(layers: int) -> None:
    with pytest.raises(BadInputError, match=f"{layers} layers: an encoder has at least 1"):
        restacked(tiny_encoder(), layers)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_made_encoders_share_nothing_with_their_origin(dtype: torch.dtype) -> None:
    encoder = tiny_encoder(dtype)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    random_state = torch.get_rng_state()
    for made in (
        with_vocabulary(encoder, OLD, NEW).encoder,
        with_positions(encoder, 40, "interpolate"),
        with_positions(encoder, 40, "tile"),
        restacked(encoder, 4),
    ):
        assert not made.training
        for parameter in made.parameters():
            assert parameter.dtype == dtype and parameter.requires_grad
            torch.nn.init.zeros_(parameter)
    assert torch.equal(torch.get_rng_state(), random_state)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name])


def test_copies_of_a_layer_learn_apart() -> None:
    made = restacked(tiny_encoder(), 4)
    with torch.no_grad():
        made.layers[0].attention.query.weight.zero_()
    assert made.layers[1].attention.query.weight.abs().max() > 0
