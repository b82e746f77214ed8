"""Every recipe is whole: it parses, its task builds, its corpora have its labels."""

from pathlib import Path

import pytest
import torch

from biobert.compression.recipe import read_compression_recipe
from biobert.core.errors import BadInputError
from biobert.core.settings import read_toml
from biobert.data.catalogue import load_corpus
from biobert.model.attention import packed_kernel_applies
from biobert.pipeline.suite.description import read_suite
from biobert.tasks import build_task
from biobert.tasks.multitask import Multitask
from biobert.training.pretraining import PRECISIONS
from biobert.training.recipe import Recipe, read_recipe
from biobert.trust import practice

FILES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
SUITES = [path for path in FILES if path.stem.startswith("suite-")]
COMPRESSION = [path for path in FILES if path.stem.startswith("compress-")]
RECIPES = [path for path in FILES if path not in (*SUITES, *COMPRESSION)]
PRETRAINING = [path for path in RECIPES if read_toml(path)["task"]["name"] == "pretraining"]
FINE_TUNING = [path for path in RECIPES if path not in PRETRAINING]
MADE = {"corpora/names": practice.LABELS}
"""The labels of corpora that a recipe says how to make."""


def whole_recipe(path: Path) -> Recipe:
    recipe = read_recipe(read_toml(path), place=path.name)
    assert recipe.name == path.stem
    assert recipe.description
    return recipe


def test_there_are_recipes() -> None:
    names = {path.stem for path in RECIPES}
    assert {"embedded-tagger-masked", "ner-ncbi-disease", "pos-genia"} <= names
    assert {"pretrain-tiny", "pretrain-mini", "biobert-base"} <= names


@pytest.mark.parametrize("path", FINE_TUNING, ids=lambda path: path.stem)
def test_a_recipe_fits_the_catalogue(path: Path) -> None:
    recipe = whole_recipe(path)
    settings = {key: value for key, value in recipe.task.items() if key != "name"}
    task = build_task(recipe.task["name"], settings)
    sources = (*recipe.data.train, *recipe.data.devel)
    parts = task.parts if isinstance(task, Multitask) else {None: task}
    assert {source.part for source in sources} == set(parts)
    for part, own in parts.items():
        found: set[str] = set()
        for source in (one for one in sources if one.part == part):
            if source.corpus in MADE:
                assert f"--output {source.corpus}" in path.read_text(encoding="utf-8")
                found |= set(MADE[source.corpus])
                continue
            corpus = load_corpus(source.corpus)
            for split in source.splits:
                assert split in corpus.splits
            labels = corpus.labels if source.labels is None else source.labels
            if source.where:
                labels = tuple(one for one in labels if one in own.settings()["labels"])
            if own.name == "relations":
                labels = corpus.relations
            found |= {source.rename.get(label, label) for label in labels}
        assert found == set(own.settings().get("labels", found))


@pytest.mark.parametrize("path", PRETRAINING, ids=lambda path: path.stem)
def test_a_pretraining_recipe_says_how_its_corpora_are_built(path: Path) -> None:
    recipe = whole_recipe(path)
    text = path.read_text(encoding="utf-8")
    assert recipe.run.steps is not None
    for source in (*recipe.data.train, *recipe.data.devel):
        assert f"--output {source.corpus}" in text
    assert f"train recipes/{path.name}" in text


def test_packed_rows_meet_their_kernel() -> None:
    recipes = [whole_recipe(path) for path in PRETRAINING]
    packed = [recipe for recipe in recipes if recipe.batches.layout == "packed"]
    assert packed
    for recipe in packed:
        assert recipe.model.attention_dropout == 0.0
        precision = PRECISIONS[recipe.run.precision]
        assert packed_kernel_applies(torch.device("cuda"), precision, dropout=0.0)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_a_suite_names_recipes_and_splits_that_are_there(path: Path) -> None:
    suite = read_suite(path)
    assert suite.name == path.stem
    assert suite.description
    for model in suite.models:
        recipe = whole_recipe(path.parent / str(suite.learner_of(model).recipe))
        known = recipe.task.get("labels", ())
        for test in model.tests:
            corpus = load_corpus(test.corpus)
            assert {test.split, *model.folds} <= set(corpus.splits)
            assert {*(test.labels or ()), *test.rename.values()} <= set(known)
            assert test.published or test.incomparable


def test_the_suite_of_tasks_holds_every_task_but_those_it_names() -> None:
    path = next(path for path in SUITES if path.stem == "suite-tasks")
    inside = {model.recipe for model in read_suite(path).models}
    kinds = ("rel-", "cls-", "nli-", "qa-", "embed-", "sim-", "gen-", "pos-")
    left_out = ("qa-squad", "qa-bioasq")
    assert all(name in path.read_text(encoding="utf-8") for name in left_out)
    for other in FINE_TUNING:
        if other.stem.startswith(kinds) and not other.stem.startswith(left_out):
            assert other.name in inside


@pytest.mark.parametrize("path", COMPRESSION, ids=lambda path: path.stem)
def test_a_compression_recipe_has_a_gate_that_it_does_not_learn_from(path: Path) -> None:
    recipe = read_compression_recipe(read_toml(path), place=path.name)
    assert recipe.name == path.stem
    assert recipe.description
    assert f"--recipe recipes/{path.name}" in path.read_text(encoding="utf-8")
    for source in (*recipe.corpora, *recipe.gate):
        assert set(source.splits) <= set(load_corpus(source.corpus).splits)
    # The built-in tagger has learnt from devel.
    is_built_in = "biobert compress embedded" in path.read_text(encoding="utf-8")
    gate = "test" if is_built_in else "devel"
    assert all(source.splits == (gate,) for source in recipe.gate)
    assert all(source.splits == ("train",) for source in recipe.corpora)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ({}, "name either `encoder`"),
        ({"encoder": "here", "shape": {}}, "name either `encoder`"),
        ({"shape": {}}, "needs a `vocabulary`"),
        ({"shape": {}, "vocabulary": "here", "layers": 2}, "a `shape` has its own"),
    ],
)
def test_a_model_begins_from_one_thing(model: dict[str, object], problem: str) -> None:
    tables = {**read_toml(RECIPES[0]), "model": model}
    with pytest.raises(BadInputError, match=problem):
        read_recipe(tables, place="recipe")
