"""Models that are replaced while they answer, and those that must not be."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from biobert.core.errors import BadInputError
from biobert.core.model_folder import ModelManifest
from biobert.model.adaptation import (
    Adaptation,
    BaseEncoder,
    adapt,
    save_adapter,
    weights_checksum,
)
from biobert.model.adapters import AdapterSettings
from biobert.model.hub import load_encoder
from biobert.model.network import Network
from biobert.pipeline.load import model_folder
from biobert.serving import service as service_module
from biobert.serving.drift import Drift, InputFigures, stability
from biobert.serving.keys import create_key
from biobert.serving.models import Announcements, Models, Reloaded
from biobert.serving.server import held
from biobert.serving.settings import DriftSettings, ServedModel, ServiceSettings
from biobert.tasks import build_task
from tests.serving.conftest import figure, serving
from tests.serving.texts import TEXTS
from tests.tiny import tiny_tokenizer

LABELS = {"labels": ["Chemical", "Disease"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(model_folder("embedded"), tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    _, key = create_key(folder.parent / "keys.json", "admin", role="admin")
    tables = {
        "models": [{"name": "mine", "folder": str(folder)}],
        "security": {"keys": folder.parent / "keys.json", "burst": 1000},
    }
    with serving(**tables) as client:
        client.headers["x-api-key"] = key
        yield client


def put_version(folder: Path, version: str) -> None:
    values = json.loads((folder / "biobert.json").read_text())
    (folder / "biobert.json").write_text(json.dumps({**values, "version": version}))


def version_of(client: TestClient) -> str:
    found = client.post("/v1/annotate", json={"text": TEXTS[0]})
    assert found.status_code == 200, found.text
    return str(found.json()["model"]["version"])


def test_a_new_version_takes_over_between_two_answers(client: TestClient, folder: Path) -> None:
    assert version_of(client) == "1"
    with ThreadPoolExecutor(5) as clients:
        asking = clients.map(lambda _: version_of(client), range(60))
        put_version(folder, "2")
        found = client.post("/v1/models/reload", json={"model": "mine"}).json()
        versions = list(asking)
    assert (found["before"]["version"], found["now"]["version"]) == ("1", "2")
    assert found["before"]["digest"] != found["now"]["digest"]
    assert set(versions) <= {"1", "2"} and version_of(client) == "2"
    metrics = client.get("/metrics").text
    assert f'digest="{found["now"]["digest"]}",model="mine",task="ner",version="2"}} 1.0' in metrics
    assert (
        f'digest="{found["before"]["digest"]}",model="mine",task="ner",version="1"}} 0' in metrics
    )


def cut(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def replaced(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content) and None


@pytest.mark.parametrize(
    "damage",
    [
        cut("model.onnx"),
        cut("tokenizer.json"),
        cut("biobert.json"),
        replaced("model.onnx", "no model"),
        replaced("tokenizer.json", "{}"),
        replaced("biobert.json", "{}"),
        replaced("biobert.json", '{"name": "x", "task": "nothing", "task_settings": {}}'),
        lambda folder: (folder / "biobert.json").unlink(),
        shutil.rmtree,
    ],
)
def test_damaged_models_are_refused(damage: Callable[[Path], None], folder: Path) -> None:
    damage(folder)
    with pytest.raises(BadInputError):
        Models([ServedModel("mine", str(folder))], _runtime())


def test_the_old_model_answers_on_where_the_new_one_is_damaged(
    client: TestClient, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut("model.onnx")(folder)
    found = client.post("/v1/models/reload", json={"model": "mine"})
    assert found.status_code == 409 and found.json()["error"]["code"] == "not-reloaded"
    assert found.json()["error"]["message"] == (
        f"model 'mine': {folder} is damaged, as the log says in full; copy it again; the old model "
        "answers on"
    )
    (logged,) = (one for one in caplog.records if one.getMessage() == "damaged")
    assert "can't be parsed" in logged.fields["reason"]  # type: ignore[attr-defined]
    assert version_of(client) == "1"
    metrics = client.get("/metrics").text
    assert 'biobert_model_reloads_total{model="mine",outcome="refused"} 1.0' in metrics
    assert client.post("/v1/models/reload", json={"model": "other"}).status_code == 404


def test_weights_that_are_no_numbers_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    shutil.copytree(tiny_model, tmp_path / "nan")
    weights = load_file(tmp_path / "nan/model.safetensors")
    save_file(
        {name: one * np.nan for name, one in weights.items()}, tmp_path / "nan/model.safetensors"
    )
    with pytest.raises(BadInputError, match="no numbers"):
        Models([ServedModel("mine", str(tmp_path / "nan"))], _runtime())


def test_an_encoder_says_what_it_is_for(folders: dict[str, Path]) -> None:
    with pytest.raises(BadInputError, match="use = 'embed'"):
        Models([ServedModel("mine", str(folders["encoder"]))], _runtime())


def write_adapter(folder: Path, encoder: Path) -> ServedModel:
    """A model that is an adapter of the encoder."""
    network = Network(load_encoder(encoder), build_task("ner", LABELS).heads())
    base = BaseEncoder(str(encoder), weights_checksum(network.encoder))
    adapt(network, Adaptation(AdapterSettings(kind="lora"), base))
    folder.mkdir()
    save_adapter(network, folder)
    tiny_tokenizer().save(folder)
    ModelManifest(folder.name, "ner", LABELS).write(folder)
    return ServedModel(folder.name, str(folder))


def test_adapters_of_one_encoder_hold_its_weights_once(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    settings = [write_adapter(tmp_path / name, folders["encoder"]) for name in "ab"]
    models = Models(settings, _runtime())

    def words() -> set[int]:
        """Where the vectors of the words lie."""
        networks = [one.model.predictor.network for one in models.all()]  # type: ignore[union-attr]
        return {
            parameter.data_ptr()
            for network in networks
            for parameter in network.parameters()
            if len(parameter) == tiny_tokenizer().vocabulary_size
        }

    before = words()
    assert len(before) == 1
    models.reload("a")
    assert words() == before


def test_one_of_several_replicas_keeps_its_model(folder: Path) -> None:
    keys = folder.parent / "keys.json"
    _, key = create_key(keys, "admin", role="admin")
    models = [{"name": "mine", "folder": str(folder)}]
    with serving(models=models, security={"keys": keys, "reload": "nobody"}) as client:
        client.headers["x-api-key"] = key
        put_version(folder, "2")
        found = client.post("/v1/models/reload", json={"model": "mine"})
        assert found.status_code == 409 and "deploy" in found.json()["error"]["message"]
        assert version_of(client) == "1"


def test_workers_tell_each_other(tmp_path: Path) -> None:
    one, other = (Announcements(tmp_path, ["a", "b / c"]) for _ in range(2))
    one.announce("b / c")
    assert (one.news(), other.news(), other.news()) == ([], ["b / c"], [])
    other.announce("a")
    one.announce("a")
    assert (one.news(), other.news()) == (["a"], ["a"])
    assert Announcements(tmp_path, ["a"]).news() == []


def test_news_are_heard_where_the_folder_was_cleared(tmp_path: Path) -> None:
    one, other = (Announcements(tmp_path, ["a"]) for _ in range(2))
    for _ in range(2):
        one.announce("a")
    assert other.news() == ["a"]
    for file in tmp_path.iterdir():
        file.unlink()
    one.announce("a")
    assert (other.news(), other.news()) == (["a"], [])


def test_a_folder_in_use_is_locked(tmp_path: Path) -> None:
    """As systemd-tmpfiles asks before it clears a folder."""
    fcntl = pytest.importorskip("fcntl")
    handle = os.open(tmp_path, os.O_RDONLY)
    with held(tmp_path), pytest.raises(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(handle)


def test_what_is_reloaded_while_a_worker_loads_is_news(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = service_module.WorkersShare(folder.parent, get_context("spawn").Event())

    class Slow(Models):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            Announcements(shared.folder, ["mine"]).announce("mine")

    monkeypatch.setattr(service_module, "Models", Slow)
    models = (ServedModel("mine", str(folder)),)
    service = service_module.Service(ServiceSettings(models=models), shared)
    assert service._announcements is not None and service._announcements.news() == ["mine"]
    service.close()


def test_reloads_that_overlap_leave_one_version(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = (ServedModel("mine", str(folder)),)
    service = service_module.Service(ServiceSettings(models=models))
    versions, load = iter("23"), service.models.reload

    def reload(name: str) -> Reloaded:
        put_version(folder, next(versions))
        return load(name)

    async def twice() -> None:
        await asyncio.gather(service.reload("mine"), service.reload("mine"))

    monkeypatch.setattr(service.models, "reload", reload)
    asyncio.run(twice())
    lines = service.metrics.text().decode().splitlines()
    service.close()
    (shown,) = (one for one in lines if one.startswith("biobert_model_info{") and one[-3:] == "1.0")
    assert 'version="3"' in shown


def texts(length: float, count: int) -> list[InputFigures]:
    generator = np.random.default_rng(5)
    return [
        InputFigures(float(abs(generator.normal(length, 300))), 0.01, 5.0) for _ in range(count)
    ]


def test_drift_tells_other_texts_from_the_same() -> None:
    drift = Drift(DriftSettings(documents=300, window=200))
    drift.add(texts(1000, 300))
    assert drift.scores() == {}
    drift.add(texts(1000, 200))
    assert drift.scores()["length"] < 0.1
    drift.add(texts(6000, 200))
    scores = drift.scores()
    assert scores["length"] > 0.25 and scores["unknown_rate"] < 0.1


def test_drift_forgets_what_left_the_window() -> None:
    drift, fresh = (Drift(DriftSettings(documents=100, window=60)) for _ in range(2))
    for one in (drift, fresh):
        one.add(texts(1000, 100))
    drift.add(texts(6000, 200))
    for one in (drift, fresh):
        one.add(texts(1000, 60))
    assert drift.scores() == fresh.scores() != {}


def test_the_index_is_that_of_its_formula() -> None:
    reference, current = np.array([49, 49]), np.array([74, 24])
    p, q = np.array([0.745, 0.245]) / 0.99, np.array([0.5, 0.5])
    assert stability(reference, current) == pytest.approx(float(((p - q) * np.log(p / q)).sum()))
    assert stability(reference, reference) == 0.0


def test_a_service_measures_drift() -> None:
    with serving(drift={"documents": 50, "window": 50}) as client:
        for text in ("Aspirin may cause ulcers. ", "Aspirin may cause ulcers. " * 9):
            body = {"documents": [{"text": text}] * 50}
            assert client.post("/v1/annotate", json=body).status_code == 200
        name = 'biobert_input_drift{feature="length",model="entities"}'
        assert figure(client, name) > 0.25
        assert figure(client, 'biobert_documents_total{model="entities"}') == 100
        assert figure(client, 'biobert_tokens_total{model="entities"}') > 100 * 7


@pytest.mark.parametrize("wish", [{"labels": ["Species"]}, {"minimum_score": 1.0}])
def test_what_an_answer_leaves_out_is_no_drift(wish: dict[str, Any]) -> None:
    with serving(drift={"documents": 50, "window": 50}) as client:
        for others in ({}, wish):
            body = {"documents": [{"text": "Aspirin may cause ulcers."}] * 50, **others}
            found = client.post("/v1/annotate", json=body).json()["documents"]
        assert not any(one.get("entities") for one in found)
        assert figure(client, 'biobert_input_drift{feature="entity_rate",model="entities"}') == 0.0


def _runtime():  # type: ignore[no-untyped-def]
    from biobert.runtime.settings import RuntimeSettings

    return RuntimeSettings()
