"""Fixtures that every room's tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no failure, and the same change passes or fails twice alike.
# `pytest --hypothesis-profile=explore` looks for new cases.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def shipped_models_once() -> Iterator[None]:
    """The models of the package are compiled once for equal settings: half a second and 40 MB each.

    All that is theirs alone to say, and all other models, are loaded as ever.
    """
    from biobert.pipeline import load

    package, compiled = Path(load.__file__).parents[1], dict[object, object]()

    def load_exported(model: Path, heads: Any, settings: Any) -> Any:
        if package not in model.parents:
            return found(model, heads, settings)
        key = (model, tuple(heads), settings)
        if key not in compiled:
            compiled[key] = found(model, heads, settings)
        return compiled[key]

    found = load.load_exported
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "load_exported", load_exported)
        yield


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora; tests that ask for it are skipped where it is not set."""
    folder = os.environ.get("BIOBERT_DATA")
    if not folder:
        pytest.skip("BIOBERT_DATA is not set: real corpora are not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model folder with weights, as training writes it."""
    from tests.tiny import write_tiny_model_folder

    return write_tiny_model_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def exported_model(tiny_model: Path) -> Path:
    """The same model, exported in float32."""
    from biobert.compression.folder import export_folder

    export_folder(tiny_model, tiny_model.with_name("exported"))
    return tiny_model.with_name("exported")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Ray cluster of two cores, on this machine; it is started once, as Ray leaves traces."""
    ray = pytest.importorskip("ray", reason="the extra [scale] is not installed")
    root = Path(__file__).parents[1]
    # As the command does; what Ray would ask for its statistics outlives its start, in a thread.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with pytest.MonkeyPatch.context() as patch:
        # Where Ray keeps what is between its processes.
        patch.setenv("HOME", str(tmp_path_factory.mktemp("ray")))
        patch.setenv("PYTHONPATH", f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()
