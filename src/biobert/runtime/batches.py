"""How large a batch is, and its outputs cut back to windows: what every back end shares."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from biobert.core.task import HeadSpec, Outputs

TOKEN_BUDGET = 1024
"""Slots of a batch, where the settings leave it to the engine."""


def cut_outputs(
    heads: Sequence[HeadSpec], logits: Mapping[str, npt.NDArray[np.float32]], row: int, length: int
) -> Outputs:
    """The outputs of one row; those by token are cut to the window's own length."""
    return {
        head.name: logits[head.name][row, :length] if head.is_by_token else logits[head.name][row]
        for head in heads
    }
