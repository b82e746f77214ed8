"""A model, a folder of inputs, and a run over them."""

from pathlib import Path

import pytest

from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.batch import BatchResult, Destination, annotate_inputs

ABSTRACT = "1|t|Lithium and the heart\n1|a|Lithium caused cardiac arrest in breast cancer.\n\n"


@pytest.fixture(scope="module")
def annotator(exported_model: Path) -> Annotator:
    return Annotator(exported_model)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deeper").mkdir(parents=True)
    (folder / "one.txt").write_text("Aspirin and diabetes.")
    (folder / "two.pubtator").write_text(ABSTRACT * 3 + "not a line of PubTator\n\n")
    (folder / "deeper" / "one.txt").write_text("Breast cancer.")
    return folder


def run(
    annotator: Annotator, names: list[str], rejects: Rejects | None = None, **settings: object
) -> BatchResult:
    chosen = Destination(**settings)  # type: ignore[arg-type]
    return annotate_inputs(names, annotator, chosen, rejects or Rejects())
