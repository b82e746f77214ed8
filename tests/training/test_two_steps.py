"""Every fine-tuning recipe begins from a cased checkpoint that is no more than a `vocab.txt` and
safetensors, as BioBERT's first ones are, and takes two steps."""

import math
import re
import string
from pathlib import Path
from typing import Any

import pytest
import transformers

from biobert.core.document import Argument, Document, Entity, Passage, Relation
from biobert.core.settings import read_toml
from biobert.core.task import Task
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.tasks import build_task
from biobert.tasks.multitask import Multitask
from biobert.tasks.relations import RelationExtraction
from biobert.text.tokenizer import Tokenizer
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train
from tests.training.conftest import Recorder
from tests.training.test_every_recipe import FINE_TUNING

DOCUMENTS = 8
FIRST, SECOND = "Does Aspirin help?", "Lithium caused cardiac arrest in Mice."
TEXT = f"{FIRST}\n{SECOND}"
SIGNS = [*string.ascii_letters, *string.digits, *"?.,:;-@$<>[]"]
WORDS = ["Lithium", "Aspirin", "Mice", "arrest"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny cased BERT, with the words that few-evidence-inference asks for."""
    recipes = [read_toml(path)["task"].get("verbalisers", {}) for path in FINE_TUNING]
    asked = [word for one in recipes for words in one.values() for word in words]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *SIGNS, *(f"##{sign}" for sign in SIGNS), *WORDS, *asked]
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    folder = tmp_path_factory.mktemp("cased") / "bert"
    transformers.BertForPreTraining(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    return folder


@pytest.fixture(autouse=True)
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing the curves takes longer than all else, and is tested elsewhere."""
    monkeypatch.setattr("biobert.training.session.plot_curves", lambda *_: None)


def mention(word: str, label: str) -> Entity:
    start = TEXT.index(word)
    return Entity(start, start + len(word), label, id=word)


def annotated(task: Task, number: int, metadata: dict[str, str]) -> Document:
    """A document that teaches the task one of its labels."""
    labels = task.settings().get("labels", ("answer",))
    label = labels[number % len(labels)]
    entities, relations = (mention("Lithium", label),), ()
    if isinstance(task, RelationExtraction):
        ends = [min(some) for some in task.pairs[number % len(task.pairs)].labels]
        entities = (mention("Lithium", ends[0]), mention("Mice", ends[1]))
        arguments = (Argument("one", "Lithium"), Argument("other", "Mice"))
        relations = (Relation(label, arguments),)
    settings = task.settings()
    pattern = re.findall(r"{(\w+)}", settings.get("pattern", ""))
    first, second = ("question", *(settings.get("passages") or pattern or ("context",)))[-2:]
    return Document(
        str(number),
        f"{TEXT}{' ' * number}",
        passages=(
            Passage(0, len(FIRST), first),
            Passage(len(FIRST) + 1, len(TEXT), second),
        ),
        entities=entities,
        relations=relations,
        labels=(label,),
        metadata={
            "similarity": "2",
            "long_answer": "Lithium did.",
            "conclusion": "It did.",
            **metadata,
        },
    )


def small(tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The recipe with a small file in the place of each of its corpora."""
    settings = {key: one for key, one in tables["task"].items() if key != "name"}
    whole = build_task(tables["task"]["name"], settings)
    data: dict[str, list[dict[str, Any]]] = {}
    for use, sources in tables["data"].items():
        data[use] = []
        for number, source in enumerate(sources):
            task = whole.parts[source["part"]] if isinstance(whole, Multitask) else whole
            where = source.get("where", {})
            path = folder / f"{use}-{number}.jsonl"
            write_documents([annotated(task, one, where) for one in range(DOCUMENTS)], path)
            # Not `rename`: these documents have the labels that the task knows.
            kept = {key: source[key] for key in ("part", "where") if key in source}
            data[use].append({"corpus": str(path), **kept})
    return {**tables, "data": data}


@pytest.mark.parametrize("path", FINE_TUNING, ids=lambda path: path.stem)
def test_two_steps_from_a_cased_vocabulary(path: Path, encoder: Path, tmp_path: Path) -> None:
    tables = small(read_toml(path), tmp_path)
    tables["model"] = {**tables["model"], "encoder": str(encoder)}
    tables["batches"] = {"tokens": 256}
    tables["run"] = {**tables["run"], "steps": 2, "epochs": 2}
    listener, places = Recorder(), RunPlaces(tmp_path / "model", CorpusPlaces(tmp_path))
    recipe = read_recipe(tables, place=path.name)
    train(recipe, places, listener=listener, resume=False)
    assert len(listener.losses) == 2
    assert all(map(math.isfinite, listener.losses))
    assert bool(listener.devel) == bool(recipe.data.devel)
    (pieces,) = Tokenizer.from_folder(places.output).pieces(["Lithium lithium"])
    assert pieces.ids[0] == Tokenizer.from_folder(encoder).backend.token_to_id("Lithium")
    assert len(pieces.ids) == 1 + len("lithium")
