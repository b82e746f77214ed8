"""Models beside each other: every figure is there, and each model has its own process."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.pipeline import evaluating
from biobert.pipeline.load import load_model
from biobert.pipeline.speed import comparison
from biobert.pipeline.speed.comparison import (
    BATCHES,
    SpeedComparison,
    SpeedSettings,
    compare_speed,
    short_names,
    write_comparison,
)
from biobert.pipeline.speed.measures import (
    folder_bytes,
    latency_of,
    peak_memory_bytes,
    seconds_by_call,
    speed_texts,
    speed_unit,
)
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.ner import NamedEntityRecognition
from tests.tiny import write_tiny_model_folder

ONCE = SpeedSettings(texts=4, turns=1)


@pytest.fixture(scope="module")
def found(
    exported_model: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> SpeedComparison:
    folder = tmp_path_factory.mktemp("corpus")
    gold = NamedEntityRecognition.toy_documents()
    write_documents(gold, folder / "devel.jsonl", "jsonl")
    return compare_speed(
        [str(exported_model), str(tiny_model)],
        evaluating.TestSet(str(folder), "devel"),
        CorpusPlaces(cache=folder),
        speed=ONCE,
        settings=RuntimeSettings(precision="float32"),
    )


def test_every_figure_is_there(found: SpeedComparison, exported_model: Path) -> None:
    first, second = found.variants
    assert (first.name, second.name) == ("exported", "tiny")
    assert (first.engine, second.engine) == ("OpenVINO float32", "Torch float32")
    assert first.bytes == folder_bytes(exported_model)
    assert first.score == second.score is not None
    assert found.unit == "sentence"
    for one in found.variants:
        assert set(one.texts_per_second) == set(BATCHES)
        assert min(one.texts_per_second.values()) > 0
        assert 0 < one.p50_ms <= one.p99_ms
        assert one.load_seconds > 0
    # torch alone takes more than OpenVINO: the processes do not share what they import.
    assert first.peak_memory_bytes < second.peak_memory_bytes


def test_it_is_written_and_drawn(found: SpeedComparison, tmp_path: Path) -> None:
    write_comparison(found, tmp_path / "new")
    written = json.loads((tmp_path / "new" / "speed.json").read_text())
    assert written["variants"][0]["texts_per_second"]["32"] > 0
    assert (tmp_path / "new" / "speed.png").read_bytes().startswith(b"\x89PNG")
    unscored = replace(found, variants=tuple(replace(one, score=None) for one in found.variants))
    write_comparison(unscored, tmp_path / "unscored")
    assert not (tmp_path / "unscored" / "speed.png").exists()


def test_what_goes_wrong_in_a_process_is_told_here(exported_model: Path, tmp_path: Path) -> None:
    wanted = RuntimeSettings(engine="onnxruntime", precision="bf16")
    with pytest.raises(BadInputError, match=r"exported: ONNX Runtime does not compute in bf16"):
        compare_speed(
            [str(exported_model)], None, CorpusPlaces(tmp_path), speed=ONCE, settings=wanted
        )


def test_models_of_different_tasks_do_not_compare(exported_model: Path, tmp_path: Path) -> None:
    other = write_tiny_model_folder(tmp_path / "other", task="classification")
    with pytest.raises(BadInputError, match=r"exported is ner, .*other is classification"):
        compare_speed(
            [str(exported_model), str(other)],
            None,
            CorpusPlaces(tmp_path),
            speed=ONCE,
            settings=RuntimeSettings(),
        )


def test_labels_are_compared_before_anything_is_loaded(
    exported_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold = [Document("1", "Case.", annotated_labels=("Virus",))]
    write_documents(gold, tmp_path / "gold.jsonl", "jsonl")
    monkeypatch.delattr(comparison, "_Process")
    with pytest.raises(BadInputError, match="none in common"):
        compare_speed(
            [str(exported_model)],
            evaluating.TestSet(str(tmp_path / "gold.jsonl")),
            CorpusPlaces(tmp_path),
            speed=ONCE,
            settings=RuntimeSettings(),
        )


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["/long/way/one", "/long/way/two", "embedded"], ["one", "two", "embedded"]),
        (["runs/a/model", "runs/b/model"], ["a/model", "b/model"]),
        (["here/model", "here/model/"], ["model", "model"]),
        (["."], ["."]),
    ],
)
def test_names_are_as_long_as_it_takes(models: list[str], names: list[str]) -> None:
    assert short_names(models) == names


def test_texts_are_sentences_from_all_over(exported_model: Path) -> None:
    model = load_model(exported_model)
    documents = [Document(str(number), f"Case {number} has. Two words.") for number in range(9)]
    texts = speed_texts(model.task, documents, 4)
    assert [one.text for one in texts][0::3] == ["Case 0 has.", "Two words."]
    assert len(texts) == 4
    assert speed_unit(model.task) == "sentence"
    assert len(seconds_by_call(model, texts, 3)) == 2


def test_percentiles_and_memory() -> None:
    latency = latency_of([0.001] * 98 + [0.002, 0.1])
    assert latency.p50_ms == pytest.approx(1.0)
    assert 2.0 <= latency.p99_ms < 100.0
    assert peak_memory_bytes() > 20 * 2**20
