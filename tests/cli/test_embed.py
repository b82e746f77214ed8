"""`biobert embed`, and the recipe that trains what it uses."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biobert import Embedder
from biobert.compression.folder import export_folder
from biobert.core.document import Document, Passage
from biobert.core.errors import BadInputError
from biobert.data.reading import write_documents
from biobert.pipeline.embedder import CHUNK_CHARACTERS
from biobert.runtime.settings import RuntimeSettings
from biobert.text.windows import WindowSettings
from tests.cli.calling import call, trained
from tests.tiny import write_tiny_encoder_folder

DRUGS = ("aspirin", "lithium", "cancer", "breast", "cardiac", "arrest", "diabetes", "and")
LINES = ["aspirin and the", "", "lithium", "the " * 200, "cancer!"]


def pair(number: int) -> Document:
    """A question that names a thing, and a text that names it too."""
    word = DRUGS[number % len(DRUGS)]
    question, context = f"{word}?", "the " * (number % 3) + f"{word} the"
    text = f"{question}\n{context}"
    return Document(
        f"d{number}",
        text,
        passages=(
            Passage(0, len(question), "question"),
            Passage(len(question) + 1, len(text), "context"),
        ),
    )


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def model(encoder: Path) -> Path:
    """A model that learnt which question belongs to which text."""
    folder = encoder.parent
    write_documents([pair(number) for number in range(24)], folder / "train.jsonl")
    write_documents([pair(number) for number in range(8)], folder / "devel.jsonl")
    trained(
        folder,
        f"""name = "toy-embed"
        [task]
        name = "embedding"
        passages = ["question", "context"]
        temperature = 0.1
        windows = {{ maximum_tokens = 64, overlap_tokens = 8 }}
        [model]
        encoder = "{encoder}"
        [data]
        train = [{{ corpus = "{folder / "train.jsonl"}", times = 4 }}]
        devel = [{{ corpus = "{folder / "devel.jsonl"}" }}]
        [optimizer]
        learning_rate = 2e-3
        [batches]
        tokens = 512
        [run]
        epochs = 6
        evaluate_every_steps = 30
        """,
    )
    return folder / "model"


def test_without_pairs_texts_learn_from_dropout(encoder: Path, tmp_path: Path) -> None:
    write_documents([pair(number) for number in range(8)], tmp_path / "texts.jsonl")
    trained(
        tmp_path,
        f"""name = "alone"
        [task]
        name = "embedding"
        learn = "dropout"
        [model]
        encoder = "{encoder}"
        [data]
        train = [{{ corpus = "{tmp_path / "texts.jsonl"}" }}]
        [optimizer]
        learning_rate = 1e-3
        [run]
        epochs = 30
        """,
    )
    rows = [
        json.loads(line) for line in (tmp_path / "model/history.jsonl").read_text().splitlines()
    ]
    assert rows[-1]["loss"] < rows[0]["loss"]
    words = ["aspirin", "lithium", "cancer", "breast"]
    before, after = (
        np.stack(list(Embedder(folder).embed_many(words)))
        for folder in (encoder, tmp_path / "model")
    )
    # Strangers move apart (Wang and Isola 2020, arXiv:2005.10242).
    assert (after @ after.T).sum() < (before @ before.T).sum()


def expected(folder: Path, texts: list[str]) -> np.ndarray:
    """Mean pooling and normalisation as sentence-transformers does them."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    other = transformers.AutoModel.from_pretrained(folder).eval()
    vectors = []
    for text in texts:
        batch = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            hidden = other(**batch).last_hidden_state[0]
        vectors.append(torch.nn.functional.normalize(hidden.mean(dim=0), dim=0).numpy())
    return np.stack(vectors)


def test_a_recipe_learns_pairs(model: Path) -> None:
    manifest = json.loads((model / "biobert.json").read_text())
    history = [json.loads(line) for line in (model / "history.jsonl").read_text().splitlines()]
    first = next(row for row in history if "score" in row)
    assert first["score"] < 0.9
    assert manifest["metrics"]["devel"] > 0.95
    recalls = [value for name, value in manifest["metrics"].items() if name.endswith("recall_at_1")]
    assert len(recalls) == 1 and recalls[0] > 0.9


def test_vectors_are_those_of_transformers(encoder: Path, model: Path) -> None:
    texts = ["aspirin and the", "", "lithium caused cardiac arrest."]
    for folder in (encoder, model):
        found = np.stack(list(Embedder(folder).embed_many(texts)))
        assert np.abs(found - expected(folder, texts)).max() < 1e-6


def test_lines_keep_their_order(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    found = call(
        "embed", tmp_path / "a.txt", "--model", encoder, "--output", tmp_path / "v.npy", "--json"
    )
    assert found.code == 0, found.err
    assert found.json["data"]["vectors"] == len(LINES)
    array = np.load(tmp_path / "v.npy")
    alone = np.stack([Embedder(encoder).embed(line) for line in LINES])
    assert np.abs(array - alone).max() < 1e-6
    assert np.allclose(np.linalg.norm(array, axis=1), 1.0)


def test_documents_and_sentences_have_names(encoder: Path, tmp_path: Path) -> None:
    write_documents([Document("one", "Aspirin helps. Lithium does not.")], tmp_path / "d.jsonl")
    sentences = ["one[0:14]", "one[15:32]"]
    for names, *unit in (
        (["one"],),
        (["one"], "--unit", "document"),
        (sentences, "--unit", "sentence"),
    ):
        found = call("embed", tmp_path / "d.jsonl", *unit, "--model", encoder, "--output", "-")
        assert found.code == 0, found.err
        assert [json.loads(line)["id"] for line in found.out.splitlines()] == names


def test_a_long_text_is_the_mean_of_its_windows(encoder: Path) -> None:
    text = " ".join(["lithium", "aspirin", "the"] * 40)
    embedder = Embedder(encoder, windows=WindowSettings(50, 0))
    whole = Embedder(encoder, windows=WindowSettings(512, 0))
    words = text.split()
    # The last window is full too: it owns the words from 96 on, and sees those from 72 on.
    stretches = [" ".join(words[start : start + 48]) for start in (0, 48, 72)]
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder)
    other = transformers.AutoModel.from_pretrained(encoder).eval()
    with torch.no_grad():
        means = [
            other(**tokenizer(one, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
            for one in stretches
        ]
    mean = sum(weight * one for weight, one in zip((48, 48, 24), means, strict=True)) / 120
    wanted = (mean / mean.norm()).numpy()
    assert np.abs(embedder.embed(text) - wanted).max() < 1e-5
    assert np.abs(embedder.embed(text) - whole.embed(text)).max() > 1e-4


def test_a_stream_of_chunks_keeps_its_order(encoder: Path) -> None:
    line = "the " * 500
    texts = [f"{DRUGS[number % 7]} {line}" for number in range(CHUNK_CHARACTERS // 1000)]
    embedder = Embedder(encoder, windows=WindowSettings(512, 0))
    found = list(embedder.embed_many(text[: 5 + number % 20] for number, text in enumerate(texts)))
    for number in (0, 7, len(texts) - 1):
        alone = embedder.embed(texts[number][: 5 + number % 20])
        assert np.abs(found[number] - alone).max() < 1e-6


@pytest.mark.parametrize(("many", "cure"), [("embed_many", "embed"), ("token_vectors", None)])
def test_a_text_where_many_are_wanted_is_refused(
    encoder: Path, many: str, cure: str | None
) -> None:
    with pytest.raises(BadInputError) as problem:
        next(getattr(Embedder(encoder), many)("aspirin"))
    words = "texts='aspirin' is one str, not a list; write ['aspirin']"
    assert str(problem.value) == words + (f", or use {cure}" if cure else "")


def test_an_exported_model_gives_the_same_vectors(model: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    found = call("export", model, "--output", exported, "--weights", "float32", "--json")
    assert found.code == 0, found.err
    own = np.stack(list(Embedder(model).embed_many(LINES)))
    for engine in ("openvino", "onnxruntime"):
        settings = RuntimeSettings(engine=engine, precision="float32")  # type: ignore[arg-type]
        other = np.stack(list(Embedder(exported, settings=settings).embed_many(LINES)))
        assert np.abs(own - other).max() < 1e-4


def test_a_trained_model_is_evaluated_as_a_ranking(model: Path) -> None:
    found = call("evaluate", model, model.parent / "devel.jsonl", "--json")
    assert found.code == 0, found.err
    scores = found.json["data"]["scores"]
    assert scores["candidates"] == 8
    assert scores["mrr"] == scores["main"] > 0.95


def test_ranks_are_not_shown_as_shares(model: Path) -> None:
    shown = call("evaluate", model, model.with_name("devel.jsonl")).out
    assert "median rank: 1\n" in shown
    assert "candidates: 8\n" in shown
    assert "micro" not in shown


def test_each_system_ranks_in_its_own_space(model: Path, tmp_path: Path) -> None:
    corpus = model.with_name("devel.jsonl")
    own = np.eye(8).tolist()
    perfect = [
        replace(
            pair(n),
            metadata={f"vector {kind}": json.dumps(own[n]) for kind in ("question", "context")},
        )
        for n in range(8)
    ]
    write_documents(perfect, tmp_path / "perfect.jsonl")
    files = (model, tmp_path / "perfect.jsonl", corpus)
    found = call("compare", *files, "--samples", 20, "--json")
    assert found.code == 0, found.err
    compared = found.json["data"]
    scored = call("evaluate", model, corpus, "--json").json["data"]
    assert compared["first_score"] == pytest.approx(scored["scores"]["main"])
    assert compared["second_score"] == 1.0
    assert compared["units"] == 8
    assert scored["interval"]["low"] <= scored["scores"]["main"] <= scored["interval"]["high"]


def test_token_vectors_are_of_the_texts_own_pieces(encoder: Path) -> None:
    found = list(Embedder(encoder).token_vectors(["aspirin and the", "", "cancer"]))
    assert [one.shape for one in found] == [(3, 32), (0, 32), (1, 32)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--unit", "page"], "--unit page"),
        (["--pooling", "max"], "--pooling max"),
        (["--window-tokens", "600"], "512 positions"),
        (["--output", "v.csv"], ".npy or .jsonl"),
    ],
)
def test_wrong_calls_say_what_to_do(encoder: Path, arguments: list[str], word: str) -> None:
    found = call("embed", "-", "--model", encoder, "--output", "-", "--json", *arguments, stdin="a")
    assert found.code == 2
    assert word in found.json["error"]["message"]


def test_a_trained_pooling_is_not_overruled(model: Path) -> None:
    with pytest.raises(BadInputError, match="pooling 'mean'"):
        Embedder(model, pooling="first")


def test_an_exported_model_has_no_longer_rows_than_it_was_made_for(
    model: Path, tmp_path: Path
) -> None:
    export_folder(model, tmp_path / "light")
    assert Embedder(tmp_path / "light", windows=WindowSettings(32, 8)).embed("a").shape == (32,)
    with pytest.raises(BadInputError, match="was made for 64"):
        Embedder(tmp_path / "light", windows=WindowSettings(128, 8))
