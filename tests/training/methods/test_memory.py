"""Learning from a teacher, and holding on to what was learnt before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.model.heads import head_loss
from biobert.model.hub import load_trained_network
from biobert.training.batches import network_logits
from biobert.training.importance import IMPORTANCE, write_importance
from biobert.training.methods.distillation import between_cosines, divergence
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder
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


def test_importance_is_the_mean_of_squared_gradients(teacher: Path, tables: dict[str, Any]) -> None:
    documents = list(read_documents(tables["data"]["train"][0]["corpus"], None, Rejects()))[:1]
    write_importance(teacher, documents, rows=1)
    found = load_file(teacher / IMPORTANCE)
    from biobert.core.model_folder import read_manifest
    from biobert.tasks import build_task
    from biobert.training.batches import collate, encode_rows
    from tests.tiny import tiny_tokenizer

    manifest = read_manifest(teacher)
    task = build_task(manifest.task, manifest.task_settings)
    (spec,) = task.heads()
    network = load_trained_network(teacher, [spec])
    rows = encode_rows(task, documents, tiny_tokenizer())
    squares = []
    for row in rows:
        batch = collate([row], [spec], pad_id=0)
        network.zero_grad()
        loss = head_loss(spec, network_logits(network, batch)[spec.name], batch.targets[spec.name])
        loss.backward()
        weight = network.heads[spec.name].classifier.weight
        squares.append(weight.grad.square())  # type: ignore[union-attr]
    # One row was drawn: it is one of these.
    name = f"heads.{spec.name}.classifier.weight"
    assert any(torch.allclose(found[name], one) for one in squares)


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
    from biobert.core.task import HeadSpec, LabelGroup

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
