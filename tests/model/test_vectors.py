"""Pooling and the contrastive loss, against their definitions."""

import math

import pytest
import torch

from biobert.core.errors import BadInputError
from biobert.core.task import ANCHOR, NEGATIVE, POSITIVE, HeadSpec
from biobert.model.heads import head_loss
from biobert.model.vectors import VectorHead, contrast_loss
from biobert.training.methods.focal import method as focal

PLACES = [(7, ANCHOR), (7, POSITIVE), (7, POSITIVE), (9, ANCHOR), (9, POSITIVE), (9, NEGATIVE)]


def by_hand(vectors: torch.Tensor, places: list[tuple[int, int]], temperature: float) -> float:
    """-log of a pair's share among itself, all strangers, and the negatives of its own group."""

    def weight(one: int, other: int) -> float:
        cosine = torch.nn.functional.cosine_similarity(vectors[one], vectors[other], dim=0)
        return math.exp(float(cosine) / temperature)

    losses = []
    for one, (group, role) in enumerate(places):
        for other, (its_group, its_role) in enumerate(places):
            if role != ANCHOR or its_group != group or its_role != POSITIVE:
                continue
            rivals = sum(
                weight(one, third)
                for third, (strange, kind) in enumerate(places)
                if kind != ANCHOR and (strange != group or kind == NEGATIVE)
            )
            own = weight(one, other)
            losses.append(-math.log(own / (own + rivals)))
    return sum(losses) / len(losses)


def test_the_loss_is_that_of_the_paper() -> None:
    vectors = torch.randn(6, 8, generator=torch.Generator().manual_seed(3))
    for temperature in (0.05, 1.0):
        found = contrast_loss(vectors, torch.tensor(PLACES), temperature)
        assert float(found) == pytest.approx(by_hand(vectors, PLACES, temperature), rel=1e-4)


def test_a_batch_of_one_pair_teaches_nothing_and_breaks_nothing() -> None:
    vectors = torch.randn(2, 8, requires_grad=True)
    for places in ([(1, ANCHOR), (1, POSITIVE)], [(1, ANCHOR), (2, NEGATIVE)], [(1, ANCHOR)] * 2):
        loss = contrast_loss(vectors, torch.tensor(places), 0.05)
        (gradient,) = torch.autograd.grad(loss, vectors)
        assert loss.item() == 0.0
        assert torch.isfinite(gradient).all()


def test_a_better_pair_costs_less() -> None:
    places = torch.tensor([(1, ANCHOR), (1, POSITIVE), (2, ANCHOR), (2, POSITIVE)])
    apart = torch.eye(2)[[0, 0, 1, 1]]
    mixed = torch.eye(2)[[0, 1, 1, 0]]
    assert contrast_loss(apart, places, 0.05) < 1e-6
    assert contrast_loss(mixed, places, 0.05) > 19.0


@pytest.mark.parametrize("pooling", ["mean", "first", "none"])
def test_padding_changes_no_vector(pooling: str) -> None:
    hidden = torch.randn(2, 5, 4)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    head = VectorHead(HeadSpec("vector", "vector", pooling=pooling))  # type: ignore[arg-type]
    found = head(hidden, mask)[1]
    alone = head(hidden[1:, :3], None)[0]
    assert torch.allclose(found[:3] if pooling == "none" else found, alone, atol=1e-6)


def test_forms_of_loss_that_mean_nothing_here_are_refused() -> None:
    from biobert.training.recipe import read_recipe

    tables = {
        "name": "focal",
        "task": {"name": "embedding"},
        "model": {"encoder": "none"},
        "data": {"train": []},
        "regularization": {"focal": 2.0},
    }
    way = focal(read_recipe(tables, place="focal.toml"), steps=1)
    assert way is not None and way.form is not None
    with pytest.raises(BadInputError, match="vectors choose nothing"):
        head_loss(HeadSpec("vector", "vector"), torch.randn(6, 8), torch.tensor(PLACES), way.form)
