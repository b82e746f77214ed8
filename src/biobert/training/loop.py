"""The training loop: batches in, a trained network out; exact to resume, the same on any engine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from biobert.core.ahead import made_ahead
from biobert.core.errors import BiobertError
from biobert.core.task import HeadSpec, Scores
from biobert.model.network import Network
from biobert.model.tensors import write_tensors
from biobert.training.batches import Batch, network_logits
from biobert.training.checkpoint import (
    Progress,
    checkpoints,
    is_kept,
    load_checkpoint,
    load_network,
    run_state,
    save_checkpoint,
)
from biobert.training.curves import LiveCurves
from biobert.training.history import shown_scores, write_history
from biobert.training.method import Turn
from biobert.training.methods import build_methods
from biobert.training.optimizer import build_optimizer, schedule
from biobert.training.parallel import (
    build_accelerator,
    compile_layers,
    gathered,
    spread,
    unsharded,
    whole,
)
from biobert.training.recipe import Recipe
from biobert.training.sources import BatchSource, Examiner, Learner, own_share
from biobert.training.speed import StepClock
from biobert.training.tracking import flat_settings, tracked_scores

BEST = "best.safetensors"
HISTORY_ROWS = 10_000
"""A longer run remembers the loss of every n-th step only."""
Keep = Callable[[Path, Network], object]
"""Puts the network beside the state of a checkpoint that stays."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """One optimizer step of `steps`, for progress bars and trackers."""

    epoch: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    tokens_per_second: float = 0.0


class DivergedError(BiobertError):
    """The loss is no number any more."""


class Listener(Protocol):
    """Whoever wants to know how the run goes."""

    def noted(self, message: str) -> None:
        """Before the run: something its owner should know."""

    def stepped(self, report: StepReport) -> None:
        """After each optimizer step."""

    def evaluated(self, step: int, scores: dict[str, Scores], main: float) -> None:
        """After each evaluation on devel."""


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A batch, and the key it was made from."""

    key: Any
    batch: Batch


class TrainingLoop:
    """One run of a recipe over the batches of a source, into `output / "checkpoints"`."""

    def __init__(
        self,
        recipe: Recipe,
        learner: Learner,
        source: BatchSource,
        *,
        examiner: Examiner | None = None,
        output: Path,
        listener: Listener,
        factor: Callable[[int], float] | None = None,
        keep: Keep = lambda place, network: None,
    ) -> None:
        self.recipe = recipe
        self.keep = keep
        self.source = source
        self.examiner = examiner
        self.output = output
        self.folder = output / "checkpoints"
        self.curves = LiveCurves(output)
        self.listener = listener
        self.heads: dict[str, HeadSpec] = {head.name: head for head in learner.task.heads()}
        self.accelerator = build_accelerator(recipe.run, output)
        self.progress = Progress(processes=self.accelerator.num_processes)
        self.steps = self._all_steps()
        self.methods = build_methods(recipe, steps=self.steps)
        self.methods.prepare(learner.network)
        self.network = spread(learner.network, self.accelerator, recipe.run.parallel)
        if recipe.run.compilation == "default":
            compile_layers(self._bare())
        self.optimizer = self.accelerator.prepare(build_optimizer(self._bare(), recipe.optimizer))
        self.factor = factor or schedule(recipe.schedule, steps=self.steps)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.clock = StepClock(
            learner.network.encoder,
            processes=self.accelerator.num_processes,
            peak_teraflops=recipe.run.peak_teraflops,
        )

    def run(self, *, resume: bool) -> Progress:
        """Train to the end; the network then holds the best weights on devel, or the last."""
        if resume:
            self._load_latest()
        self.accelerator.init_trackers("biobert", config=flat_settings(self.recipe.resolved()))
        if not self.progress.step and self.recipe.run.evaluate_every_steps:
            self._evaluate()
        while self._goes_on():
            self._run_epoch()
        if self.examiner is not None and (self.folder / BEST).is_file():
            load_network(self._bare(), self.folder / BEST)
        else:
            self.methods.finish(self._bare())
        return self.progress

    def close(self) -> None:
        """End trackers and the processes' talk; sharded weights must be gathered before."""
        self.accelerator.end_training()

    def _goes_on(self) -> bool:
        if self.progress.step >= self.steps or self._out_of_patience():
            return False
        return self.recipe.run.steps is not None or self.progress.epoch < self.recipe.run.epochs

    def _run_epoch(self) -> None:
        self.network.train()
        self.methods.begin_epoch(self.progress.epoch)
        plan = self.source.plan(self.progress.epoch, step=self.progress.epoch_step)
        end = min(self.steps, plan.until or self.steps)
        batches = self._prepared(islice(self._own(plan.keys), self.progress.batch, None))
        while self.progress.step < end and not self._out_of_patience():
            group = list(islice(batches, self.recipe.batches.accumulation))
            if not group:
                break
            self._step(group)
            self.progress.batch += len(group)
            self._after_step()
        self.progress.epoch += 1
        self.progress.epoch_step, self.progress.batch = self.progress.step, 0
        ended = self.progress.step >= self.steps or self._out_of_patience()
        if self.recipe.run.evaluate_every_steps is None or (ended and not self._evaluated()):
            self._evaluate()
        # A run that counts steps saves by steps: epochs of a small corpus may take seconds.
        if ended or self.recipe.run.steps is None:
            self._save()

    def _step(self, group: list[_Prepared]) -> None:
        self._set_rates()
        torch.manual_seed(self._seed(self.progress.step))
        losses = [
            self._learn(one, share=len(group), last=number == len(group) - 1)
            for number, one in enumerate(group)
        ]
        price = self._pay(group[-1].key)
        self.methods.before_update(self._bare())
        self.accelerator.clip_grad_norm_(
            self.network.parameters(), self.recipe.optimizer.maximum_gradient_norm
        )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        self.methods.after_update(self._bare(), self.progress.step)
        self.clock.tick([one.batch for one in group])
        self._report(sum(losses) / len(group) + price)

    def _after_step(self) -> None:
        run = self.recipe.run
        if run.evaluate_every_steps and self.progress.step % run.evaluate_every_steps == 0:
            self._evaluate()
        step = self.progress.step
        if step % run.checkpoint_every_steps == 0 or is_kept(step, run.keep_every_steps):
            self._save()

    def _learn(self, one: _Prepared, *, share: int, last: bool) -> float:
        """Add the gradients of one of `share` batches; the last one meets other processes."""

        def backward(loss: torch.Tensor, **inputs: Any) -> None:
            self.accelerator.backward(loss / share, **inputs)

        batch = one.batch.to(self.accelerator.device)
        turn = Turn(batch, lambda: self._loss(batch, one.key), backward, self._apart)
        with nullcontext() if last else self._apart():
            return float(self.methods.descent(turn).detach())

    def _pay(self, key: Any) -> float:
        """Add the gradients of what the weights cost as they stand, the same on every process."""
        price = self.methods.penalty()
        if price is None:
            return 0.0
        self._check(price, key)
        self.accelerator.backward(price)
        return float(price.detach())

    def _apart(self) -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = self.accelerator.no_sync(self.network)
        return context

    def _loss(self, batch: Batch, key: Any) -> torch.Tensor:
        answers = [network_logits(self.network, batch) for _ in range(self.methods.passes)]
        loss = self.methods.loss(answers, batch, self.heads)
        self._check(loss, key)
        return loss

    def _check(self, loss: torch.Tensor, key: Any) -> None:
        if not torch.isfinite(loss):
            raise DivergedError(
                f"the loss is {loss.item()} in epoch {self.progress.epoch + 1}, "
                f"batch {self.progress.batch + 1} ({self.source.place(key)}); lower "
                "optimizer.learning_rate or check the data"
            )

    def _own(self, keys: Any) -> Iterator[Any]:
        accelerator = self.accelerator
        return own_share(
            keys, process=accelerator.process_index, processes=accelerator.num_processes
        )

    def _prepared(self, keys: Iterator[Any]) -> Iterator[_Prepared]:
        """Batches from here to the end of the epoch, each with its own source of chance."""
        epoch, process = self.progress.epoch, self.accelerator.process_index
        seed = self.recipe.run.seed

        def make(numbered: tuple[int, Any]) -> _Prepared:
            number, key = numbered
            generator = np.random.default_rng((seed, process, epoch, number))
            return _Prepared(key, self.source.batch(key, generator))

        return made_ahead(make, zip(count(self.progress.batch), keys, strict=False))

    def _all_steps(self) -> int:
        if self.recipe.run.steps is not None:
            return self.recipe.run.steps
        return sum(self._steps_in(epoch) for epoch in range(self.recipe.run.epochs))

    def _steps_in(self, epoch: int) -> int:
        batches, processes = self.source.count(epoch), int(self.accelerator.num_processes)
        if batches is None:
            raise BiobertError("this run has no end: set run.steps in the recipe", code="bad-input")
        own = -(-batches // processes)
        return -(-own // self.recipe.batches.accumulation)

    def _seed(self, step: int) -> int:
        process: int = self.accelerator.process_index
        return hash((self.recipe.run.seed, process, step)) % (1 << 62)

    def _set_rates(self) -> None:
        factor = self.factor(self.progress.step)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def _report(self, loss: float) -> None:
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        progress, speed = self.progress, self.clock.figures()
        if progress.step % max(1, self.steps // HISTORY_ROWS) == 0:
            row = {"step": progress.step, "loss": loss, "learning_rate": rate, **speed}
            progress.history.append(row)
        self.accelerator.log({"loss": loss, "learning_rate": rate, **speed}, step=progress.step)
        if self.accelerator.is_main_process:
            self.listener.stepped(
                StepReport(
                    progress.epoch + 1,
                    progress.step,
                    self.steps,
                    loss,
                    rate,
                    speed["tokens_per_second"],
                )
            )

    def _evaluate(self) -> None:
        """Score on devel, on every process alike: sharded weights answer only together."""
        if self.examiner is None:
            return
        with self.methods.scored(self._bare()):
            self._score(self.examiner)
        self.clock.restart()

    def _score(self, examiner: Examiner) -> None:
        scores = examiner.evaluate(self._to_score(), self.accelerator.device)
        main = sum(score.main for score in scores.values()) / len(scores)
        if self.accelerator.is_main_process:
            self.listener.evaluated(self.progress.step, scores, main)
        self.progress.evaluations += 1
        shown = shown_scores(scores)
        entry = {"step": self.progress.step, "score": main, "scores": shown}
        self.progress.history.append(entry)
        self._keep_best(main)
        self.accelerator.log(tracked_scores(main, shown), step=self.progress.step)
        if self.accelerator.is_main_process:
            write_history(self.progress.history, self.output)
            self.curves.update(self.progress.history)

    def _to_score(self) -> Network:
        """The network; whole where texts are written, for a search takes a copy of all weights."""
        network = self._bare()
        writes = any(spec.kind == "text" for spec in network.specs)
        return gathered(network).to(self.accelerator.device) if writes else network

    def _evaluated(self) -> bool:
        last = next((row for row in reversed(self.progress.history) if "score" in row), None)
        return last is not None and last["step"] == self.progress.step

    def _keep_best(self, score: float) -> None:
        progress, gain = self.progress, self.recipe.run.patience_gain or 0.0
        if progress.patient_score is None or score > progress.patient_score + gain:
            progress.patient_score, progress.best_evaluation = score, progress.evaluations
        # What is no number is never better.
        if progress.best_score is not None and not score > progress.best_score:
            return
        progress.best_score = score
        tensors = whole(self._bare().state_dict())
        if self.accelerator.is_main_process:
            write_tensors(tensors, self.folder / BEST)

    def _out_of_patience(self) -> bool:
        patience, best = self.recipe.run.patience, self.progress.best_evaluation
        if patience is None or best is None:
            return False
        return self.progress.evaluations - best >= patience

    def _save(self) -> None:
        state = run_state(self._bare(), self.optimizer, self.methods)
        every = self.recipe.run.keep_every_steps
        complete = self._keeping() if is_kept(self.progress.step, every) else None
        if self.accelerator.scaler is not None:
            self.progress.scaler = self.accelerator.scaler.state_dict()
        if self.accelerator.is_main_process:
            save_checkpoint(
                self.folder,
                self.progress,
                state,
                recipe=self.recipe.resolved(),
                keep_every_steps=every,
                complete=complete,
            )
            write_history(self.progress.history, self.output)
        self.accelerator.wait_for_everyone()
        self.clock.restart()

    def _keeping(self) -> Callable[[Path], object]:
        """What puts the network that is scored beside the state; every process must call it."""
        with self.methods.scored(self._bare()):
            tensors = whole(self._bare().state_dict())

        def complete(place: Path) -> None:
            with self.methods.scored(self._bare()):
                self.keep(place, unsharded(self._bare(), tensors))

        return complete

    def _load_latest(self) -> None:
        found = checkpoints(self.folder)
        if found:
            self.progress = load_checkpoint(
                found[-1],
                network=self._bare(),
                optimizer=self.optimizer,
                methods=self.methods,
                recipe=self.recipe.resolved(),
                processes=self.accelerator.num_processes,
            )
        if self.progress.scaler:
            self.accelerator.scaler.load_state_dict(self.progress.scaler)

    def _bare(self) -> Network:
        network: Network = self.accelerator.unwrap_model(self.network)
        return network
