"""The loop learns, stops, chooses and complains as it should."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from biobert.core.document import Argument, Document, Entity, Relation
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.model_folder import ModelManifest, read_manifest
from biobert.core.task import Score, Scores
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.learnt_from import learnt_from
from biobert.tasks.ner import NamedEntityRecognition
from biobert.training.average import average_models
from biobert.training.curves import scored_points
from biobert.training.loop import TrainingLoop
from biobert.training.material import RunPlaces, read_material
from biobert.training.recipe import RunSettings, read_recipe
from biobert.training.start import build_learner
from biobert.training.tracking import tracked_scores
from tests.training.conftest import Recorder


def test_a_run_learns_and_leaves_a_model_that_annotates(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    listener = run("out", run={"epochs": 25})
    assert sum(listener.losses[-5:]) < 0.2 * sum(listener.losses[:5])
    gold = NamedEntityRecognition.toy_documents()[0]
    found = Annotator(tmp_path / "out").annotate(gold.text)
    assert [(e.start, e.end, e.label) for e in found.entities] == [
        (e.start, e.end, e.label) for e in gold.entities
    ]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    wanted = {"README.md", "biobert.json", "config.json", "curves.png", "history.jsonl"}
    assert wanted | {"model.safetensors", "tokenizer.json"} <= names


def test_the_resolved_recipe_is_kept_with_the_model(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    run("out", run={"epochs": 1}, optimizer={"learning_rate": 3e-4})
    recipe = read_manifest(tmp_path / "out").recipe
    assert recipe["optimizer"]["learning_rate"] == 3e-4
    assert recipe["optimizer"]["betas"] == [0.9, 0.999]
    assert recipe["run"]["seed"] == 1


def test_what_the_start_has_learnt_stays_known_in_another_folder(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    run("start", run={"steps": 1})
    other = tmp_path / "other.jsonl"
    write_documents([Document("1", "Rest.", annotated_labels=("Disease",))] * 4, other, "jsonl")
    run("own", model={"encoder": "start"}, data={"train": [{"corpus": str(other)}]})
    average_models([tmp_path / "own"] * 2, tmp_path / "soup", name="soup")
    monkeypatch.chdir(tmp_path.parent)
    for model in ("own", "soup"):
        found = learnt_from(read_manifest(tmp_path / model), places=CorpusPlaces(tmp_path))
        expected = {f"{tables['data']['train'][0]['corpus']} train", f"{other} train"}
        assert (set(found.sources), found.missing) == (expected, ())


def test_a_start_that_is_gone_is_named(tables: dict[str, Any], tmp_path: Path) -> None:
    recipe = {**tables, "model": {"encoder": "runs/start"}}
    for learnt_before, missing in ((None, ("what runs/start learnt from",)), ((), ())):
        manifest = ModelManifest("old", "ner", {}, recipe=recipe, learnt_before=learnt_before)
        found = learnt_from(manifest, places=CorpusPlaces(tmp_path))
        assert len(found.sources) == 1
        assert found.missing == missing


def test_nothing_is_missing_of_what_the_repositorys_encoder_learnt_from(tmp_path: Path) -> None:
    encoder = read_manifest(Path(__file__).parents[2] / "models/biobert-mini")
    assert learnt_from(encoder, places=CorpusPlaces(tmp_path)).missing == ()


def test_the_best_epoch_on_devel_is_kept_and_patience_ends_the_run(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    source = tables["data"]["train"]
    listener = run(
        "out", data={"train": source, "devel": source}, run={"epochs": 40, "patience": 2}
    )
    assert len(listener.devel) < 40
    best = max(listener.devel)
    first = listener.devel.index(best)
    assert len(listener.devel) == first + 1 + 2
    assert read_manifest(tmp_path / "out").metrics["devel"] == best
    kept = load_file(tmp_path / "out" / "checkpoints" / "best.safetensors")
    saved = load_file(tmp_path / "out" / "model.safetensors")
    assert torch.equal(kept["heads.tags.classifier.weight"], saved["classifier.weight"])


def test_no_patience_at_all_is_refused() -> None:
    with pytest.raises(BiobertError, match="patience = 0: at least 1"):
        RunSettings(patience=0)


def test_a_score_that_is_no_number_is_never_the_best(
    tables: dict[str, Any], tmp_path: Path
) -> None:
    class Failing:
        mains = iter([0.5, float("nan")])

        def evaluate(self, network: object, device: object) -> dict[str, Scores]:
            return {"devel": Scores(next(self.mains), Score(0.0, 0.0, 0.0, 1), {})}

        def tuned(self, network: object, device: object) -> Any:
            raise AssertionError

    recipe = read_recipe(tables, place="toy.toml")
    learner = build_learner(recipe, print)
    places = RunPlaces(tmp_path / "out", CorpusPlaces(tmp_path))
    source = read_material(recipe, places, learner, print).source
    loop = TrainingLoop(
        recipe, learner, source, examiner=Failing(), output=places.output, listener=Recorder()
    )
    assert loop.run(resume=False).best_score == 0.5


@pytest.mark.parametrize(
    "changes",
    [{"stages": [{"length": 64}]}, {"batches": {"layout": "packed"}}, {"run": {"devel_tokens": 9}}],
)
def test_settings_of_pretraining_are_refused(
    run: Callable[..., Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(BadInputError, match="is for pretraining, on shards of tokens"):
        run("out", **changes)


def test_a_checkpoint_is_kept_at_every_step_that_is_asked_for(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    run("out", run={"epochs": 2, "keep_every_steps": 2, "checkpoint_every_steps": 100})
    folder = tmp_path / "out" / "checkpoints"
    assert [one.name for one in sorted(folder.glob("step-*"))] == [
        f"step-{step:08d}" for step in (2, 4, 6)
    ]


def test_a_loss_that_is_no_number_names_the_batch(run: Callable[..., Any]) -> None:
    with pytest.raises(BiobertError, match=r"loss is (nan|inf) in epoch 1, batch \d+ \(rows \["):
        run("out", optimizer={"learning_rate": 1e30, "maximum_gradient_norm": 1e30})


def test_accumulated_batches_are_fewer_steps(run: Callable[..., Any]) -> None:
    single = run("one", run={"epochs": 1})
    double = run("two", run={"epochs": 1}, batches={"accumulation": 2})
    assert len(double.losses) == -(-len(single.losses) // 2)


def test_a_corpus_can_weigh_twice(run: Callable[..., Any], tables: dict[str, Any]) -> None:
    (source,) = tables["data"]["train"]
    once = run("once", run={"epochs": 1})
    twice = run("twice", run={"epochs": 1}, data={"train": [{**source, "times": 2}]})
    assert len(twice.losses) == pytest.approx(2 * len(once.losses), abs=1)


def test_tensorboard_gets_the_loss_and_every_figure_of_devel(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run("out", data={"devel": tables["data"]["train"]}, run={"trackers": ["tensorboard"]})
    tags = [
        tag
        for events in (tmp_path / "out").rglob("events.out.tfevents*")
        for tag in EventAccumulator(str(events)).Reload().Tags()["scalars"]
    ]
    assert {"loss", "devel"} <= set(tags)
    assert any(tag.startswith("devel/score/") for tag in tags)


def test_every_figure_of_devel_has_its_panel_and_a_name_for_trackers() -> None:
    shown = {
        "x/pmc heldout": -2.0,
        "x/pmc heldout perplexity": 7.4,
        "B train+devel": -1.0,
        "B train+devel perplexity": 2.7,
    }
    points = scored_points([{"step": 5, "loss": 1.0}, {"step": 5, "scores": shown}])
    assert points["score"] == {"x/pmc heldout": [(5, -2.0)], "B train+devel": [(5, -1.0)]}
    assert points["perplexity"] == {"x/pmc heldout": [(5, 7.4)], "B train+devel": [(5, 2.7)]}
    assert tracked_scores(-1.5, shown) == {
        "devel": -1.5,
        "devel/score/x/pmc heldout": -2.0,
        "devel/score/B train_devel": -1.0,
        "devel/perplexity/x/pmc heldout": 7.4,
        "devel/perplexity/B train_devel": 2.7,
    }


def test_a_tracker_that_cannot_be_used_is_said_at_once(run: Callable[..., Any]) -> None:
    with pytest.raises(BiobertError, match="tensorboard"):
        run("out", run={"trackers": ["tensorbord"]})
    with pytest.raises(BiobertError, match="pip install clearml"):
        run("out", run={"trackers": ["clearml"]})


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes in fp16")
def test_half_precision_without_a_gpu_is_refused(run: Callable[..., Any]) -> None:
    with pytest.raises(BiobertError, match="needs a GPU"):
        run("out", run={"precision": "fp16"})


def test_records_that_cannot_be_read_are_told(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    text = Path(tables["data"]["train"][0]["corpus"]).read_text()
    for name in ("train", "devel"):
        (tmp_path / f"{name}.jsonl").write_text('{"txt": "a"}\n' + text)
    data = {name: [{"corpus": str(tmp_path / f"{name}.jsonl")}] for name in ("train", "devel")}
    listener = run("out", data=data, run={"epochs": 1})
    (note,) = (one for one in listener.notes if "set aside" in one)
    assert note.startswith("2 records were set aside, the first at train.jsonl:1: ")
    described = read_manifest(tmp_path / "out").data
    assert described["set aside"] == "1 records that could not be read"


def test_relations_that_no_pair_covers_are_told(run: Callable[..., Any], tmp_path: Path) -> None:
    text = "Lithium helped. Aspirin harmed the heart."
    names = ((0, 7, "Chemical"), (16, 23, "Chemical"), (35, 40, "Organ"))
    entities = tuple(Entity(*one, id=f"T{number}") for number, one in enumerate(names))
    ends = (("harms", "T1", "T2"), ("helps", "T0", "T2"), ("spares", "T1", "T2"))
    relations = tuple(
        Relation(label, (Argument("Chemical", one), Argument("Organ", other)))
        for label, one, other in ends
    )
    documents = [Document(str(n), text, entities=entities, relations=relations) for n in range(3)]
    write_documents(documents, tmp_path / "toy.jsonl", "jsonl")
    labels = [label for label, _, _ in ends]
    task = {"name": "relations", "labels": labels, "negative": "none"}
    data = {"train": [{"corpus": str(tmp_path / "toy.jsonl")}]}
    listener = run("out", task={**task, "pairs": [["Chemical", "Organ"]]}, data=data)
    across, second = "3 relations are not learnt: their ends", "3 relations are not learnt: their p"
    (note,) = (one for one in listener.notes if "not learnt" in one)
    assert across in note and second in note
    (described,) = read_manifest(tmp_path / "out").data.values()
    assert across in described


def test_where_nothing_is_learnt_the_error_says_what_the_corpora_hold(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "toy.jsonl"
    entity = Entity(0, 6, "Disorder")
    write_documents([Document("1", "Asthma.", entities=(entity,))] * 3, path, "jsonl")
    said = (
        r"nothing to train on\. .*toy\.jsonl.*3 mentions are not learnt: Disorder are none of task"
    )
    with pytest.raises(BadInputError, match=said):
        run(
            "out",
            task={"name": "ner", "labels": ["Disease"]},
            data={"train": [{"corpus": str(path)}]},
        )


def test_a_label_that_the_task_lacks_names_its_source(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "questions.jsonl"
    write_documents([Document("q0", "Does it help?", labels=("perhaps",))], path, "jsonl")
    task = {"name": "classification", "labels": ["yes", "no"]}
    with pytest.raises(BadInputError, match=r"questions\.jsonl train: document 'q0': label 'perh"):
        run("out", task=task, data={"train": [{"corpus": str(path)}]})


def test_history_holds_every_step(run: Callable[..., Any], tmp_path: Path) -> None:
    listener = run("out", run={"epochs": 1})
    lines = (tmp_path / "out" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == listener.losses


def test_a_run_that_is_stopped_leaves_its_history(
    run: Callable[..., Any],
    stopped: Callable[..., None],
    tables: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("biobert.training.curves.SECONDS_BETWEEN", 0.0)
    data = {"devel": tables["data"]["train"]}
    stopped("out", step=5, data=data, run={"evaluate_every_steps": 2})
    lines = (tmp_path / "out" / "history.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows if "scores" in row] == [0, 2, 4]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4]
    assert (tmp_path / "out" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_time_of_evaluations_is_no_time_of_steps(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    devel = {"devel": tables["data"]["train"]}
    run("out", data=devel, run={"epochs": 1, "evaluate_every_steps": 1})
    lines = (tmp_path / "out" / "history.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    # A step is timed from the end of the one before, and here no step follows another at once.
    assert {row["tokens_per_second"] for row in rows if "loss" in row} == {0.0}


def test_rows_beyond_the_encoders_positions_are_refused(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    from biobert.core.document import Document

    write_documents([Document("1", "cancer " * 700)], tmp_path / "long.jsonl", "jsonl")
    task = {**tables["task"], "windows": {"maximum_tokens": 600}}
    with pytest.raises(BiobertError, match=r"maximum_tokens to 512"):
        run("out", task=task, data={"train": [{"corpus": str(tmp_path / "long.jsonl")}]})


def test_the_card_names_base_data_and_scores(run: Callable[..., Any], tmp_path: Path) -> None:
    from biobert.training.card import model_card

    run("out", run={"epochs": 1})
    manifest = read_manifest(tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "# toy" in card
    assert "- Chemical\n- Disease" in card
    assert "12 documents" in card
    assert "biobert annotate abstract.txt --model" in card
    assert "`devel` is the strict entity F1" in card
    encoder = model_card(replace(manifest, task="pretraining", task_settings={}))
    assert "biobert fill-mask" in encoder
    assert "## Answers" not in encoder
    known = model_card(replace(manifest, data={"BC5CDR train": "500 documents"}))
    assert "CC BY 4.0; Li et al. 2016" in known
