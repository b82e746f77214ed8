"""Learning from a teacher, and holding on to what was learnt before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.task import IGNORED, HeadSpec, LabelGroup
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.model.heads import head_loss
from biobert.model.hub import load_trained_network
from biobert.model.network import Network
from biobert.tasks import build_task
from biobert.tasks.embedding import Embedding
from biobert.training.batches import Batch, collate, encode_rows, network_logits
from biobert.training.importance import IMPORTANCE, write_importance
from biobert.training.method import Methods
from biobert.training.methods.consolidation import Consolidation
from biobert.training.methods.distillation import between_cosines, divergence
from tests.cli.calling import call
from tests.tiny import tiny_tokenizer, write_tiny_model_folder
from tests.training.methods.conftest import ANSWERS, Bench
from tests.training.test_resume import weights

Make = Callable[..., Bench]


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    return write_tiny_model_folder(tmp_path / "teacher", labels=("Chemical", "Disease"))


def test_the_divergence_is_that_of_its_formula(bench: Make) -> None:
    found = bench()
    generator = torch.Generator().manual_seed(1)
    (spec,) = found.heads.values()
    shape = (*found.batch.token_ids.shape, spec.width)
    student, teacher = (torch.randn(shape, generator=generator) for _ in range(2))
    known = (found.batch.targets[spec.name] != IGNORED).any(-1)
    expected = []
    for part in spec.slices:
        p = functional.softmax(teacher[known][:, part] / 3, -1)
        q = functional.softmax(student[known][:, part] / 3, -1)
        expected.append((p * (p / q).log()).sum(-1).mean() * 9)
    apart = divergence(spec, student, teacher, found.batch, 3.0)
    torch.testing.assert_close(apart, torch.stack(expected).mean())
    assert divergence(spec, teacher, teacher, found.batch, 3.0).abs() < 1e-6


def softened(logits: torch.Tensor) -> torch.Tensor:
    return functional.softmax(logits.double() / 3, dim=-1)


def kl(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Of the softened answers, which stand in the last dimension."""
    p, q = softened(teacher), softened(student)
    return (p * (p / q).log()).sum(-1)


def crossed(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of yes and no: a sigmoid is the softmax over a logit and 0."""
    p, q = (softened(torch.stack([one, 0 * one], -1)) for one in (teacher, student))
    return -(p * q.log()).sum(-1)


YES = LabelGroup("all", ("x", "y"))


@pytest.mark.parametrize(
    ("spec", "shape", "wanted"),
    [
        (
            HeadSpec("one", "sequence", (YES,), loss="binary"),
            (3, 2),
            lambda student, teacher: crossed(student[:2], teacher[:2]).mean() * 9,
        ),
        (
            HeadSpec("one", "sequence", (YES,), loss="squared-error"),
            (3, 2),
            lambda student, teacher: (student[:2] - teacher[:2]).double().square().mean(),
        ),
        (
            HeadSpec("one", "span"),
            (3, 4, 2),
            lambda student, teacher: kl(student.mT[:2], teacher.mT[:2]).mean() * 9,
        ),
    ],
    ids=["binary", "squared-error", "span"],
)
def test_each_kind_of_answer_has_its_divergence_over_known_places(
    spec: HeadSpec, shape: tuple[int, ...], wanted: Callable[..., torch.Tensor]
) -> None:
    generator = torch.Generator().manual_seed(4)
    student, teacher = (torch.randn(shape, generator=generator) for _ in range(2))
    ids = torch.zeros(3, 4, dtype=torch.long)
    gold = torch.tensor([[1, 0], [0, 1], [IGNORED, IGNORED]])
    batch = Batch(ids, ids, None, {"one": gold}, tokens=12)
    apart = divergence(spec, student, teacher, batch, 3.0)
    torch.testing.assert_close(apart.double(), wanted(student, teacher), atol=1e-6, rtol=1e-5)
    nothing = Batch(ids, ids, None, {"one": torch.full_like(gold, IGNORED)}, tokens=12)
    assert float(divergence(spec, student, teacher, nothing, 3.0)) == 0.0


def test_the_loss_is_the_weighted_sum_of_its_parts(bench: Make, teacher: Path) -> None:
    found = bench(
        distillation={"teacher": str(teacher), "weight": 0.3, "temperature": 3.0, "hidden": 0.5}
    )
    found.network.eval()
    batch, (spec,) = found.batch, found.heads.values()
    other = load_trained_network(teacher, [spec])
    given, wanted = (network_logits(one, batch)[spec.name] for one in (found.network, other))
    plain = head_loss(spec, given, batch.targets[spec.name])
    inputs = (batch.token_ids, batch.segment_ids, batch.mask)
    vectors = [one.encoder(*inputs) for one in (found.network, other)]
    expected = (
        0.7 * plain
        + 0.3 * divergence(spec, given, wanted, batch, 3.0)
        + 0.5 * between_cosines(*vectors, batch)
    )
    torch.testing.assert_close(found.loss(), expected)


def test_cosines_need_no_equal_width(bench: Make) -> None:
    batch = bench().batch
    rows, length = batch.token_ids.shape
    vectors = torch.randn(rows, length, 8, generator=torch.Generator().manual_seed(2))
    turned = torch.cat([vectors, torch.zeros(rows, length, 5)], dim=-1) * 3.0
    assert between_cosines(vectors, turned, batch) < 1e-9
    assert between_cosines(vectors, turned.flip(-1) + 1.0, batch) > 1e-3


def test_a_student_comes_to_answer_as_its_teacher(bench: Make, teacher: Path) -> None:
    found = bench(distillation={"teacher": str(teacher), "weight": 1.0, "hidden": 0.1})
    (spec,) = found.heads.values()
    wanted = network_logits(load_trained_network(teacher, [spec]), found.batch)[spec.name]
    found.network.eval()

    def distance() -> float:
        given = network_logits(found.network, found.batch)[spec.name]
        return float(divergence(spec, given.detach(), wanted.detach(), found.batch, 2.0))

    before = distance()
    optimizer = torch.optim.Adam(found.network.parameters(), lr=5e-3)
    for _ in range(30):
        optimizer.zero_grad()
        found.loss().backward()
        optimizer.step()
    assert distance() < 0.2 * before


def test_a_teacher_of_other_answers_is_refused(bench: Make, tmp_path: Path) -> None:
    genes = write_tiny_model_folder(tmp_path / "genes", labels=("Gene",))
    with pytest.raises(BadInputError, match="differ in their heads"):
        bench(distillation={"teacher": str(genes)})
    with pytest.raises(BadInputError, match=r"biobert\.json"):
        bench(distillation={"teacher": str(tmp_path)})


def test_importance_is_the_mean_of_the_squared_gradient_of_a_whole_row(
    teacher: Path, tables: dict[str, Any]
) -> None:
    documents = list(read_documents(tables["data"]["train"][0]["corpus"], None, Rejects()))[:2]
    write_importance(teacher, documents)
    manifest = read_manifest(teacher)
    task = build_task(manifest.task, manifest.task_settings)
    (spec,) = task.heads()
    network = load_trained_network(teacher, [spec])
    squares = []
    rows = encode_rows(task, documents, tiny_tokenizer())
    assert len({len(row.window) for row in rows}) > 1
    for row in rows:
        batch = collate([row], [spec], pad_id=0)
        network.zero_grad()
        logits = network_logits(network, batch)[spec.name]
        for part, gold in zip(spec.slices, batch.targets[spec.name].unbind(-1), strict=True):
            functional.cross_entropy(
                logits[..., part].flatten(0, 1), gold.flatten(), reduction="sum"
            ).backward(retain_graph=True)
        squares.append(network.heads[spec.name].classifier.weight.grad.square())  # type: ignore[union-attr]
    found = load_file(teacher / IMPORTANCE)[f"heads.{spec.name}.classifier.weight"]
    torch.testing.assert_close(found, torch.stack(squares).mean(0))


def test_records_that_cannot_be_weighed_are_told(
    teacher: Path, tables: dict[str, Any], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    text = Path(tables["data"]["train"][0]["corpus"]).read_text()
    corpus.write_text('{"txt": "a"}\n' + text)
    listed = tmp_path / "rejects.jsonl"
    found = call("importance", teacher, corpus, "--rows", 1, "--rejects", listed, "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["set_aside"] == 1
    assert '"place": "1"' in listed.read_text()


def test_rows_that_learn_from_each_other_have_no_importance(tmp_path: Path) -> None:
    model = write_tiny_model_folder(
        tmp_path / "vectors", task="embedding", others={"learn": "dropout"}
    )
    with pytest.raises(BadInputError, match=r"learn from each other \(embedding\)"):
        write_importance(model, Embedding.toy_documents())


@pytest.mark.parametrize("heads", ["kept", "new"])
def test_the_price_of_moving_is_that_of_its_formula_and_new_heads_are_free(
    bench: Make, teacher: Path, tables: dict[str, Any], heads: str
) -> None:
    documents = list(read_documents(tables["data"]["train"][0]["corpus"], None, Rejects()))
    importance = load_file(write_importance(teacher, documents, rows=4))
    made = bench(consolidation={"strength": 3.0}, model={"encoder": str(teacher), "heads": heads})
    before = {name: one.detach().clone() for name, one in made.network.named_parameters()}
    prices = []
    for name, weight in made.network.named_parameters():
        weight.detach().add_(torch.randn(weight.shape))
        if name in importance and (heads == "kept" or not name.startswith("heads.")):
            moved = weight.detach() - before[name]
            prices.append((importance[name] * moved**2).sum())
    (method,) = made.methods.members
    found = method.penalty()
    assert found is not None
    torch.testing.assert_close(found.detach(), 3.0 / 2 * torch.stack(prices).sum())


@pytest.mark.parametrize(
    "lines",
    [
        {},
        {"adversarial": {"kind": "fgm"}},
        {"adversarial": {"kind": "pgd"}},
        {"adversarial": {"kind": "freelb"}},
        {"distillation": {"weight": 1.0}},
        {"batches": {"accumulation": 2}},
    ],
    ids=str,
)
def test_the_price_is_paid_once_for_an_update_in_whatever_company(
    run: Callable[..., Any],
    tables: dict[str, Any],
    teacher: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: dict[str, Any],
) -> None:
    """The gradient of an update without a price, and one with it, differ by that of the price."""
    documents = list(read_documents(tables["data"]["train"][0]["corpus"], None, Rejects()))
    write_importance(teacher, documents, rows=4)
    prices: list[dict[str, torch.Tensor]] = []
    found: list[dict[str, torch.Tensor]] = []

    def gradients(network: Network) -> dict[str, torch.Tensor]:
        named = network.named_parameters()
        return {name: one.grad.clone() for name, one in named if one.grad is not None}

    def seen(methods: Methods, network: Network) -> None:
        found.append(gradients(network))
        if (price := methods.penalty()) is not None:
            network.zero_grad()
            price.backward()  # type: ignore[no-untyped-call]
            prices.append(gradients(network))
        raise KeyboardInterrupt

    def moved(consolidation: Consolidation, network: Network) -> None:
        prepare(consolidation, network)
        with torch.no_grad():
            for anchor in consolidation._anchors.values():
                anchor.add_(0.1)

    prepare = Consolidation.prepare
    monkeypatch.setattr(Consolidation, "prepare", moved)
    monkeypatch.setattr(Methods, "before_update", seen)
    if "distillation" in lines:
        lines = {"distillation": {**lines["distillation"], "teacher": str(teacher)}}
    model = {"encoder": str(teacher), "heads": "kept"}
    for name, priced in (("without", {}), ("with", {"consolidation": {"strength": 50.0}})):
        with pytest.raises(KeyboardInterrupt):
            run(name, model=model, **lines, **priced)
    (price,), (without, both) = prices, found
    assert price and any(one.any() for one in price.values())
    for name, gradient in price.items():
        torch.testing.assert_close(both[name] - without[name], gradient, atol=2e-5, rtol=1e-3)


def test_what_matters_moves_less(
    run: Callable[..., Any], tables: dict[str, Any], teacher: Path, tmp_path: Path
) -> None:
    corpus = tables["data"]["train"][0]["corpus"]
    found = call("importance", teacher, corpus, "--rows", 6, "--json")
    assert found.code == 0, found.err
    importance = load_file(teacher / IMPORTANCE)
    model = {"encoder": str(teacher), "heads": "kept"}
    moved = {}
    for name, strength in (("free", 1e-9), ("held", 1e6)):
        run(name, model=model, consolidation={"strength": strength})
        moved[name] = _moved(teacher, tmp_path / name, importance)
    assert moved["held"] < 0.5 * moved["free"]


def _moved(before: Path, after: Path, importance: dict[str, torch.Tensor]) -> float:
    groups = tuple(
        LabelGroup(label, ("O", f"B-{label}", f"I-{label}")) for label in ("Chemical", "Disease")
    )
    spec = HeadSpec("tags", "token", groups)
    old, new = (
        dict(load_trained_network(one, [spec]).named_parameters()) for one in (before, after)
    )
    prices = (importance[name] * (new[name] - old[name]).square() for name in importance)
    return sum(float(price.detach().sum()) for price in prices)


def test_without_importance_or_with_other_tasks_the_cure_is_named(
    bench: Make, encoder: Path
) -> None:
    with pytest.raises(BadInputError, match="biobert importance"):
        bench(consolidation={})
    with pytest.raises(BadInputError, match="strength"):
        bench(consolidation={"strength": 0.0})
    with pytest.raises(BadInputError, match="weight"):
        bench(ANSWERS, distillation={"teacher": str(encoder), "weight": 0.0})


def test_importance_adds_up_over_tasks(
    teacher: Path, tables: dict[str, Any], tmp_path: Path
) -> None:
    documents = list(read_documents(tables["data"]["train"][0]["corpus"], None, Rejects()))
    later = write_tiny_model_folder(tmp_path / "later", labels=("Chemical", "Disease"))
    write_importance(teacher, documents, rows=4)
    write_importance(later, documents, rows=4)
    before, alone = load_file(teacher / IMPORTANCE), load_file(later / IMPORTANCE)
    write_importance(later, documents, rows=4, earlier=teacher)
    for name, value in load_file(later / IMPORTANCE).items():
        torch.testing.assert_close(value, before[name] + alone[name])
    with pytest.raises(BadInputError, match="weigh the earlier model first"):
        write_importance(later, documents, earlier=tmp_path)


@pytest.mark.parametrize("name", ["distillation", "consolidation"])
def test_a_stopped_run_ends_with_the_same_weights(
    run: Callable[..., Any],
    stopped: Callable[..., None],
    tables: dict[str, Any],
    teacher: Path,
    tmp_path: Path,
    name: str,
) -> None:
    lines = {"teacher": str(teacher), "hidden": 0.5} if name == "distillation" else {}
    documents = list(read_documents(tables["data"]["train"][0]["corpus"], None, Rejects()))
    write_importance(teacher, documents, rows=3)
    changes = {
        name: lines,
        "model": {"encoder": str(teacher), "heads": "kept"},
        "run": {"precision": "bf16", "epochs": 3, "checkpoint_every_steps": 2},
    }
    whole = run("whole", **changes)
    stopped("stopped", step=len(whole.losses) - 1, **changes)
    run("stopped", resume=True, **changes)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


@pytest.mark.parametrize(
    "change", [{"layers": 1}, {"vocabulary": "other"}, {"reinitialised_layers": 1}], ids=str
)
def test_weights_that_move_or_begin_anew_are_not_held(
    bench: Make, teacher: Path, change: dict[str, Any]
) -> None:
    model = {"encoder": str(teacher), **change}
    with pytest.raises(BadInputError, match=rf"\[consolidation\] model\.{next(iter(change))}"):
        bench(consolidation={"strength": 1.0}, model=model)
