"""`biobert generate`, and the recipe that trains what it uses."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.task import WritingSettings
from biobert.data.reading import read_documents, write_documents
from biobert.pipeline.writer import Writer
from biobert.runtime.settings import RuntimeSettings
from tests.cli.calling import call, trained
from tests.tiny import write_tiny_encoder_folder

EXACT = RuntimeSettings(precision="float32")
SAID = {
    "aspirin": "aspirin and cancer",
    "lithium": "lithium cardiac arrest",
    "breast": "the breast diabetes",
}
GREEDY = WritingSettings(beams=1, maximum_pieces=12)


def documents() -> list[Document]:
    found = []
    for number in range(12):
        word = list(SAID)[number % 3]
        text = "the " * (number % 4) + f"{word} the"
        found.append(Document(f"d{number}", text, metadata={"long_answer": SAID[word]}))
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt what to say of each of three words."""
    folder = tmp_path_factory.mktemp("generation")
    encoder = write_tiny_encoder_folder(folder / "encoder", dropout=0.0)
    silent = Document("silent", "the and the")
    endless = Document("endless", "the " * 80, metadata={"long_answer": "cancer"})
    write_documents([*documents(), silent, endless], folder / "train.jsonl")
    write_documents(documents()[:3], folder / "devel.jsonl")
    found = trained(
        folder,
        f"""name = "toy-generation"
        [task]
        name = "generation"
        windows = {{ maximum_tokens = 32, overlap_tokens = 0 }}
        writing = {{ beams = 2, maximum_pieces = 12 }}
        [model]
        encoder = "{encoder}"
        dropout = 0.0
        [data]
        train = [{{ corpus = "{folder / "train.jsonl"}", times = 8 }}]
        devel = [{{ corpus = "{folder / "devel.jsonl"}" }}]
        [optimizer]
        learning_rate = 5e-3
        [batches]
        tokens = 96
        [run]
        epochs = 40
        evaluate_every_steps = 150
        """,
    )
    assert "16 documents teach nothing" in " ".join(found.err.split())
    return folder / "model"


def test_a_recipe_learns_what_to_say(model: Path) -> None:
    manifest = json.loads((model / "biobert.json").read_text())
    assert manifest["metrics"]["devel"] == 1.0
    writer = Writer(model, writing=GREEDY, settings=EXACT)
    for word, said in SAID.items():
        assert writer.write(f"the the {word} the") == said


def test_the_verb_writes_lines_and_documents(model: Path, tmp_path: Path) -> None:
    write_documents(documents()[:3], tmp_path / "in.jsonl")
    found = call(
        "generate", tmp_path / "in.jsonl", "--model", model, "--output", tmp_path / "out.jsonl"
    )
    assert found.code == 0, found.err
    assert found.out.splitlines() == [
        f"d{number}\t{said}" for number, said in enumerate(SAID.values())
    ]
    written = list(read_documents(tmp_path / "out.jsonl"))
    assert [one.metadata["generated"] for one in written] == list(SAID.values())


def test_nothing_is_told_of_how_weights_are_read(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Lithium was given.")
    command = [sys.executable, "-m", "biobert", "generate", tmp_path / "a.txt"]
    done = subprocess.run([*command, "--model", model], capture_output=True, text=True, check=True)
    assert "Loading" not in done.stderr


def test_a_source_too_long_is_written_about_in_parts(model: Path) -> None:
    text = " ".join(["aspirin the"] + ["the"] * 27 + ["lithium the"] + ["the"] * 10)
    found = call("generate", "-", "--model", model, "--json", stdin=text)
    assert found.code == 0, found.err
    (row,) = found.json["data"]["texts"]
    assert row["parts"] == 2
    assert "parts" in call("generate", "-", "--model", model, stdin=text).err


def test_a_text_that_is_stopped_is_said_to_be(model: Path) -> None:
    found = call(
        "generate", "-", "--model", model, "--max-length", 1, "--json", stdin="aspirin the"
    )
    (row,) = found.json["data"]["texts"]
    assert (row["text"], row["unfinished"]) == ("aspirin", 1)
    shown = call("generate", "-", "--model", model, "--max-length", 1, stdin="aspirin the")
    assert "1 texts were stopped at --max-length" in shown.err


def test_a_model_writes_as_it_was_trained_to_where_no_option_says_otherwise(
    model: Path, tmp_path: Path
) -> None:
    """What `generate` writes is what `evaluate` and `annotate` score and write."""
    short = tmp_path / "short"
    shutil.copytree(model, short)
    manifest = read_manifest(short)
    settings = {**manifest.task_settings, "writing": {"beams": 1, "maximum_pieces": 1}}
    replace(manifest, task_settings=settings).write(short)
    for options, text in (((), "aspirin"), (("--max-length", 12), SAID["aspirin"])):
        asked = call("generate", "-", "--model", short, *options, "--json", stdin="aspirin the")
        assert asked.json["data"]["texts"][0]["text"] == text
    shown = call("annotate", "-", "--model", short, stdin="aspirin the")
    assert "generated: aspirin" in shown.out
    annotated = call("annotate", "-", "--model", short, "--json", stdin="aspirin the")
    assert annotated.json["data"]["annotated"][0]["metadata"]["generated"] == "aspirin"


def test_no_stretch_comes_twice(model: Path) -> None:
    writing = WritingSettings(beams=3, maximum_pieces=40, minimum_pieces=30, no_repeat=2)
    words = Writer(model, writing=writing, settings=EXACT).write("the aspirin the").split()
    pairs = list(pairwise(words))
    assert len(words) > 10
    assert len(pairs) == len(set(pairs))


def test_transformers_opens_the_folder_and_writes_the_same(model: Path) -> None:
    import torch
    import transformers

    other = transformers.EncoderDecoderModel.from_pretrained(model).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    batch = tokenizer("the lithium the", return_tensors="pt")
    with torch.no_grad():
        ids = other.generate(batch["input_ids"], max_new_tokens=12, num_beams=1, do_sample=False)
    assert tokenizer.decode(ids[0], skip_special_tokens=True) == SAID["lithium"]


def test_training_and_searching_compute_the_same(tmp_path: Path) -> None:
    """Teacher forcing in our network, and in the model that transformers opens."""
    import torch
    import transformers

    from biobert.model.hub import load_encoder
    from biobert.model.network import Network
    from biobert.model.weights import save_network
    from biobert.tasks import build_task

    encoder = write_tiny_encoder_folder(tmp_path / "encoder", dropout=0.0)
    network = Network(load_encoder(encoder), build_task("generation", {}).heads()).eval()
    save_network(network, tmp_path / "saved")
    other = transformers.EncoderDecoderModel.from_pretrained(tmp_path / "saved").eval()
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(5, 90, (2, 9), generator=generator)
    written = torch.randint(5, 90, (2, 6), generator=generator)
    mask = torch.arange(9)[None, :] < torch.tensor([[9], [5]])
    with torch.no_grad():
        own = network(ids, None, mask, written=written)["text"]
        wanted = other(input_ids=ids, attention_mask=mask.long(), decoder_input_ids=written).logits
        cut = network(ids[1:, :5], None, None, written=written[1:, :3])["text"]
    assert np.abs(own.numpy() - wanted.numpy()).max() < 1e-5
    # Neither padding nor what is written later changes what comes next.
    assert np.abs(own[1:, :3].numpy() - cut.numpy()).max() < 1e-5


def test_a_decoder_begins_as_a_copy_of_its_encoder(tmp_path: Path) -> None:
    import torch

    from biobert.model.hub import load_encoder
    from biobert.model.network import Network
    from biobert.tasks import build_task

    encoder = load_encoder(write_tiny_encoder_folder(tmp_path / "encoder"))
    network = Network(encoder, build_task("generation", {}).heads())
    decoder = network.heads["text"].decoder
    query = decoder.encoder.layer[1].attention.self.query.weight
    assert torch.equal(query, encoder.layers[1].attention.query.weight)
    assert query is not encoder.layers[1].attention.query.weight
    words = decoder.embeddings.word_embeddings.weight
    assert torch.equal(words, encoder.embeddings.word.weight)


def test_a_model_is_evaluated_by_rouge(model: Path) -> None:
    found = call("evaluate", model, model.parent / "devel.jsonl", "--json")
    assert found.code == 0, found.err
    scores = found.json["data"]["scores"]
    assert scores["main"] == scores["rougeL_f1"] == 1.0
    assert scores["distinct_texts"] == 1.0
    assert "words ratio: 1\n" in call("evaluate", model, model.parent / "devel.jsonl").out


def test_written_texts_can_be_compared_by_vectors(model: Path) -> None:
    encoder = model.parent / "encoder"
    found = call("evaluate", model, model.parent / "devel.jsonl", "--vectors", encoder, "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["scores"]["vector_f1"] == pytest.approx(1.0, abs=1e-5)
    wrong = call("evaluate", "embedded", model.parent / "devel.jsonl", "--vectors", encoder)
    assert "a ner model writes none" in wrong.err


@pytest.mark.parametrize(
    ("arguments", "word", "code"),
    [
        (["--model", "embedded"], "'generation'", 1),
        (["--model", "nowhere"], "nowhere", 1),
        (["--max-length", "900"], "511", 2),
        (["--min-length", "200"], "minimum below maximum", 2),
    ],
)
def test_wrong_calls_say_what_to_do(
    model: Path, arguments: list[str], word: str, code: int
) -> None:
    given = arguments if "--model" in arguments else ["--model", str(model), *arguments]
    found = call("generate", "-", "--json", *given, stdin="aspirin")
    assert found.code == code
    assert word in found.json["error"]["message"]


def test_an_exported_model_writes_the_same(model: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    found = call("export", model, "--output", exported, "--json")
    assert found.code == 0, found.err
    assert 0.0 < found.json["data"]["difference_float32"] <= 1e-4
    write_documents(documents(), tmp_path / "in.jsonl")
    asked = ("generate", tmp_path / "in.jsonl", "--json", "--model")
    expected = call(*asked, model).json["data"]["texts"]
    for engine in ("auto", "openvino", "onnxruntime"):
        written = call(*asked, exported, "--engine", engine, "--threads", 1)
        assert written.code == 0, written.err
        assert written.json["data"]["texts"] == expected
    scored = call("evaluate", exported, model.parent / "devel.jsonl", "--json")
    assert scored.json["data"]["scores"]["main"] == 1.0


def test_an_exported_model_is_compared_with_its_weights(model: Path, tmp_path: Path) -> None:
    exported, devel = tmp_path / "exported", model.parent / "devel.jsonl"
    assert call("export", model, "--output", exported).code == 0
    asked = ("--corpus", devel, "--precision", "float32", "--texts", 2, "--turns", 1, "--json")
    found = call("compare-speed", model, exported, *asked)
    assert found.code == 0, found.err
    rows = found.json["data"]["variants"]
    assert [row["engine"] for row in rows] == ["Torch float32", "OpenVINO float32"]
    assert [row["score"] for row in rows] == [1.0, 1.0]
    small = call("export", model, "--corpus", devel, "--output", tmp_path / "small", "--json")
    assert small.code == 0, small.err
    assert small.json["data"]["compressed"]["bytes"] < small.json["data"]["exported"]["bytes"]


def test_an_encoder_is_not_changed_under_a_decoder(model: Path, tmp_path: Path) -> None:
    from biobert.training.recipe import read_recipe
    from biobert.training.start import build_learner

    tables = {
        "name": "longer",
        "task": {"name": "generation"},
        "model": {"encoder": str(model.parent / "encoder"), "positions": 600},
        "data": {"train": []},
    }
    with pytest.raises(BadInputError, match="positions changes the encoder alone"):
        build_learner(read_recipe(tables, place="longer.toml"), lambda note: None)
    del tables["model"]["positions"]  # type: ignore[attr-defined]
    tables["adapter"] = {"kind": "lora"}
    with pytest.raises(BadInputError, match="adapter"):
        build_learner(read_recipe(tables, place="longer.toml"), lambda note: None)
