"""The service as an application of Ray Serve, on a small cluster of this machine."""

from pathlib import Path

import httpx2
import pytest

from biobert import Annotator
from biobert.core.errors import BadInputError
from biobert.data.formats.jsonl import document_from_json
from biobert.serving.keys import create_key
from biobert.serving.settings import ServiceSettings
from tests.serving.test_process import free_port
from tests.serving.texts import TEXTS

pytest.importorskip("ray.serve", reason="the extra [ray-serve] is not installed")

pytestmark = [
    # Its own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def write_settings(folder: Path, *, keys: str = "") -> Path:
    file = folder / "service.toml"
    file.write_text(f'[security]\n{keys}\n[[models]]\nname = "entities"\nfolder = "embedded"\n')
    return file


@pytest.mark.usefixtures("cluster")
def test_answers_are_the_same_under_ray(tmp_path: Path) -> None:
    from ray import serve

    from biobert.serving.ray_app import build

    _, key = create_key(tmp_path / "keys.json", "lab")
    settings = write_settings(tmp_path, keys=f'keys = "{tmp_path / "keys.json"}"')
    port = free_port()
    serve.start(http_options={"port": port})
    try:
        serve.run(build({"settings": str(settings)}), name="biobert", route_prefix="/")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0) as client:
            assert client.post("/v1/annotate", json={"text": "Aspirin"}).status_code == 401
            client.headers["x-api-key"] = key
            assert client.get("/readyz").status_code == 200
            answers = [client.post("/v1/annotate", json={"text": text}) for text in TEXTS]
            assert client.post("/v1/annotate", json={"text": ""}).status_code == 422
    finally:
        serve.shutdown()
    found = [document_from_json(one.json()["documents"][0]) for one in answers]
    assert found == [Annotator().annotate(text) for text in TEXTS]


@pytest.mark.parametrize(
    ("lines", "arguments", "words"),
    [
        ("", {}, "there are no keys"),
        ('without_keys = "anywhere"', {"replicas": "3", "most_replicas": "2"}, "no fewer"),
        ('without_keys = "anywhere"', {"replicsa": "3"}, "replicas"),
    ],
)
def test_settings_that_are_not_meant(
    tmp_path: Path, lines: str, arguments: dict[str, str], words: str
) -> None:
    from biobert.serving.ray_app import build

    settings = write_settings(tmp_path, keys=lines)
    with pytest.raises(BadInputError, match=words):
        build({"settings": str(settings), **arguments})


def test_a_replica_is_one_of_all_there_may_be(tmp_path: Path) -> None:
    from biobert.serving.ray_app import RaySettings, of_replica

    settings = ServiceSettings()
    alone = of_replica(settings, RaySettings(tmp_path, cores=2))
    assert alone.security == settings.security and alone.runtime.threads == 2
    one_of_eight = of_replica(settings, RaySettings(tmp_path, most_replicas=8)).security
    assert (one_of_eight.replicas, one_of_eight.reload) == (8, "nobody")
