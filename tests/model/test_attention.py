"""Packed rows: the borders of their sequences, and the kernel that skips what is apart."""

from importlib.util import find_spec

import pytest
import torch
from torch.nn import functional

from biobert.model import attention, encoder
from biobert.model.attention import packed_kernel_applies, packed_scope
from biobert.model.encoder import Encoder
from biobert.model.settings import EncoderSettings

SEQUENCES = torch.tensor([[1, 1, 1, 2, 2, 0, 0], [1, 2, 2, 2, 2, 2, 3]])
POSITIONS = torch.tensor([[0, 1, 2, 0, 1, 0, 0], [0, 0, 1, 2, 3, 4, 0]])
SETTINGS = EncoderSettings(
    vocabulary_size=50,
    hidden_size=32,
    layers=2,
    heads=4,
    intermediate_size=48,
    attention_dropout=0.0,
    dropout=0.0,
)


def sequence_by_sequence(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    borders: torch.Tensor,
    key_borders: torch.Tensor,
    longest: int,
    longest_key: int,
) -> torch.Tensor:
    """What torch's `varlen_attn` computes, for machines where it does not run."""
    assert torch.equal(borders, key_borders)
    assert longest == longest_key == int(borders.diff().max())
    parts = []
    for start, end in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        q, k, v = (part[start:end].transpose(0, 1) for part in (query, key, value))
        parts.append(functional.scaled_dot_product_attention(q, k, v).transpose(0, 1))
    return torch.cat(parts)


def hidden_and_gradient(model: Encoder, device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.arange(14).view(2, 7).to(device)
    model.zero_grad()
    rows = SEQUENCES.to(device)
    hidden = model(ids, None, rows, positions=POSITIONS.to(device))[rows > 0]
    hidden.float().square().sum().backward()
    gradient = model.layers[0].attention.key.weight.grad
    assert isinstance(gradient, torch.Tensor)
    return hidden.detach().float(), gradient.clone().float()


def test_borders_are_where_sequences_and_paddings_begin() -> None:
    scope = packed_scope(SEQUENCES)
    assert scope.borders.tolist() == [0, 3, 5, 7, 8, 13, 14]
    assert scope.borders.dtype == torch.int32
    assert scope.longest == 5


def test_the_kernel_gives_what_the_mask_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = Encoder(SETTINGS)
    expected, expected_gradient = hidden_and_gradient(model)
    calls = []

    def kernel(*arguments: torch.Tensor) -> torch.Tensor:
        calls.append(arguments)
        return sequence_by_sequence(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(attention, "packed_kernel", lambda: kernel)
    monkeypatch.setattr(encoder, "packed_kernel_applies", lambda *_, **__: True)
    hidden, gradient = hidden_and_gradient(model)
    assert len(calls) == SETTINGS.layers
    assert (hidden - expected).abs().max() < 1e-5
    assert (gradient - expected_gradient).abs().max() < 1e-3


def test_the_kernel_is_for_gpus_in_half_precision_without_dropout() -> None:
    gpu, cpu = torch.device("cuda"), torch.device("cpu")
    is_there = find_spec("torch.nn.attention.varlen") is not None
    assert packed_kernel_applies(gpu, torch.bfloat16, dropout=0.0) == is_there
    assert not packed_kernel_applies(gpu, torch.float32, dropout=0.0)
    assert not packed_kernel_applies(gpu, torch.bfloat16, dropout=0.1)
    assert not packed_kernel_applies(cpu, torch.bfloat16, dropout=0.0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_torch_s_own_kernel_gives_what_the_mask_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = Encoder(SETTINGS).to("cuda", torch.bfloat16)
    hidden, gradient = hidden_and_gradient(model, "cuda")
    monkeypatch.setattr(encoder, "packed_kernel_applies", lambda *_, **__: False)
    expected, expected_gradient = hidden_and_gradient(model, "cuda")
    assert (hidden - expected).abs().max() < 0.1
    assert (gradient - expected_gradient).abs().max() < 0.1 * expected_gradient.abs().max()
