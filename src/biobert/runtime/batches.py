"""Windows as padded arrays, and outputs cut back to windows: what every back end shares."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from biobert.core.batching import pad_rows
from biobert.core.task import HeadSpec, IntArray, Outputs, Window

PAD_ID = 0
"""What stands in padded slots: the mask hides it, whatever it is."""


def padded_inputs(windows: Sequence[Window]) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """(rows, length) token ids and mask of a batch."""
    token_ids = pad_rows([window.token_ids for window in windows], value=PAD_ID)
    lengths = np.array([len(window) for window in windows])
    return token_ids, np.arange(token_ids.shape[1])[None, :] < lengths[:, None]


def cut_outputs(
    heads: Sequence[HeadSpec], logits: Mapping[str, npt.NDArray[np.float32]], row: int, length: int
) -> Outputs:
    """The outputs of one row; a token head's are cut to the window's own length."""
    return {
        head.name: logits[head.name][row, :length]
        if head.kind == "token"
        else logits[head.name][row]
        for head in heads
    }
