"""A pretraining run from end to end: resumed, spread over processes, and what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertForPreTraining

from biobert.core.errors import BadInputError
from biobert.core.files import sha256_of
from biobert.core.model_folder import WEIGHTS, read_manifest
from biobert.data.places import CorpusPlaces
from biobert.model.encoder import Encoder
from biobert.pipeline.gap_filler import GapFiller
from biobert.training.checkpoint import NETWORK, OPTIMIZER, checkpoints
from biobert.training.material import RunPlaces
from biobert.training.pretraining import note_dense_mask
from biobert.training.rate_finder import RangeSettings, find_learning_rate
from biobert.training.recipe import read_recipe
from biobert.training.start import build_learner
from tests.corpora import write_toy_corpus
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder
from tests.training.conftest import Recorder
from tests.training.processes import killed_at_step, launched

TOKENIZER = tiny_tokenizer()


@pytest.fixture
def tables(checkpoint: Path, corpus: Path) -> dict[str, Any]:
    return {
        "name": "toy",
        "task": {"name": "pretraining"},
        "model": {"encoder": str(checkpoint)},
        "data": {
            "train": [{"corpus": str(corpus)}],
            "devel": [{"corpus": str(corpus), "splits": ["heldout"]}],
        },
        "optimizer": {"learning_rate": 5e-3},
        "batches": {"tokens": 512},
        "stages": [{"length": 24, "share": 0.5}, {"length": 48, "share": 0.5}],
        "run": {"steps": 40, "evaluate_every_steps": 20, "checkpoint_every_steps": 10},
    }


def test_a_run_learns_to_fill_gaps_and_opens_in_transformers(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    listener = run("out", run={**tables["run"], "steps": 120})
    assert listener.devel[-1] > listener.devel[0] + 1.0
    theirs = BertForPreTraining.from_pretrained(tmp_path / "out")
    assert theirs.cls.predictions.decoder.weight.shape[0] == TOKENIZER.vocabulary_size
    (gap,) = GapFiller(tmp_path / "out").fill("the [MASK] and the cardiac arrest .", top=3)
    assert "lithium" in [one.piece for one in gap.candidates]
    assert read_manifest(tmp_path / "out").task == "pretraining"


def test_a_killed_run_goes_on_to_the_same_weights(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    run("whole")
    assert killed_at_step(tables, tmp_path / "killed", step=26) == -9
    run("killed", resume=True)
    one, other = ((tmp_path / name / WEIGHTS).read_bytes() for name in ("whole", "killed"))
    assert one == other


def test_another_run_goes_on_from_a_kept_checkpoint(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    schedule = {"kind": "stable", "warmup_fraction": 0.1, "decay_fraction": 0.2}
    run("out", schedule=schedule, run={**tables["run"], "keep_every_steps": 30})
    kept, last = checkpoints(tmp_path / "out" / "checkpoints")
    assert [place.name for place in (kept, last)] == ["step-00000030", "step-00000040"]
    model = {"encoder": str(kept)}
    notes: list[str] = []
    learner = build_learner(read_recipe({**tables, "model": model}, place="toy"), notes.append)
    begun = learner.network.state_dict()
    for name, tensor in load_file(kept / NETWORK).items():
        assert torch.equal(begun[name], tensor), name
    assert notes == []
    listener = run("longer", model=model, run={**tables["run"], "steps": 10})
    assert len(listener.losses) == 10
    (before,) = read_manifest(tmp_path / "longer").learnt_before or ()
    assert before["recipe"] == read_manifest(tmp_path / "out").recipe
    assert GapFiller(kept).fill("the [MASK] and the cardiac arrest .")
    with pytest.raises(BadInputError, match=r"step-00000040 holds the state.*keep_every_steps"):
        run("never", model={"encoder": str(last)})


def test_a_run_ends_when_the_loss_falls_too_slowly(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    often = {**tables["run"], "steps": 200, "evaluate_every_steps": 5, "patience": 2}
    listener = run("out", run={**often, "patience_gain": 0.5})
    assert len(listener.losses) < 200
    before, last = listener.devel[-2:]
    assert before < last < before + 0.5  # patience alone would have gone on
    assert read_manifest(tmp_path / "out").metrics["devel"] == last
    (kept,) = checkpoints(tmp_path / "out" / "checkpoints")
    assert kept.name == f"step-{len(listener.losses):08d}"
    with pytest.raises(BadInputError, match="patience_gain"):
        run("never", run={**tables["run"], "patience_gain": 0.5})


def test_attention_weights_have_a_dropout_of_their_own(
    tables: dict[str, Any], tmp_path: Path
) -> None:
    checkpoint = write_tiny_encoder_folder(tmp_path / "bert", kind="BertForPreTraining")
    for rate, kernel in ((0.0, True), (None, False)):
        model = {"encoder": str(checkpoint)} | ({} if rate is None else {"attention_dropout": rate})
        notes: list[str] = []
        learner = build_learner(read_recipe({**tables, "model": model}, place="toy"), notes.append)
        encoder = learner.network.encoder
        assert isinstance(encoder, Encoder)
        assert encoder.attention_dropout == (0.1 if rate is None else rate)
        assert encoder.embeddings.dropout.p == 0.1
        note_dense_mask(learner.network, torch.device("cuda"), "bf16", notes.append)
        assert any("model.attention_dropout = 0.0" in note for note in notes) != kernel


def test_corpora_of_one_name_are_told_apart_and_none_is_named_twice(
    run: Callable[..., Any], corpus: Path, tmp_path: Path
) -> None:
    other = write_toy_corpus(tmp_path / corpus.name)
    devel = [{"corpus": str(one), "splits": ["heldout"]} for one in (corpus, other)]
    data = {"train": [{"corpus": str(one)} for one in (corpus, other)], "devel": devel}
    run("out", data=data, run={"steps": 2})
    manifest = read_manifest(tmp_path / "out")
    for one in (corpus, other):
        assert f"{one} heldout" in manifest.metrics
        assert sha256_of(one / "manifest.json") in manifest.data[f"{one} train"]
    with pytest.raises(BadInputError, match="twice"):
        run("twice", data={**data, "devel": [devel[0], devel[0]]}, run={"steps": 2})


def test_a_rate_is_looked_for_in_more_steps_than_the_recipe_has(
    tables: dict[str, Any], tmp_path: Path
) -> None:
    plan = read_recipe({**tables, "run": {**tables["run"], "steps": 12}}, place="toy.toml")
    places = RunPlaces(tmp_path / "out", CorpusPlaces(tmp_path / "cache"))
    settings = RangeSettings(highest=1e-4, steps=20)
    assert len(find_learning_rate(plan, places, settings, listener=Recorder()).points) == 20


def test_layers_computed_again_give_the_same_weights(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    for memory in ("activations", "recompute"):
        run(memory, run={**tables["run"], "steps": 10, "memory": memory})
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in ("activations", "recompute"))
    for name, weights in one.items():
        torch.testing.assert_close(weights, other[name], atol=1e-6, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")
def test_a_compiled_network_learns_the_same(
    run: Callable[..., Any], tables: dict[str, Any]
) -> None:
    one, other = (
        run(compilation, run={**tables["run"], "steps": 4, "compilation": compilation}).losses
        for compilation in ("none", "default")
    )
    assert other[0] == pytest.approx(one[0], rel=2e-4)
    # Adam's first steps blow rounding up.
    assert other == pytest.approx(one, rel=2e-2)


@pytest.mark.parametrize(
    ("precision", "tolerance"),
    [("float32", 1e-5), pytest.param("bf16", 5e-3, marks=pytest.mark.slow)],
)
def test_two_processes_give_equal_weights_copied_or_sharded(
    tables: dict[str, Any], tmp_path: Path, precision: str, tolerance: float
) -> None:
    for parallel in ("ddp", "fsdp"):
        changed = {**tables["run"], "steps": 12, "parallel": parallel, "precision": precision}
        changed["keep_every_steps"] = 12
        done = launched({**tables, "run": changed}, tmp_path / parallel)
        assert done.returncode == 0, done.stderr[-3000:]
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in ("ddp", "fsdp"))
    assert one.keys() == other.keys()
    for name, weights in one.items():
        torch.testing.assert_close(weights, other[name], atol=tolerance, rtol=10 * tolerance)
    for name, written in (("ddp", one), ("fsdp", other)):
        (place,) = checkpoints(tmp_path / name / "checkpoints")
        kept = load_file(place / WEIGHTS)
        assert all(torch.equal(kept[tensor], weights) for tensor, weights in written.items())
    states = [
        load_file(next((tmp_path / name / "checkpoints").glob("step-*")) / OPTIMIZER)
        for name in ("ddp", "fsdp")
    ]
    assert {k: v.shape for k, v in states[0].items()} == {k: v.shape for k, v in states[1].items()}


@pytest.mark.slow
def test_a_sharded_run_goes_on_where_it_stopped(tables: dict[str, Any], tmp_path: Path) -> None:
    recipe = {**tables, "run": {**tables["run"], "steps": 20, "parallel": "fsdp"}}
    assert launched(recipe, tmp_path / "whole").returncode == 0
    assert launched(recipe, tmp_path / "killed", last_step=14).returncode != 0
    assert not (tmp_path / "killed" / WEIGHTS).exists()
    done = launched(recipe, tmp_path / "killed")
    assert done.returncode == 0, done.stderr[-3000:]
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "killed"))
    for name, weights in one.items():
        torch.testing.assert_close(weights, other[name], atol=1e-6, rtol=1e-5)


def test_longer_rows_go_on_from_a_checkpoint_of_512_positions(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=r"model\.positions"):
        run("short", stages=[{"length": 600}], run={**tables["run"], "steps": 2})
    model = {**tables["model"], "positions": 640}
    few = {**tables["run"], "steps": 2}
    listener = run("long", model=model, stages=[{"length": 600}], run=few)
    (note,) = (one for one in listener.notes if "learn nothing" in one)
    assert note.startswith("model.positions = 640, but rows have up to 600 tokens")
    assert (
        BertForPreTraining.from_pretrained(tmp_path / "long").config.max_position_embeddings == 640
    )


@pytest.mark.parametrize(
    ("source", "tables_", "words"),
    [
        ({"share": 0.5}, {}, "does not read 'share'"),
        ({"labels": ["NN"]}, {}, "does not read 'labels'"),
        ({}, {"regularization": {"masked_words": 0.5}}, r"regularization\.masked_words"),
        ({}, {"augmentation": {"synonym_rate": 0.1}}, r"\[augmentation\]"),
    ],
)
def test_settings_that_speak_of_documents_are_refused(
    run: Callable[..., Any],
    corpus: Path,
    source: dict[str, Any],
    tables_: dict[str, Any],
    words: str,
) -> None:
    data = {"train": [{"corpus": str(corpus), **source}], "devel": []}
    with pytest.raises(BadInputError, match=words):
        run("out", data=data, **tables_)


def test_a_new_vocabulary_keeps_the_rows_of_old_pieces(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    new = tiny_tokenizer()
    new.backend.add_tokens(["cardiacs"])
    place = write_toy_corpus(tmp_path / "new", documents=20, tokenizer=new)
    listener = run(
        "out",
        model={**tables["model"], "vocabulary": str(place)},
        data={"train": [{"corpus": str(place)}], "devel": []},
        run={**tables["run"], "steps": 2},
    )
    assert any("kept their embedding" in note for note in listener.notes)
    rows = load_file(tmp_path / "out" / WEIGHTS)["bert.embeddings.word_embeddings.weight"]
    assert len(rows) == new.vocabulary_size == TOKENIZER.vocabulary_size + 1


def test_a_corpus_of_another_vocabulary_is_refused(
    run: Callable[..., Any], corpus: Path, tmp_path: Path
) -> None:
    other = tiny_tokenizer()
    other.backend.add_tokens(["aspirinated"])
    place = write_toy_corpus(tmp_path / "other", documents=8, tokenizer=other)
    with pytest.raises(BadInputError, match="another vocabulary"):
        run("out", data={"train": [{"corpus": str(place)}], "devel": []})


def test_a_flipped_byte_is_named_or_skipped(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    place = write_toy_corpus(tmp_path / "damaged")
    shard = place / "train-00001.tokens.npy"
    content = bytearray(shard.read_bytes())
    content[-3] ^= 1
    shard.write_bytes(content)
    data = {"train": [{"corpus": str(place)}], "devel": []}
    with pytest.raises(BadInputError, match=r"train-00001\.tokens\.npy"):
        run("refused", data=data)
    data["train"][0]["damaged"] = "skip"  # type: ignore[index,assignment]
    listener = run("skipped", data=data, run={**tables["run"], "steps": 3})
    assert any("train-00001" in note for note in listener.notes)
