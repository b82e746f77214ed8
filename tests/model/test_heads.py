"""Losses and output layers against their formulas, written out plainly."""

from pathlib import Path

import pytest
import torch

from biobert.core.task import IGNORED, HeadSpec, LabelGroup
from biobert.model.heads import LinearHead, head_loss
from biobert.model.hub import load_encoder
from biobert.model.network import NEVER, Network
from tests.tiny import write_tiny_encoder_folder

THREE = LabelGroup("three", ("a", "b", "c"))
TWO = LabelGroup("two", ("x", "y"))


def numbers(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 3


def minus_log_softmax(logits: torch.Tensor, answer: int) -> float:
    exponentials = torch.exp(logits.double())
    return -float(torch.log(exponentials[answer] / exponentials.sum()))


def test_cross_entropy_is_the_mean_over_what_is_known_of_all_groups() -> None:
    spec = HeadSpec("tags", "token", (THREE, TWO))
    logits = numbers(2, 3, 5)
    targets = torch.tensor(
        [[[0, 1], [2, IGNORED], [IGNORED, IGNORED]], [[1, 0], [IGNORED, 1], [2, 1]]]
    )
    losses = [
        minus_log_softmax(logits[row, place, part], int(targets[row, place, number]))
        for row in range(2)
        for place in range(3)
        for number, part in enumerate(spec.slices)
        if targets[row, place, number] != IGNORED
    ]
    assert len(losses) == 8
    assert float(head_loss(spec, logits, targets)) == pytest.approx(sum(losses) / 8, rel=1e-5)


def test_weights_multiply_the_loss_of_their_label_and_not_the_count() -> None:
    weights = (0.5, 2.0, 4.0)
    spec = HeadSpec("labels", "sequence", (THREE,), weights=weights)
    logits, targets = numbers(4, 3), torch.tensor([[0], [1], [2], [2]])
    losses = [
        weights[answer] * minus_log_softmax(row, answer)
        for row, answer in zip(logits, targets[:, 0].tolist(), strict=True)
    ]
    assert float(head_loss(spec, logits, targets)) == pytest.approx(sum(losses) / 4, rel=1e-5)


@pytest.mark.parametrize("weights", [(), (3.0, 1.0, 0.25)])
def test_binary_loss_weighs_the_labels_that_hold(weights: tuple[float, ...]) -> None:
    spec = HeadSpec("labels", "sequence", (THREE,), loss="binary", weights=weights)
    logits = numbers(3, 3)
    targets = torch.tensor([[1, 0, 0], [0, 1, 1], [IGNORED, 0, 1]])
    total, count = 0.0, 0
    for row in range(3):
        for label in range(3):
            if targets[row, label] == IGNORED:
                continue
            probability = float(torch.sigmoid(logits[row, label].double()))
            weight = weights[label] if weights else 1.0
            right = -torch.log(torch.tensor(probability)) * weight
            wrong = -torch.log(torch.tensor(1 - probability))
            total += float(right if targets[row, label] == 1 else wrong)
            count += 1
    assert count == 8
    assert float(head_loss(spec, logits, targets)) == pytest.approx(total / count, rel=1e-4)


def test_squared_error_is_that_of_the_numbers_that_are_known() -> None:
    spec = HeadSpec("score", "sequence", (LabelGroup("score", ("score",)),), loss="squared-error")
    logits = torch.tensor([[1.5], [0.0], [-2.0]])
    targets = torch.tensor([[1.0], [float(IGNORED)], [1.0]])
    assert float(head_loss(spec, logits, targets)) == pytest.approx((0.25 + 9.0) / 2)


def test_span_loss_chooses_among_the_tokens_of_a_row() -> None:
    spec = HeadSpec("answer", "span")
    logits, targets = numbers(2, 7, 2), torch.tensor([[2, 4], [0, IGNORED]])
    logits[1, 5:] = NEVER
    losses = [
        minus_log_softmax(logits[0, :, 0], 2),
        minus_log_softmax(logits[0, :, 1], 4),
        minus_log_softmax(logits[1, :5, 0], 0),
    ]
    assert float(head_loss(spec, logits, targets)) == pytest.approx(sum(losses) / 3, rel=1e-5)


@pytest.mark.parametrize(
    "spec",
    [
        HeadSpec("h", "sequence", (THREE,)),
        HeadSpec("h", "sequence", (THREE,), loss="binary"),
        HeadSpec("h", "sequence", (THREE,), loss="squared-error"),
    ],
)
def test_where_nothing_is_known_the_loss_is_zero_and_has_a_gradient(spec: HeadSpec) -> None:
    logits = numbers(2, 3).requires_grad_()
    targets = torch.full((2, spec.target_width), IGNORED)
    loss = head_loss(spec, logits, targets)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert logits.grad is not None and not logits.grad.any()


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_hidden_layers_stand_between_vectors_and_logits(layers: int) -> None:
    spec = HeadSpec("labels", "sequence", (THREE,), hidden_layers=layers)
    head = LinearHead(spec, 8, dropout=0.5).eval()
    vectors = numbers(4, 8)
    expected = vectors
    for layer in head.hidden:
        expected = torch.tanh(expected @ layer.weight.T + layer.bias)
    expected = expected @ head.classifier.weight.T + head.classifier.bias
    assert len(head.hidden) == layers
    torch.testing.assert_close(head(vectors), expected)


def test_a_marked_head_reads_the_vectors_of_its_marks_side_by_side(tmp_path: Path) -> None:
    encoder = load_encoder(write_tiny_encoder_folder(tmp_path / "encoder"))
    spec = HeadSpec("relation", "marked", (THREE,), marks=2)
    network = Network(encoder, (spec,)).eval()
    token_ids = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(3))
    marks = torch.tensor([[1, 4], [7, 2]])
    with torch.no_grad():
        hidden = encoder(token_ids, None, None)
        pairs = torch.stack([hidden[row, marks[row]].flatten() for row in range(2)])
        head = network.heads["relation"]
        expected = pairs @ head.classifier.weight.T + head.classifier.bias
        found = network(token_ids, marks=marks)["relation"]
    torch.testing.assert_close(found, expected)


def test_a_mean_is_that_of_the_row_without_its_padding(tmp_path: Path) -> None:
    encoder = load_encoder(write_tiny_encoder_folder(tmp_path / "encoder"))
    spec = HeadSpec("labels", "sequence", (THREE,), pooling="mean")
    network = Network(encoder, (spec,)).eval()
    assert not any(one.requires_grad for one in encoder.pooler.parameters())
    mask = torch.arange(9)[None, :] < torch.tensor([9, 5])[:, None]
    token_ids = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        found = network(token_ids, None, mask)["labels"]
        means = torch.stack(
            [
                encoder(token_ids[row : row + 1, :long]).mean(dim=1)[0]
                for row, long in ((0, 9), (1, 5))
            ]
        )
        expected = network.heads["labels"].classifier(means)
    torch.testing.assert_close(found, expected)


def test_a_span_head_never_answers_in_the_padding(tmp_path: Path) -> None:
    network = Network(
        load_encoder(write_tiny_encoder_folder(tmp_path / "encoder")), (HeadSpec("answer", "span"),)
    ).eval()
    mask = torch.arange(9)[None, :] < torch.tensor([9, 5])[:, None]
    token_ids = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        logits = network(token_ids, None, mask)["answer"]
    assert (logits[~mask] == NEVER).all()
    assert (logits[mask] > NEVER).all()
