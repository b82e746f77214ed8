"""Greedy and beam search find what transformers' `generate` finds, by any rules of writing."""

from typing import Any

import numpy as np
import pytest
import torch

from biobert.core.task import WritingSettings
from biobert.model.generation import TorchDecoder
from biobert.text.beam_search import TextEnds, written_ids
from tests.tiny import sharp_encoder_decoder

FIRST, LAST = 2, 3
"""`[CLS]` and `[SEP]` of the tiny tokenizer."""
SEEDS = (1, 2, 3)
RULES = [
    WritingSettings(beams=1, maximum_pieces=20, no_repeat=0),
    WritingSettings(beams=1, maximum_pieces=20, repetition_penalty=1.7),
    WritingSettings(beams=1, maximum_pieces=24, minimum_pieces=20, no_repeat=1),
    WritingSettings(beams=4, maximum_pieces=20),
    WritingSettings(beams=2, maximum_pieces=1),
    WritingSettings(beams=3, maximum_pieces=16, minimum_pieces=5, no_repeat=2),
    WritingSettings(beams=4, maximum_pieces=16, length_penalty=3.0, no_repeat=0),
    WritingSettings(beams=4, maximum_pieces=16, length_penalty=-2.0, no_repeat=1),
    WritingSettings(beams=5, maximum_pieces=40, repetition_penalty=1.4, minimum_pieces=2),
]


@pytest.fixture(scope="module", params=SEEDS)
def model(request: pytest.FixtureRequest) -> Any:
    return sharp_encoder_decoder(seed=request.param)


def sources() -> tuple[np.ndarray, np.ndarray]:
    """Five rows of several lengths, padded."""
    lengths = np.array([17, 3, 9, 12, 5])
    mask = np.arange(17)[None, :] < lengths[:, None]
    ids = np.random.default_rng(4).integers(5, 100, size=mask.shape)
    return np.where(mask, ids, 0), mask


def found_by_transformers(model: Any, settings: WritingSettings) -> list[list[int]]:
    ids, mask = sources()
    beams = {} if settings.beams == 1 else {"length_penalty": settings.length_penalty}
    written = model.generate(
        torch.from_numpy(ids),
        attention_mask=torch.from_numpy(mask).long(),
        decoder_start_token_id=FIRST,
        eos_token_id=LAST,
        pad_token_id=0,
        do_sample=False,
        num_beams=settings.beams,
        max_new_tokens=settings.maximum_pieces,
        min_new_tokens=settings.minimum_pieces,
        no_repeat_ngram_size=settings.no_repeat,
        repetition_penalty=settings.repetition_penalty,
        **beams,
    )
    rows = written[:, 1:].tolist()
    return [row[: row.index(LAST) + 1] if LAST in row else row for row in rows]


@pytest.mark.parametrize("settings", RULES, ids=str)
def test_texts_are_those_of_transformers(model: Any, settings: WritingSettings) -> None:
    ids, mask = sources()
    reading = TorchDecoder(model, device=torch.device("cpu")).read(ids, mask)
    found = written_ids(reading, len(ids), settings, TextEnds(FIRST, LAST))
    assert found == found_by_transformers(model, settings)


def test_the_models_write_texts_of_all_kinds() -> None:
    """Else the test above could not fail: long and short ones, that differ, stopped and ended."""
    models = [sharp_encoder_decoder(seed=seed) for seed in SEEDS]
    rows = [row for one in models for rules in RULES for row in found_by_transformers(one, rules)]
    assert len({tuple(row) for row in rows}) > 60
    assert {LAST in row for row in rows} == {True, False}
    assert len({len(row) for row in rows if LAST in row}) > 8


class Told:
    """A decoder of three pieces (0 and 1 begin and end) that is told what it thinks likely."""

    def __init__(self, *likely: dict[tuple[int, ...], list[float]]) -> None:
        self.likely = likely
        self.pieces = np.zeros((len(likely), 0), dtype=np.int64)

    def following(self, pieces: np.ndarray, ancestors: np.ndarray) -> np.ndarray:
        logits = np.zeros((*pieces.shape, 3), dtype=np.float32)
        for source, table in enumerate(self.likely):
            for beam, piece in enumerate(pieces[source]):
                before = self.pieces[source][ancestors[source, beam]]
                shares = table.get((*before.tolist(), int(piece)), [0.0, 1.0, 0.0])
                logits[source, beam] = np.log(np.array(shares) + 1e-9)
        self.pieces = np.concatenate([self.pieces, pieces], axis=1)
        return logits


def test_ancestors_say_what_a_beginning_goes_on_from() -> None:
    """The likeliest text of all begins with the piece that is likelier at first, or not."""
    first = {(0,): [0.0, 0.0, 1.0], (0, 2): [0.0, 0.4, 0.6], (0, 2, 2): [0.0, 1.0, 0.0]}
    late = {(0,): [0.0, 0.6, 0.4], (0, 2): [0.0, 0.0, 1.0], (0, 2, 2): [0.0, 0.1, 0.9]}
    settings = WritingSettings(beams=2, maximum_pieces=4, no_repeat=0, length_penalty=0.0)
    assert written_ids(Told(first, late), 2, settings, TextEnds(0, 1)) == [[2, 2, 1], [1]]
