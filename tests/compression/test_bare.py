"""An encoder from elsewhere becomes a graph that embeds, or fills gaps, as its weights do."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biobert.compression.bare import Use, bare_use, export_encoder
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.pipeline.embedder import Embedder
from biobert.pipeline.gap_filler import GapFiller
from biobert.runtime.settings import Engine, RuntimeSettings
from biobert.text.windows import WindowSettings
from tests.cli.calling import call
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder, write_tiny_model_folder

FLOAT32 = RuntimeSettings(precision="float32", threads=1)
ENGINES: tuple[Engine, ...] = ("openvino", "onnxruntime")
LINES = ["aspirin and the", "", "lithium", "the cardiac " * 300, "cancer!"]
GAPS = "the [MASK] and the cardiac [MASK] of 17% lithium"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder_folder(tmp_path_factory.mktemp("bare") / "tiny")


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare") / "filler"
    return write_tiny_encoder_folder(folder, kind="BertForMaskedLM")


def vectors(folder: Path, settings: RuntimeSettings = FLOAT32, **others: object) -> np.ndarray:
    embedder = Embedder(folder, settings=settings, **others)  # type: ignore[arg-type]
    return np.stack(list(embedder.embed_many(LINES)))


@pytest.mark.parametrize("engine", ENGINES)
def test_vectors_are_those_of_the_weights(encoder: Path, tmp_path: Path, engine: Engine) -> None:
    done = call("export", encoder, "--output", tmp_path / "light", "--json")
    assert done.code == 0, done.err
    assert done.json["data"]["use"] == "embed"
    assert 0.0 < done.json["data"]["difference_float32"] <= 1e-4
    assert not list((tmp_path / "light").glob("*.safetensors"))
    expected = vectors(encoder)
    found = vectors(tmp_path / "light", replace(FLOAT32, engine=engine))
    assert np.abs(found - expected).max() < 1e-4
    assert np.abs(expected[0] - expected[2]).max() > 0.01


def test_the_verb_embeds_with_it_and_needs_no_torch(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = call("export", encoder, "--use", "embed", "-o", tmp_path / "light")
    assert "for `biobert embed`" in " ".join(shown.out.split())
    (tmp_path / "a.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    expected = vectors(encoder)
    monkeypatch.setitem(sys.modules, "torch", None)
    to = tmp_path / "v.npy"
    done = call("embed", tmp_path / "a.txt", "--model", tmp_path / "light", "--output", to)
    assert done.code == 0, done.err
    assert np.abs(np.load(to) - expected).max() < 1e-4


@pytest.mark.parametrize("engine", ENGINES)
def test_gaps_are_filled_as_by_the_weights(
    language_model: Path, tmp_path: Path, engine: Engine
) -> None:
    done = call("export", language_model, "--output", tmp_path / "light", "--json")
    assert done.code == 0, done.err
    assert done.json["data"]["use"] == "fill-mask"
    expected = GapFiller(language_model).fill(GAPS, top=7)
    found = GapFiller(tmp_path / "light", settings=replace(FLOAT32, engine=engine))
    for one, other in zip(expected, found.fill(GAPS, top=7), strict=True):
        assert (one.start, one.end) == (other.start, other.end)
        assert [each.piece for each in one.candidates] == [each.piece for each in other.candidates]
        for each, same in zip(one.candidates, other.candidates, strict=True):
            assert each.probability == pytest.approx(same.probability, abs=1e-5)
    with pytest.raises(BadInputError, match="the model reads 512"):
        found.fill("[MASK]" + " cancer" * 600)


def test_the_verb_fills_gaps_with_it(
    language_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_encoder(language_model, tmp_path / "light", use="fill-mask", name="light")
    expected = call("fill-mask", GAPS, "--model", language_model, "--json").json["data"]["gaps"]
    monkeypatch.setitem(sys.modules, "torch", None)
    found = call("fill-mask", GAPS, "--model", tmp_path / "light", "--json")
    assert found.code == 0, found.err
    pieces = [[one["piece"] for one in gap["candidates"]] for gap in found.json["data"]["gaps"]]
    assert pieces == [[one["piece"] for one in gap["candidates"]] for gap in expected]


def test_weights_alone_have_no_other_engine_than_torch(
    language_model: Path, tmp_path: Path
) -> None:
    gaps = call("fill-mask", GAPS, "--model", language_model, "--engine", "openvino", "--json")
    assert "has no model.onnx of this use for engine 'openvino'" in gaps.err
    places = ("-", "--model", language_model, "--output", tmp_path / "v.npz")
    vectors = call("embed", *places, "--engine", "onnxruntime", "--json")
    assert "of this use for engine 'onnxruntime'" in vectors.err


def test_a_language_model_embeds_where_that_is_asked_for(
    language_model: Path, tmp_path: Path
) -> None:
    done = call("export", language_model, "--use", "embed", "-o", tmp_path / "light", "--json")
    assert done.code == 0, done.err
    assert np.abs(vectors(tmp_path / "light") - vectors(language_model)).max() < 1e-4


def test_the_first_token_is_taken_where_that_is_asked_for(encoder: Path, tmp_path: Path) -> None:
    pooled = ("export", encoder, "--pooling", "first", "-o", tmp_path / "light")
    assert call(*pooled).code == 0
    expected = vectors(encoder, pooling="first")
    assert np.abs(vectors(tmp_path / "light") - expected).max() < 1e-4
    assert np.abs(vectors(encoder) - expected).max() > 0.01
    with pytest.raises(BadInputError, match="made with pooling 'first'"):
        vectors(tmp_path / "light", pooling="mean")


@pytest.mark.parametrize("architecture", ["electra", "roberta", "modernbert", "deberta-v2"])
def test_every_architecture_embeds_and_none_but_bert_fills(
    architecture: str, tmp_path: Path
) -> None:
    from tests.model.test_hub import write

    encoder = write(tmp_path / "encoder", architecture)
    windows = WindowSettings(100, 12)
    export_encoder(encoder, tmp_path / "light", use="embed", name="light")
    found = vectors(tmp_path / "light", windows=windows)
    assert np.abs(found - vectors(encoder, windows=windows)).max() < 1e-4
    with pytest.raises(BadInputError, match="need a BERT encoder"):
        export_encoder(encoder, tmp_path / "filler", use="fill-mask", name="filler")
    assert not (tmp_path / "filler").exists()


def test_windows_fit_a_short_encoder(encoder: Path, tmp_path: Path) -> None:
    short = tmp_path / "short"
    import transformers

    model = transformers.BertModel.from_pretrained(encoder)
    config = model.config
    config.max_position_embeddings = 40
    transformers.BertModel(config).save_pretrained(short)
    tiny_tokenizer().save(short)
    export_encoder(short, tmp_path / "light", use="embed", name="light")
    windows = WindowSettings(40, 5)
    found = vectors(tmp_path / "light")
    assert np.abs(found - vectors(short, windows=windows)).max() < 1e-4
    with pytest.raises(BadInputError, match="made for 40; name the folder"):
        vectors(tmp_path / "light", windows=WindowSettings(41, 5))


def test_a_vocabulary_alone_is_a_tokenizer(encoder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(encoder, old)
    pieces = tiny_tokenizer().backend.get_vocab(with_added_tokens=True)
    (old / "vocab.txt").write_text("\n".join(sorted(pieces, key=pieces.__getitem__)) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (old / name).unlink()
    export_encoder(old, tmp_path / "light", use="embed", name="light")
    assert np.abs(vectors(tmp_path / "light") - vectors(old)).max() < 1e-4


def test_a_trained_model_may_be_exported_for_its_encoder(tiny_model: Path, tmp_path: Path) -> None:
    trained = tmp_path / "trained"
    shutil.copytree(tiny_model, trained)
    learnt = {"recipe": {"name": "it"}, "metrics": {"devel": 0.9}}
    replace(read_manifest(trained), **learnt).write(trained)  # type: ignore[arg-type]
    done = call("export", trained, "--use", "embed", "-o", tmp_path / "light", "--json")
    assert done.code == 0, done.err
    assert np.abs(vectors(tmp_path / "light") - vectors(trained)).max() < 1e-4
    manifest = read_manifest(tmp_path / "light")
    assert (manifest.task, manifest.recipe, manifest.metrics) == ("embedding", {"name": "it"}, {})
    assert "## Exported for `biobert embed`" in (tmp_path / "light" / "README.md").read_text()


@pytest.mark.parametrize(
    ("task", "wanted", "use"),
    [
        ("pretraining", None, None),
        ("pretraining", "fill-mask", None),
        ("pretraining", "embed", "embed"),
        ("ner", None, None),
        ("ner", "fill-mask", "fill-mask"),
    ],
)
def test_what_a_model_was_trained_for_is_exported_whole(
    tmp_path: Path, task: str, wanted: Use | None, use: Use | None
) -> None:
    settings = {"pairs": "order"} if task == "pretraining" else None
    folder = write_tiny_model_folder(tmp_path / "model", task=task, others=settings)
    assert bare_use(folder, wanted) == use


def test_an_encoder_without_a_language_model_fills_nothing(encoder: Path, tmp_path: Path) -> None:
    done = call("export", encoder, "--use", "fill-mask", "-o", tmp_path / "light", "--json")
    assert done.code == 1
    assert "no masked language model" in done.json["error"]["message"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--use", "tag"], "one of embed, fill-mask"),
        (["--pooling", "max"], "one of mean, first"),
        (["--use", "fill-mask", "--pooling", "mean"], "--pooling is for --use embed"),
        (["--use", "embed", "--corpus", "BC5CDR"], "without --corpus"),
        (["--weights", "int8"], "needs --corpus"),
    ],
)
def test_wrong_calls_say_what_to_do(
    language_model: Path, tmp_path: Path, options: list[str], word: str
) -> None:
    done = call("export", language_model, "-o", tmp_path / "light", "--json", *options)
    assert done.code == 2
    assert word in done.json["error"]["message"]
    assert not list(tmp_path.iterdir())


def test_what_is_no_model_is_named(exported_model: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, word in ((empty, "neither biobert.json"), (exported_model, "no weights")):
        done = call("export", folder, "-o", tmp_path / "light", "--json")
        assert word in json.loads(done.out)["error"]["message"]
    assert not (tmp_path / "light").exists()
