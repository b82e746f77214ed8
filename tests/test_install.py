"""What the wheel must hold, so that it works from any folder."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import biobert
from biobert.pipeline.load import SHIPPED, model_folder

ROOT = Path(__file__).parents[1]


def test_the_package_carries_its_data() -> None:
    package = files("biobert")
    for folder in SHIPPED.values():
        for name in ("model.onnx", "tokenizer.json", "biobert.json", "README.md"):
            assert package.joinpath(folder, name).is_file()
    assert package.joinpath("data/formats/_html/page.css").is_file()
    assert package.joinpath("data/corpora/BC5CDR.toml").is_file()
    assert package.joinpath("trust/lists/surnames.txt").is_file()
    assert package.joinpath("py.typed").is_file()


@pytest.mark.parametrize("model", SHIPPED)
def test_no_embedded_file_is_beyond_thirty_megabytes(model: str) -> None:
    assert all(path.stat().st_size < 30_000_000 for path in model_folder(model).iterdir())


def test_the_base_install_has_no_training_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = {one.split(">")[0] for one in project["dependencies"]}
    assert not base & {"torch", "transformers", "accelerate", "onnx", "scikit-learn", "scipy"}
    assert "torch>=2.6" in project["optional-dependencies"]["train"]


def test_every_public_name_can_be_imported() -> None:
    for name in biobert.__all__:
        assert getattr(biobert, name) is not None
