"""What the steps share that take whole parts out of an encoder."""

from biobert.compression.importance import PartImportance, part_importance
from biobert.compression.workbench import Workbench
from biobert.core.errors import BadInputError
from biobert.training.sources import Learner


def check_kept(setting: str, kept: int, present: int) -> None:
    """An error unless something stays, and no more than there is."""
    if not 1 <= kept <= present:
        raise BadInputError(f"[[steps]] {setting} = {kept}: this encoder has {present}")


def check_rows(rows: int) -> None:
    """An error unless parts are weighed on something."""
    if rows < 1:
        raise BadInputError(f"[[steps]] rows = {rows}: at least 1, to weigh the parts on")


def weighed(learner: Learner, rows: int, bench: Workbench) -> PartImportance:
    """How much each part of the encoder matters on so many rows of the corpora."""
    if any(head.kind == "vector" for head in learner.network.specs):
        raise BadInputError(
            "an embedding model learns from pairs of rows, and parts are weighed by one row at a "
            "time, which have no loss: take the step distil, or train with model.layers"
        )
    drawn = bench.rows(learner.task, learner.tokenizer, rows)
    return part_importance(learner.network, drawn, pad_id=learner.tokenizer.special("pad"))
