"""The training loop: batches in, a trained network out; exact to resume, the same on any engine."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from safetensors.torch import load_file, save_file

from biobert.core.annotate import annotate_documents
from biobert.core.document import Document
from biobert.core.errors import BiobertError
from biobert.core.task import HeadSpec, Scores, Task
from biobert.model.heads import head_loss
from biobert.model.network import Network
from biobert.model.predictor import TorchPredictor
from biobert.text.tokenizer import Tokenizer
from biobert.training.batches import Batch, Row, collate, epoch_batches, mask_words
from biobert.training.checkpoint import (
    Progress,
    checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from biobert.training.optimizer import build_optimizer, schedule
from biobert.training.recipe import Recipe
from biobert.training.tracking import check_trackers

BEST = "best.safetensors"


@dataclass(frozen=True, slots=True)
class DevelSet:
    """Documents of one corpus that choose the checkpoint."""

    name: str
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Learner:
    """What learns: the task, its tokenizer and the network with the task's heads."""

    task: Task
    tokenizer: Tokenizer
    network: Network


@dataclass(frozen=True, slots=True)
class StepReport:
    """One optimizer step of `steps`, for progress bars and trackers."""

    epoch: int
    step: int
    steps: int
    loss: float
    learning_rate: float


class Listener(Protocol):
    """Whoever wants to know how the run goes."""

    def stepped(self, report: StepReport) -> None:
        """After each optimizer step."""

    def evaluated(self, epoch: int, scores: dict[str, Scores], main: float) -> None:
        """After each evaluation on devel."""


class TrainingLoop:
    """One run of a recipe over rows, into `output / "checkpoints"`."""

    def __init__(
        self,
        recipe: Recipe,
        learner: Learner,
        rows: Sequence[Row],
        *,
        devel: Sequence[DevelSet] = (),
        output: Path,
        listener: Listener,
    ) -> None:
        if not rows:
            raise BiobertError("there is nothing to train on: the corpora gave no rows")
        self.recipe = recipe
        self.learner = learner
        self.rows = rows
        self.devel = devel
        self.folder = output / "checkpoints"
        self.listener = listener
        self.lengths = [len(row.window) for row in rows]
        self.heads: dict[str, HeadSpec] = {head.name: head for head in learner.task.heads()}
        self.accelerator = _accelerator(recipe, output)
        self.optimizer = build_optimizer(learner.network, recipe.optimizer)
        self.network, self.optimizer = self.accelerator.prepare(learner.network, self.optimizer)
        self.progress = Progress()
        self._plan: tuple[int, list[Any]] = (-1, [])
        self.steps = sum(self._steps_in(epoch) for epoch in range(recipe.run.epochs))
        self.factor = schedule(recipe.schedule, steps=self.steps)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]

    def run(self, *, resume: bool) -> Progress:
        """Train to the end; the network then holds the best weights on devel, or the last."""
        if resume:
            self._load_latest()
        self.accelerator.init_trackers("biobert", config=_flat(self.recipe.resolved()))
        while self.progress.epoch < self.recipe.run.epochs and not self._out_of_patience():
            self._run_epoch()
        self.accelerator.end_training()
        if self.devel and (self.folder / BEST).is_file():
            self._bare().load_state_dict(load_file(self.folder / BEST))
        return self.progress

    def _run_epoch(self) -> None:
        self.network.train()
        batches = self._batches(self.progress.epoch)
        size = self.recipe.batches.accumulation
        while self.progress.batch < len(batches):
            group = batches[self.progress.batch : self.progress.batch + size]
            self._step(group)
            self.progress.batch += len(group)
            if self.progress.step % self.recipe.run.checkpoint_every_steps == 0:
                self._save()
        self.progress.epoch += 1
        self.progress.batch = 0
        self._evaluate()
        self._save()

    def _step(self, group: Sequence[Any]) -> None:
        self._set_rates()
        torch.manual_seed(self._batch_seed())
        total = 0.0
        for number, row_numbers in enumerate(group):
            last = number == len(group) - 1
            with nullcontext() if last else self.accelerator.no_sync(self.network):
                loss = self._loss(self._batch(row_numbers))
                self._check(loss, row_numbers)
                self.accelerator.backward(loss / len(group))
            total += float(loss.detach())
        self.accelerator.clip_grad_norm_(
            self.network.parameters(), self.recipe.optimizer.maximum_gradient_norm
        )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        self._report(total / len(group))

    def _loss(self, batch: Batch) -> torch.Tensor:
        logits = self.network(batch.token_ids, batch.segment_ids, batch.mask)
        losses = [
            head_loss(head, logits[name], batch.targets[name]) for name, head in self.heads.items()
        ]
        return torch.stack(losses).sum()

    def _check(self, loss: torch.Tensor, row_numbers: Sequence[int]) -> None:
        if not torch.isfinite(loss):
            first = self.rows[int(row_numbers[0])].window
            raise BiobertError(
                f"the loss is {loss.item()} in epoch {self.progress.epoch + 1}, "
                f"batch {self.progress.batch + 1} (rows {[int(row) for row in row_numbers][:8]}, "
                f"longest {len(first)} tokens); lower optimizer.learning_rate or check the data"
            )

    def _batches(self, epoch: int) -> list[Any]:
        """This process's batches of an epoch; every process gets equally many."""
        if self._plan[0] != epoch:
            batches = epoch_batches(
                self.lengths, self.recipe.batches, seed=self.recipe.run.seed, epoch=epoch
            )
            processes = self.accelerator.num_processes
            # The first batches come twice where the number does not divide: none is left out.
            batches += batches[: -len(batches) % processes]
            self._plan = (epoch, batches[self.accelerator.process_index :: processes])
        return self._plan[1]

    def _steps_in(self, epoch: int) -> int:
        return -(-len(self._batches(epoch)) // self.recipe.batches.accumulation)

    def _batch(self, row_numbers: Sequence[int]) -> Batch:
        rows = [self.rows[int(number)] for number in row_numbers]
        tokenizer = self.learner.tokenizer
        batch = collate(rows, list(self.heads.values()), pad_id=tokenizer.special("pad"))
        if rate := self.recipe.regularization.masked_words:
            generator = torch.Generator().manual_seed(self._batch_seed() + int(row_numbers[0]))
            mask_id = tokenizer.special("mask")
            batch = mask_words(batch, rows, rate=rate, mask_id=mask_id, generator=generator)
        return batch.to(self.accelerator.device)

    def _batch_seed(self) -> int:
        process = self.accelerator.process_index
        return hash((self.recipe.run.seed, process, self.progress.step)) % (1 << 62)

    def _set_rates(self) -> None:
        factor = self.factor(self.progress.step)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def _report(self, loss: float) -> None:
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        progress = self.progress
        report = StepReport(progress.epoch + 1, progress.step, self.steps, loss, rate)
        progress.history.append({"step": report.step, "loss": loss, "learning_rate": rate})
        self.accelerator.log({"loss": loss, "learning_rate": rate}, step=report.step)
        if self.accelerator.is_main_process:
            self.listener.stepped(report)

    def _evaluate(self) -> None:
        if not self.devel:
            return
        main = torch.zeros(1, device=self.accelerator.device)
        if self.accelerator.is_main_process:
            scores = evaluate(self.learner, self._bare(), self.devel, self.accelerator.device)
            main[0] = sum(score.main for score in scores.values()) / len(scores)
            self.listener.evaluated(self.progress.epoch, scores, float(main))
            detail = {name: score.main for name, score in scores.items()}
            entry = {"step": self.progress.step, "score": float(main), "scores": detail}
            self.progress.history.append(entry)
        self._keep_best(float(broadcast(main)))
        self.accelerator.log({"devel": self.progress.best_score or 0.0}, step=self.progress.step)

    def _keep_best(self, score: float) -> None:
        if self.progress.best_score is None or score > self.progress.best_score:
            self.progress.best_score, self.progress.best_epoch = score, self.progress.epoch
            if self.accelerator.is_main_process:
                self.folder.mkdir(parents=True, exist_ok=True)
                unfinished = self.folder / f".{BEST}.part"
                save_file(self._bare().state_dict(), unfinished)
                unfinished.replace(self.folder / BEST)

    def _out_of_patience(self) -> bool:
        patience, best = self.recipe.run.patience, self.progress.best_epoch
        return patience is not None and best is not None and self.progress.epoch - best > patience

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            save_checkpoint(
                self.folder,
                self.progress,
                network=self._bare(),
                optimizer=self.optimizer,
                recipe=self.recipe.resolved(),
            )
        self.accelerator.wait_for_everyone()

    def _load_latest(self) -> None:
        found = checkpoints(self.folder)
        if found:
            self.progress = load_checkpoint(
                found[-1],
                network=self._bare(),
                optimizer=self.optimizer,
                recipe=self.recipe.resolved(),
                device=self.accelerator.device,
            )

    def _bare(self) -> Network:
        network: Network = self.accelerator.unwrap_model(self.network)
        return network


def evaluate(
    learner: Learner, network: Network, devel: Sequence[DevelSet], device: torch.device
) -> dict[str, Scores]:
    """Scores of each devel set by its name."""
    predictor = TorchPredictor(network, device=device)
    scores = {}
    for part in devel:
        predicted = annotate_documents(
            part.documents, task=learner.task, tokenizer=learner.tokenizer, predictor=predictor
        )
        scores[part.name] = learner.task.score(part.documents, predicted)
    return scores


def _accelerator(recipe: Recipe, output: Path) -> Accelerator:
    check_trackers(recipe.run.trackers)
    if recipe.run.precision == "fp16" and not torch.cuda.is_available():
        raise BiobertError("run.precision = 'fp16' needs a GPU; on a CPU use 'bf16' or 'float32'")
    precision = {"float32": "no"}.get(recipe.run.precision, recipe.run.precision)
    return Accelerator(
        mixed_precision=precision,
        log_with=list(recipe.run.trackers) or None,
        project_dir=str(output / "logs"),
    )


def _flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with dotted names, as trackers want them."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, int | float) else str(value)
    return flat
