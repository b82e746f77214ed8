"""Layer normalisation in half precision."""

import pytest
import torch
from torch import nn

from biobert.model.norm import LayerNorm


@pytest.fixture
def norm() -> LayerNorm:
    made = LayerNorm(24)
    nn.init.normal_(made.weight, mean=1.0, std=0.1)
    nn.init.normal_(made.bias, std=0.1)
    return made


def test_it_is_torchs_own_without_autocast(norm: LayerNorm) -> None:
    values = torch.randn(3, 5, 24)
    assert torch.equal(norm(values), nn.LayerNorm.forward(norm, values))


def test_under_autocast_vectors_stay_in_its_precision(norm: LayerNorm) -> None:
    values = 3.0 * torch.randn(3, 5, 24) + 1.0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        given = norm(values)
    assert given.dtype == torch.bfloat16
    torch.testing.assert_close(given.float(), norm(values), atol=0.03, rtol=0.02)


def test_weights_learn_in_their_own_precision(norm: LayerNorm) -> None:
    values = torch.randn(64, 24)
    upstream = torch.randn(64, 24)
    (norm(values) * upstream).sum().backward()
    assert norm.weight.grad is not None
    wanted = norm.weight.grad.clone()
    norm.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (norm(values) * upstream).sum().backward()
    assert norm.weight.grad.dtype == torch.float32
    torch.testing.assert_close(norm.weight.grad, wanted, atol=0.3, rtol=0.03)
