"""Several tasks on one encoder, from training to models of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.pipeline import evaluating
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.load import load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.training.splitting import split_folder
from tests.tasks.test_multitask import BREAST, LITHIUM, NAMES, TOPICS
from tests.training.conftest import Recorder

ASPIRIN = Document("aspirin", "The aspirin and the breast cancer.", labels=("cancer",))


@pytest.fixture
def corpora(tmp_path: Path) -> dict[str, Path]:
    """Names in one file, topics in another."""
    places = {"names": tmp_path / "names.jsonl", "topics": tmp_path / "topics.jsonl"}
    write_documents([LITHIUM] * 6, places["names"], "jsonl")
    write_documents([BREAST, ASPIRIN] * 4, places["topics"], "jsonl")
    return places


def test_both_are_learnt_at_once_and_split_into_models(
    run: Callable[..., Recorder],
    corpora: dict[str, Path],
    tmp_path: Path,
) -> None:
    sources = [{"corpus": str(path), "part": part} for part, path in corpora.items()]
    task = {"name": "multitask", "parts": {"names": NAMES, "topics": TOPICS}}
    run("model", task=task, data={"train": sources, "devel": sources}, run={"epochs": 25})
    manifest = read_manifest(tmp_path / "model")
    assert manifest.metrics["devel"] > 0.9
    assert manifest.task_settings["parts"]["topics"]["thresholds"]
    annotator = Annotator(tmp_path / "model", settings=RuntimeSettings(engine="torch"))
    found = annotator.annotate(BREAST.text)
    assert set(found.labels) == {"heart", "cancer"}
    (whole,) = annotator.annotate_many([LITHIUM.text])
    assert {whole.mention(one) for one in whole.entities} == {"Lithium", "cardiac arrest"}
    places = CorpusPlaces(cache=tmp_path / "cache")
    with pytest.raises(BadInputError, match="biobert split"):
        evaluating.evaluate(annotator, evaluating.TestSet(str(corpora["names"])), places)
    written = split_folder(tmp_path / "model", tmp_path / "parts")
    assert list(written) == ["names", "topics"]
    for part, path in corpora.items():
        alone = Annotator(tmp_path / "parts" / part, settings=RuntimeSettings(engine="torch"))
        report = evaluating.evaluate(alone, evaluating.TestSet(str(path)), places)
        assert report.scores.main > 0.95
    with pytest.raises(BadInputError, match="there are no parts"):
        split_folder(tmp_path / "parts" / "names", tmp_path / "more")


def test_sources_must_say_their_part(
    run: Callable[..., Recorder],
    corpora: dict[str, Path],
) -> None:
    task = {"name": "multitask", "parts": {"names": NAMES, "topics": TOPICS}}
    with pytest.raises(BadInputError, match="part 'None'"):
        run("model", task=task, data={"train": [{"corpus": str(corpora["names"])}], "devel": []})
    sources = [{"corpus": str(corpora["names"]), "part": "names"}]
    with pytest.raises(BadInputError, match="ner has no parts"):
        run("other", task=NAMES, data={"train": sources, "devel": []})


@pytest.mark.parametrize("kind", ["lora", "prompt", "prefix"])
def test_parts_take_the_adapter_with_them(
    kind: str, run: Callable[..., Recorder], corpora: dict[str, Path], tmp_path: Path
) -> None:
    sources = [{"corpus": str(path), "part": part} for part, path in corpora.items()]
    task = {"name": "multitask", "parts": {"names": NAMES, "topics": TOPICS}}
    data = {"train": sources, "devel": []}
    run("model", task=task, data=data, adapter={"kind": kind}, run={"steps": 3})
    split_folder(tmp_path / "model", tmp_path / "parts")
    settings = RuntimeSettings(engine="torch")
    whole = load_model(tmp_path / "model", settings)
    for part, document in (("names", LITHIUM), ("topics", BREAST)):
        alone = load_model(tmp_path / "parts" / part, settings)
        assert (tmp_path / "parts" / part / "adapter.safetensors").is_file()
        (before,), (after,) = whole.part(part).annotated([document]), alone.annotated([document])
        assert after.label_scores == pytest.approx(before.label_scores, abs=1e-6)
        assert after.entities == before.entities
