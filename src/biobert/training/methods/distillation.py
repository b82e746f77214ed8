"""Distillation: a student learns what a trained teacher thinks of every answer.

Hinton et al. 2015 (arXiv:1503.02531): the loss is (1 - w) of its own and w times T^2 the divergence
of the softened answers. With `hidden`, the cosines between the token vectors of a row are drawn to
the teacher's as well (similarity-preserving distillation, Tung and Mori 2019, arXiv:1907.09682):
that needs no layer between vectors of different widths.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.hub import find_published_folder
from biobert.core.model_folder import read_manifest
from biobert.core.task import IGNORED, HeadSpec
from biobert.model.heads import choices
from biobert.model.hub import load_trained_network
from biobert.model.network import Network
from biobert.tasks import build_task
from biobert.text.tokenizer import TOKENIZER_FILES, Tokenizer
from biobert.training.batches import Batch, network_logits
from biobert.training.method import Answers, Method
from biobert.training.method_settings import DistillationSettings
from biobert.training.recipe import Recipe

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Distillation(Method):
    """The teacher answers each batch too; it neither learns nor drops out."""

    name = "distillation"

    def __init__(
        self, teacher: Network, settings: DistillationSettings, precision: torch.dtype | None
    ) -> None:
        self._teacher = teacher.eval().requires_grad_(False)
        self._settings = settings
        self._precision = precision
        self._vectors: dict[str, torch.Tensor] = {}

    def prepare(self, network: Network) -> None:
        """Check that both answer alike, and listen to what their encoders say."""
        if network.specs != self._teacher.specs:
            raise BadInputError("[distillation] teacher and student differ in their heads")
        if self._settings.hidden:
            self._listen(network.encoder, "student")
            self._listen(self._teacher.encoder, "teacher")

    def blend(self, loss: torch.Tensor, answers: Sequence[Answers], batch: Batch) -> torch.Tensor:
        """The weighted sum of the loss so far and of what lies between student and teacher."""
        wanted = self._teachers_answers(batch)
        settings = self._settings
        apart = torch.stack(
            [
                divergence(spec, one[spec.name], wanted[spec.name], batch, settings.temperature)
                for one in answers
                for spec in self._teacher.specs
            ]
        ).sum() / len(answers)
        total = (1.0 - settings.weight) * loss + settings.weight * apart
        if settings.hidden:
            student, teacher = self._vectors["student"], self._vectors["teacher"]
            total = total + settings.hidden * between_cosines(student, teacher, batch)
        return total

    @torch.no_grad()
    def _teachers_answers(self, batch: Batch) -> Answers:
        device = batch.token_ids.device
        context: AbstractContextManager[None] = nullcontext()
        if self._precision is not None:
            context = torch.autocast(device.type, dtype=self._precision)
        with context:
            return network_logits(self._teacher.to(device), batch)

    def _listen(self, encoder: nn.Module, who: str) -> None:
        def keep(module: nn.Module, inputs: object, vectors: torch.Tensor) -> None:
            self._vectors[who] = vectors

        encoder.register_forward_hook(keep)


def divergence(
    spec: HeadSpec, student: torch.Tensor, teacher: torch.Tensor, batch: Batch, temperature: float
) -> torch.Tensor:
    """T^2 times the mean KL of the softened answers, over the places that have a gold value.

    At such a place all groups of a head count, also those that its corpus does not annotate: there
    the teacher is the only one to say something.
    """
    student, teacher = student.float(), teacher.float()
    targets = batch.targets[spec.name]
    known = (targets != IGNORED).any(dim=-1)
    if spec.loss == "squared-error":
        return _mean((student - teacher)[known].square())
    if spec.loss == "binary":
        soft = torch.sigmoid(teacher / temperature)
        losses = functional.binary_cross_entropy_with_logits(
            student / temperature, soft, reduction="none"
        )
        return _mean(losses[known]) * temperature**2
    if spec.kind in ("span", "vocabulary", "text", "vector"):
        pairs = [
            (one.logits, other.logits, one.targets != IGNORED)
            for one, other in zip(
                choices(spec, student, targets), choices(spec, teacher, targets), strict=True
            )
        ]
    else:
        pairs = [(student[..., part], teacher[..., part], known) for part in spec.slices]
    parts = [_softened(one[known], other[known], temperature) for one, other, known in pairs]
    return torch.stack(parts).mean() * temperature**2


def between_cosines(student: torch.Tensor, teacher: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The mean square of the difference in cosine, over all pairs of real tokens of a row."""
    real = torch.ones_like(batch.token_ids, dtype=torch.bool)
    if batch.mask is not None:
        real = batch.mask > 0
    pairs = real[:, :, None] & real[:, None, :]
    return (_cosines(student) - _cosines(teacher)).square()[pairs].mean()


def _mean(losses: torch.Tensor) -> torch.Tensor:
    return losses.sum() / max(1, losses.numel())


def _softened(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    if not student.numel():
        return student.sum()
    return functional.kl_div(
        functional.log_softmax(student / temperature, dim=-1),
        functional.log_softmax(teacher / temperature, dim=-1),
        reduction="batchmean",
        log_target=True,
    )


def _cosines(vectors: torch.Tensor) -> torch.Tensor:
    """(rows, length, size) to (rows, length, length)."""
    unit = functional.normalize(vectors.float(), dim=-1)
    return unit @ unit.transpose(1, 2)


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe names a teacher."""
    del steps
    settings = recipe.distillation
    if settings is None:
        return None
    folder = Path(settings.teacher)
    manifest = read_manifest(folder)
    _check_vocabulary(recipe, folder)
    heads = build_task(manifest.task, manifest.task_settings).heads()
    precision = PRECISIONS.get(recipe.run.precision)
    return Distillation(load_trained_network(folder, heads), settings, precision)


def _check_vocabulary(recipe: Recipe, teacher: Path) -> None:
    source = recipe.model.vocabulary or recipe.model.encoder
    assert source is not None
    student = Tokenizer.from_folder(find_published_folder(source, TOKENIZER_FILES)).fingerprint()
    if Tokenizer.from_folder(teacher).fingerprint() != student:
        raise BadInputError(
            f"[distillation] teacher = {teacher}: its vocabulary is not the student's; a teacher "
            "answers the student's own token ids"
        )
