"""Smoothing, focal loss, R-Drop and contrast, each against its formula."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED, HeadSpec, LabelGroup
from biobert.model.heads import head_loss
from biobert.training.batches import network_logits
from biobert.training.methods.contrastive import contrast
from biobert.training.methods.focal import FocalLoss
from biobert.training.methods.rdrop import _divergence
from biobert.training.methods.smoothing import SmoothedCrossEntropy
from tests.training.methods.conftest import ANSWERS, Bench

TAGS = HeadSpec("tags", "token", (LabelGroup("A", ("O", "B", "I")), LabelGroup("B", ("O", "B"))))
LABELS = HeadSpec("labels", "sequence", (LabelGroup("all", ("x", "y")),), loss="binary")
SPAN = HeadSpec("answer", "span")
QUESTIONS = {"name": "qa"}


@pytest.fixture
def tagged() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (2, 3, 5) and targets (2, 3, 2) with one place that is ignored."""
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(2, 3, 5, generator=generator)
    targets = torch.tensor([[[0, 1], [2, 0], [1, 1]], [[0, 0], [1, 0], [IGNORED, IGNORED]]])
    return logits, targets


@pytest.fixture
def labelled() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(6)
    return torch.randn(3, 2, generator=generator), torch.tensor([[1, 0], [0, 0], [1, IGNORED]])


def softmax_losses(
    tagged: tuple[torch.Tensor, torch.Tensor], loss: Callable[[np.ndarray, int], float]
) -> float:
    """The mean of a loss (probabilities, right answer) over all places and groups, in numpy."""
    logits, targets = (one.numpy().astype(float) for one in tagged)
    found = []
    for part, group in ((slice(0, 3), 0), (slice(3, 5), 1)):
        for scores, target in zip(
            logits[..., part].reshape(-1, part.stop - part.start),
            targets[..., group].ravel(),
            strict=True,
        ):
            if target != IGNORED:
                exponentials = np.exp(scores - scores.max())
                found.append(loss(exponentials / exponentials.sum(), int(target)))
    return float(np.mean(found))


def test_smoothing_spreads_a_share_of_the_truth(tagged: Any) -> None:
    def expected(p: np.ndarray, right: int) -> float:
        truth = np.full(len(p), 0.2 / len(p))
        truth[right] += 0.8
        return float(-(truth * np.log(p)).sum())

    found = head_loss(TAGS, *tagged, SmoothedCrossEntropy(0.2))
    assert float(found) == pytest.approx(softmax_losses(tagged, expected), rel=1e-5)


def test_smoothing_of_yes_and_no(labelled: Any) -> None:
    logits, targets = labelled
    known = targets != IGNORED
    probability = torch.sigmoid(logits)[known].double().numpy()
    truth = np.where(targets[known].numpy() == 1, 0.9, 0.1)
    wanted = -(truth * np.log(probability) + (1 - truth) * np.log(1 - probability)).mean()
    found = head_loss(LABELS, logits, targets, SmoothedCrossEntropy(0.2))
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_focal_loss_counts_sure_answers_less(tagged: Any) -> None:
    found = head_loss(TAGS, *tagged, FocalLoss(2.0))
    wanted = softmax_losses(tagged, lambda p, right: -((1 - p[right]) ** 2) * np.log(p[right]))
    assert float(found) == pytest.approx(wanted, rel=1e-5)
    assert float(found) < float(head_loss(TAGS, *tagged))


def test_focal_loss_of_yes_and_no(labelled: Any) -> None:
    logits, targets = labelled
    known = targets != IGNORED
    probability = torch.sigmoid(logits)[known].double().numpy()
    right = np.where(targets[known].numpy() == 1, probability, 1 - probability)
    found = head_loss(LABELS, logits, targets, FocalLoss(2.0))
    assert float(found) == pytest.approx((-((1 - right) ** 2) * np.log(right)).mean(), rel=1e-5)


@pytest.mark.parametrize("gamma", [0.2, 2.0])
@pytest.mark.parametrize(
    ("spec", "targets"), [(TAGS, [[0, 0]]), (LABELS, [[1, 0]])], ids=["choice", "labels"]
)
def test_focal_loss_of_what_is_quite_sure_has_a_slope(
    spec: HeadSpec, targets: list[list[int]], gamma: float
) -> None:
    logits = torch.tensor([[100.0, *([-100.0] * (spec.width - 1))]], requires_grad=True)
    head_loss(spec, logits, torch.tensor(targets), FocalLoss(gamma)).backward()
    assert torch.isfinite(logits.grad).all()  # type: ignore[arg-type]


def test_focal_loss_keeps_a_labels_weight(tagged: Any) -> None:
    weighted = HeadSpec("tags", "token", TAGS.groups, weights=(1.0, 3.0, 3.0, 1.0, 3.0))
    weights = ((1.0, 3.0, 3.0), (1.0, 3.0))

    def expected(p: np.ndarray, right: int) -> float:
        weight = weights[0 if len(p) == 3 else 1][right]
        return float(-weight * (1 - p[right]) * np.log(p[right]))

    found = head_loss(weighted, *tagged, FocalLoss(1.0))
    assert float(found) == pytest.approx(softmax_losses(tagged, expected), rel=1e-5)


@pytest.mark.parametrize("form", [FocalLoss(1e-9), SmoothedCrossEntropy(0.0)])
def test_without_strength_both_are_cross_entropy(tagged: Any, labelled: Any, form: Any) -> None:
    for spec, given in ((TAGS, tagged), (LABELS, labelled)):
        assert torch.allclose(head_loss(spec, *given, form), head_loss(spec, *given))


def test_nothing_to_learn_costs_nothing(tagged: Any) -> None:
    logits, targets = tagged
    for form in (FocalLoss(2.0), SmoothedCrossEntropy(0.1)):
        assert float(head_loss(TAGS, logits, torch.full_like(targets, IGNORED), form)) == 0.0


def test_smoothing_does_not_fit_a_span(bench: Callable[..., Bench]) -> None:
    with pytest.raises(BadInputError, match="does not fit a task that answers with a span"):
        bench(QUESTIONS, regularization={"label_smoothing": 0.1})


def test_rdrop_is_the_loss_and_the_symmetric_divergence_of_two_passes(
    bench: Callable[..., Bench],
) -> None:
    made = bench(regularization={"rdrop": 0.7})
    torch.manual_seed(4)
    found = made.loss()
    torch.manual_seed(4)
    passes = [network_logits(made.network, made.batch) for _ in range(2)]
    (head,) = made.heads.values()
    targets = made.batch.targets[head.name]
    plain = sum(head_loss(head, one[head.name], targets) for one in passes) / 2
    total = torch.zeros(())
    for part, group in zip(head.slices, range(len(head.groups)), strict=True):
        known = targets[..., group] != IGNORED
        one, other = (functional.log_softmax(p[head.name][..., part], -1)[known] for p in passes)
        for p, q in ((one, other), (other, one)):
            total = total + functional.kl_div(q, p, reduction="sum", log_target=True) / 2
    wanted = plain + 0.7 * total / (targets != IGNORED).sum()
    assert not torch.allclose(passes[0][head.name], passes[1][head.name])
    assert torch.allclose(found, wanted, rtol=1e-5)


def test_divergence_of_yes_and_no(labelled: Any) -> None:
    first, targets = labelled
    second = first.flip(0) * 1.5
    p, q = (torch.sigmoid(one.double()) for one in (first, second))

    def divergence(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()

    known = targets != IGNORED
    wanted = ((divergence(p, q) + divergence(q, p)) / 2)[known].mean()
    assert float(_divergence(LABELS, first, second, targets)) == pytest.approx(float(wanted))


def test_divergence_of_places_ignores_padding() -> None:
    from biobert.model.network import NEVER

    first = torch.tensor([[[1.0, 0.0], [0.5, 2.0], [NEVER, NEVER]]])
    second = torch.tensor([[[0.0, 1.0], [0.5, 1.0], [NEVER, NEVER]]])
    found = _divergence(SPAN, first, second, torch.tensor([[0, 1]]))
    short = _divergence(SPAN, first[:, :2], second[:, :2], torch.tensor([[0, 1]]))
    assert torch.isfinite(found)
    assert torch.allclose(found, short)


def test_rdrop_without_dropout_is_refused(bench: Callable[..., Bench]) -> None:
    made = bench()
    from biobert.training.methods.rdrop import RegularizedDropout

    for module in made.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    with pytest.raises(BadInputError, match="needs dropout"):
        RegularizedDropout(1.0).prepare(made.network)


def test_contrast_is_the_papers_formula() -> None:
    generator = torch.Generator().manual_seed(8)
    vectors, labels = torch.randn(5, 4, generator=generator), [0, 1, 0, 0, 2]
    temperature = 0.3
    unit = (vectors / vectors.norm(dim=1, keepdim=True)).double().numpy()
    losses = []
    for i, label in enumerate(labels):
        partners = [j for j in range(5) if j != i and labels[j] == label]
        if partners:
            bottom = sum(np.exp(unit[i] @ unit[k] / temperature) for k in range(5) if k != i)
            shares = [np.exp(unit[i] @ unit[j] / temperature) / bottom for j in partners]
            losses.append(-np.mean(np.log(shares)))
    found = contrast(vectors, torch.tensor(labels), temperature)
    assert float(found) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("labels", [[0], [0, 1, 2], [IGNORED, IGNORED, 0, 1], [IGNORED, IGNORED]])
def test_rows_without_a_partner_cost_nothing(labels: Sequence[int]) -> None:
    vectors = torch.randn(len(labels), 4, requires_grad=True)
    found = contrast(vectors, torch.tensor(labels), 0.3)
    found.backward()
    assert float(found.detach()) == 0.0
    assert torch.equal(vectors.grad, torch.zeros_like(vectors))


def test_contrast_reads_the_vectors_that_the_head_reads(bench: Callable[..., Bench]) -> None:
    made = bench(ANSWERS, regularization={"contrastive": 0.4, "rdrop": 0.5})
    made.network.eval()
    with torch.no_grad():
        plain = bench(ANSWERS)
        plain.network.load_state_dict(made.network.state_dict())
        plain.network.eval()
        ordinary = plain.loss()
        hidden = made.network.encoder(*inputs(made))
        pooled = made.network.encoder.pooler(hidden[:, 0])
        made.network.train()
        for module in made.network.modules():
            if hasattr(module, "dropout") and isinstance(module.dropout, float):
                module.dropout = 0.0
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        found = made.loss()
    labels = made.batch.targets[next(iter(made.heads))][:, 0]
    wanted = 0.6 * ordinary + 0.4 * contrast(pooled, labels, 0.3)
    assert torch.allclose(found, wanted, atol=1e-5)


def inputs(made: Bench) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    return made.batch.token_ids, made.batch.segment_ids, made.batch.mask


def test_contrast_needs_one_label_a_row(bench: Callable[..., Bench]) -> None:
    with pytest.raises(BadInputError, match="one label for each row"):
        bench(regularization={"contrastive": 0.5})
    with pytest.raises(BadInputError, match="one label for each row"):
        bench({**ANSWERS, "choice": "many"}, regularization={"contrastive": 0.5})
