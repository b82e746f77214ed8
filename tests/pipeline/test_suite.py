"""What a suite may hold, and the rows of its table."""

from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.evaluation.overlap import Shared
from biobert.pipeline.suite.cells import Cell
from biobert.pipeline.suite.description import Suite, SuiteModel, SuiteTest
from biobert.pipeline.suite.table import as_markdown


def test_an_ensemble_joins_an_earlier_model_and_has_no_settings() -> None:
    tests = (SuiteTest("t", "c"),)
    with pytest.raises(BadInputError, match="ensemble of both before it"):
        Suite("s", (SuiteModel(tests=tests, ensemble="toy", name="both"),))
    for wrong in ({"recipe": "toy.toml", "ensemble": "toy"}, {"name": "toy"}):
        with pytest.raises(BadInputError, match="give it a `recipe`, or name an earlier model"):
            SuiteModel(tests=tests, **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="joins the seeds of 'toy': `set`"):
        SuiteModel(tests=tests, ensemble="toy", set=("run.epochs=1",))


def test_a_row_says_what_was_not_compared_and_what_compares_with_nothing() -> None:
    def row(*shared: Shared | None) -> str:
        scores = tuple(0.5 for _ in shared)
        cell = Cell(
            test="t", task="ner", measure="F1", corpus="c", split="test", checksum="", documents=9,
            set_aside=0, seeds=(1,), scores=scores, intervals=((0.4, 0.6),), shared=shared,
            minutes=(1.0,), incomparable="a split of our own",
        )  # fmt: skip
        plan = Suite("s", (SuiteModel("r.toml", (SuiteTest("t", "c"),)),))
        return as_markdown(plan, [cell])

    def shared(count: int, main: float | None, **others: Any) -> Shared:
        return Shared(count, 9, "sentences", main, ("c train",), **others)

    def in_part(count: int, main: float | None) -> Shared:
        return Shared(0, 9, "documents", None, ("c train",), (), count, main)

    assert "| not checked |" in row(None)
    assert "| none compares: a split of our own |" in row(None)
    assert "| 0 sentences shared |" in row(shared(0, None))
    assert "| 40.00 without 0 to 4 sentences |" in row(shared(0, None), shared(4, 0.3))
    assert "4 sentences; d train not checked |" in row(shared(4, 0.3, missing=("d train",)))
    parts = row(in_part(3, 0.2))
    assert "| 0 documents shared; 20.00 without 3 documents shared in part |" in parts
    assert "| 0 documents shared |" in row(in_part(0, None))


def test_two_models_of_one_recipe_need_names() -> None:
    tests = [(SuiteTest(name, "corpus"),) for name in ("one", "other")]
    with pytest.raises(BadInputError, match="two models toy; give each a `name`"):
        Suite("s", tuple(SuiteModel("toy.toml", some) for some in tests))
    named = [SuiteModel("toy.toml", some, name=some[0].name) for some in tests]
    assert [model.folder for model in Suite("s", tuple(named)).models] == ["one", "other"]
