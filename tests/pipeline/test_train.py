"""Training and scoring by what `biobert` exports."""

import subprocess
import sys
from pathlib import Path

import pytest

import biobert
from biobert.core.model_folder import read_manifest
from biobert.data.reading import write_documents
from biobert.tasks.ner import NamedEntityRecognition
from tests.tiny import write_tiny_encoder_folder
from tests.training.conftest import Recorder


def test_a_recipe_is_trained_and_the_model_scored(tmp_path: Path) -> None:
    write_documents(NamedEntityRecognition.toy_documents() * 4, tmp_path / "toy.jsonl")
    encoder = write_tiny_encoder_folder(tmp_path / "encoder")
    recipe = tmp_path / "toy.toml"
    recipe.write_text(
        f"""name = "toy"
        task = {{ name = "ner", labels = ["Chemical", "Disease"] }}
        model = {{ encoder = "{encoder}" }}
        data = {{ train = [{{ corpus = "{tmp_path / "toy.jsonl"}" }}] }}
        """
    )
    listener = Recorder()
    model, places = tmp_path / "model", biobert.CorpusPlaces(cache=tmp_path / "cache")
    manifest = biobert.train(
        recipe, model, places=places, changes=["run.steps=2", "seed=7"], listener=listener
    )
    assert len(listener.losses) == 2
    assert manifest.recipe["run"]["seed"] == 7
    assert read_manifest(model).recipe["run"] == manifest.recipe["run"]
    test_set = biobert.TestSet(str(tmp_path / "toy.jsonl"))
    report = biobert.evaluate(biobert.Annotator(model), test_set, places)
    assert 0.0 <= report.scores.main <= 1.0
    with pytest.raises(biobert.BiobertError, match=r"windws.*windows"):
        biobert.train(recipe, model, places=places, changes=["task.windws=3"])
    with pytest.raises(biobert.BiobertError, match=r"toy\.toml \[task\]"):
        biobert.train(recipe, model, places=places, changes=["task={labels=[]}"])


def test_importing_biobert_loads_nothing_that_it_exports() -> None:
    program = "import sys, biobert; print(*(one for one in sys.modules if 'biobert' in one))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"biobert", "biobert.core", "biobert.core.version"}


@pytest.mark.parametrize("wrong", ["cache", Path("cache"), None])
def test_what_is_no_place_for_corpora_is_named_with_the_cure(wrong: object, tmp_path: Path) -> None:
    test_set = biobert.TestSet(str(tmp_path / "toy.jsonl"))
    for call in (
        lambda: biobert.evaluate(biobert.Annotator(), test_set, wrong),
        lambda: biobert.train(tmp_path / "toy.toml", tmp_path / "model", places=wrong),
    ):
        with pytest.raises(biobert.BiobertError) as problem:
            call()
        assert f"places={wrong!r}" in str(problem.value)
        assert "CorpusPlaces(cache=" in str(problem.value)


def test_other_wrong_arguments_of_evaluation_are_named(tmp_path: Path) -> None:
    places, annotator = biobert.CorpusPlaces(tmp_path), biobert.Annotator()
    with pytest.raises(biobert.BiobertError, match=r"test_set='NCBI-disease'.*TestSet\("):
        biobert.evaluate(annotator, "NCBI-disease", places)
    with pytest.raises(biobert.BiobertError, match=r"annotator='embedded'.*Annotator\("):
        biobert.evaluate("embedded", biobert.TestSet("NCBI-disease"), places)
    with pytest.raises(biobert.BiobertError, match=r"labels='Disease'.*\['Disease'\]"):
        biobert.TestSet("NCBI-disease", labels="Disease")
    with pytest.raises(biobert.BiobertError, match=r"veto_labels='Disease'.*\['Disease'\]"):
        biobert.Deidentifier(veto_labels="Disease")


def test_places_may_be_strings(tmp_path: Path) -> None:
    places = biobert.CorpusPlaces(str(tmp_path / "cache"), str(tmp_path))
    assert places == biobert.CorpusPlaces(tmp_path / "cache", tmp_path)
