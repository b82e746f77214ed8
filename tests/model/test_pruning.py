"""What stays of a pruned encoder computes what it did before."""

from pathlib import Path

import pytest
import torch

from biobert.core.errors import BadInputError
from biobert.model.encoder import Encoder
from biobert.model.pruning import with_heads, with_layers, with_neurons
from biobert.model.weights import load_bert, save_bert
from tests.tiny import write_tiny_encoder_folder

IDS = torch.tensor([[2, 10, 11, 12, 3]])


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return load_bert(write_tiny_encoder_folder(tmp_path / "encoder")).eval()


@torch.no_grad()
def test_heads_that_go_are_heads_that_say_nothing(encoder: Encoder) -> None:
    pruned = with_heads(encoder, [[0, 2], [1, 3]])
    assert pruned.settings.head_size == 8
    assert pruned.layers[0].attention.query.weight.shape == (16, 32)
    for layer, gone in ((0, (1, 3)), (1, (0, 2))):
        for head in gone:
            encoder.layers[layer].attention.output.weight[:, 8 * head : 8 * head + 8] = 0
    torch.testing.assert_close(pruned(IDS), encoder(IDS))


@torch.no_grad()
def test_neurons_that_go_are_neurons_that_say_nothing(encoder: Encoder) -> None:
    pruned = with_neurons(encoder, [list(range(20)), list(range(40, 60))])
    encoder.layers[0].feed_forward.contract.weight[:, 20:] = 0
    encoder.layers[1].feed_forward.contract.weight[:, [*range(40), *range(60, 64)]] = 0
    torch.testing.assert_close(pruned(IDS), encoder(IDS))


@torch.no_grad()
def test_layers_that_go_are_passed_by(encoder: Encoder) -> None:
    pruned = with_layers(encoder, [1])
    expected = encoder.layers[1](encoder.embed(IDS, None, None), None)
    torch.testing.assert_close(pruned(IDS), expected)


@torch.no_grad()
def test_transformers_opens_fewer_layers_and_neurons(encoder: Encoder, tmp_path: Path) -> None:
    import transformers

    pruned = with_neurons(with_layers(encoder, [1]), [[*range(48)]])
    save_bert(pruned, tmp_path / "pruned")
    theirs = transformers.BertModel.from_pretrained(tmp_path / "pruned").eval()
    torch.testing.assert_close(theirs(IDS).last_hidden_state, pruned(IDS), atol=1e-5, rtol=0)


def test_fewer_heads_come_back_here_and_are_refused_there(encoder: Encoder, tmp_path: Path) -> None:
    import transformers

    pruned = with_heads(encoder, [[0, 2], [1, 3]])
    save_bert(pruned, tmp_path / "pruned")
    again = load_bert(tmp_path / "pruned").eval()
    assert again.settings == pruned.settings
    torch.testing.assert_close(again(IDS), pruned(IDS))
    with pytest.raises(RuntimeError, match="mismatch"):
        transformers.BertModel.from_pretrained(tmp_path / "pruned")


def test_pruned_weights_share_no_memory(encoder: Encoder) -> None:
    pruned = with_layers(encoder, [0])
    with torch.no_grad():
        pruned.layers[0].attention.query.weight.zero_()
    assert encoder.layers[0].attention.query.weight.abs().sum() > 0


@pytest.mark.parametrize("kept", [[], [0, 0], [2], [-1]])
def test_layers_that_are_not_there_are_refused(encoder: Encoder, kept: list[int]) -> None:
    with pytest.raises(BadInputError, match="layers"):
        with_layers(encoder, kept)


def test_layers_keep_their_shape_in_common(encoder: Encoder) -> None:
    with pytest.raises(BadInputError, match="same number of attention heads"):
        with_heads(encoder, [[0], [1, 2]])
