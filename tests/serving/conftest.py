"""Services with the built-in model, and small ones for the other tasks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from biobert.core.settings import from_mapping
from biobert.serving.http import build_service
from biobert.serving.settings import ServiceSettings
from tests.serving.browser import HOSTILE, address_of, browser, opened


@contextmanager
def serving(**tables: Any) -> Iterator[TestClient]:
    """A service in this process, from the tables of its settings; by itself without names."""
    tables = {"deidentification": {"names": "none"}, **tables}
    settings = from_mapping(ServiceSettings, tables, place="test")
    with serving_as(settings) as client:
        yield client


@contextmanager
def serving_as(settings: ServiceSettings) -> Iterator[TestClient]:
    """A service in this process."""
    service = build_service(settings)
    with TestClient(service, "http://localhost", raise_server_exceptions=False) as client:
        yield client


def figure(client: TestClient, name: str) -> float:
    """A figure of the metrics."""
    lines = client.get("/metrics").text.splitlines()
    return float(next(one for one in lines if one.startswith(name + " ")).rpartition(" ")[2])


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The built-in model as it is served without any settings."""
    with serving_as(replace(ServiceSettings())) as client:
        yield client


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model folder for each task."""
    from tests.serving.served import write_folders

    return write_folders(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def everything(folders: dict[str, Path]) -> Iterator[TestClient]:
    """A service with a model for each endpoint."""
    from tests.serving.served import models_of

    with serving(models=models_of(folders), runtime={"precision": "float32"}) as client:
        yield client


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for the tests of a module: while it runs, no other event loop may."""
    with browser() as found:
        yield found


@pytest.fixture(scope="session")
def address(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with the built-in model, one whose labels attack, and relations."""
    from tests.tiny import write_tiny_model_folder

    hostile = tmp_path_factory.mktemp("hostile") / "labels"
    write_tiny_model_folder(hostile, labels=[HOSTILE, '"><script>alert(2)</script>'])
    models = [
        {"name": "entities", "folder": "embedded"},
        {"name": "hostile", "folder": str(hostile)},
        {"name": "relations", "folder": str(folders["relations"])},
    ]
    with address_of(models=models) as found:
        yield found


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """The page of that service, freshly opened."""
    with opened(chromium, address) as found:
        yield found
