"""Every recipe is whole: it parses, its task builds, its corpora have its labels."""

from pathlib import Path

import pytest

from biobert.core.settings import read_toml
from biobert.data.catalogue import load_corpus
from biobert.tasks import build_task
from biobert.training.recipe import read_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


def test_there_are_recipes() -> None:
    assert {"embedded-tagger-masked", "ner-ncbi-disease"} <= {path.stem for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_fits_the_catalogue(path: Path) -> None:
    recipe = read_recipe(read_toml(path), place=path.name)
    assert recipe.name == path.stem
    assert recipe.description
    settings = {key: value for key, value in recipe.task.items() if key != "name"}
    task = build_task(recipe.task["name"], settings)
    found: set[str] = set()
    for source in (*recipe.data.train, *recipe.data.devel):
        corpus = load_corpus(source.corpus)
        for split in source.splits:
            assert split in corpus.splits
        found |= {source.rename.get(label, label) for label in source.labels or corpus.labels}
    assert found == set(task.settings()["labels"])
