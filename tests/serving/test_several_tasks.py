"""A model of several tasks answers as models of one task each do."""

from pathlib import Path
from typing import Any

import pytest

from biobert import Annotator
from biobert.core.document import Document
from biobert.pipeline.answerer import Answerer
from biobert.runtime.settings import RuntimeSettings
from biobert.serving.pairs import documents_of_pairs
from biobert.tasks.cloze import Cloze
from biobert.training.splitting import split_folder
from tests.serving.conftest import serving
from tests.serving.served import PARTS
from tests.serving.texts import TEXTS
from tests.tiny import tiny_tokenizer, write_tiny_model_folder

EXACT = RuntimeSettings(precision="float32")


def test_a_model_of_several_tasks_answers_for_each(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """As each of its parts alone does."""
    split_folder(folders["together"], tmp_path / "parts")
    parts = {name: Annotator(tmp_path / "parts" / name, settings=EXACT) for name in PARTS}
    models = [{"name": "together", "folder": str(folders["together"])}]
    text, given = TEXTS[0], Document("1", TEXTS[0])
    with serving(models=models, runtime={"precision": "float32"}) as client:

        def asked(path: str, **body: Any) -> dict[str, Any]:
            found = client.post(path, json=body)
            assert found.status_code == 200, found.text
            answer: dict[str, Any] = found.json()
            return answer

        (model,) = client.get("/v1/models").json()["models"]
        plain = asked("/plain", text=text)["annotations"]
        (topics,) = asked("/v1/classify", text=text)["documents"]
        (related,) = asked("/v1/relations", text=text)["documents"]
        (all_of_it,) = asked("/v1/annotate", text=text)["documents"]
        organs = asked("/v1/annotate", text=text, labels=["Anatomy"])["documents"][0]
        (inferred,) = asked("/v1/infer", pairs=[{"first": text, "second": text}])["pairs"]
        answered = asked("/v1/answer", question=text, context=text, top=2)["found"]
        ranked = asked("/rerank", query=text, texts=[text])
    assert model["tasks"]["ner"] == ["Chemical", "Disease", "Anatomy"]
    entities = [one for name in ("names", "organs") for one in parts[name].annotate(text).entities]
    spans = sorted((one.start, one.end) for one in entities)
    assert [(one["span"]["begin"], one["span"]["end"]) for one in plain] == spans
    assert [(one["start"], one["end"]) for one in all_of_it["entities"]] == spans
    assert {one["label"] for one in organs["entities"]} == {"Anatomy"}
    expected = parts["topics"].annotate(given)
    assert topics["scores"] == pytest.approx(dict(expected.label_scores), abs=1e-5)
    assert all_of_it["label_scores"] == pytest.approx(dict(expected.label_scores), abs=1e-5)
    relations = parts["effects"].annotate(given.with_entities(entities)).relations
    assert relations and len(related["relations"]) == len(relations)
    (pair,) = documents_of_pairs([(text, text)], ("premise", "hypothesis"))
    expected = parts["inference"].annotate(pair)
    assert inferred["scores"] == pytest.approx(dict(expected.label_scores), abs=1e-5)
    found = Answerer(tmp_path / "parts/questions", top=2, settings=EXACT).answer(text, text)
    assert [one["start"] for one in answered] == [one.start for one in found.found]
    assert len(ranked) == 1


ONE_TEXT = {"text": TEXTS[0]}
A_PAIR = {"pairs": [{"first": "a", "second": TEXTS[0]}]}


@pytest.mark.parametrize(
    ("pattern", "path", "body"),
    [
        ("{text} the [MASK]", "/v1/classify", ONE_TEXT),
        ("{title} the [MASK]", "/v1/classify", ONE_TEXT),
        ("{prompt} [MASK] {evidence}", "/v1/infer", A_PAIR),
    ],
)
def test_a_cloze_labels_texts_or_pairs(
    tmp_path: Path, pattern: str, path: str, body: dict[str, Any]
) -> None:
    words = {"yes": ["aspirin"], "no": ["cancer"]}
    task = Cloze.from_settings({"labels": [*words], "pattern": pattern, "verbalisers": words})
    settings = task.with_tokenizer(tiny_tokenizer()).settings()
    folder = write_tiny_model_folder(tmp_path / "cloze", task="cloze", others=settings)
    with serving(models=[{"name": "cloze", "folder": str(folder)}]) as client:
        found = client.post(path, json=body)
        assert found.status_code == 200, found.text
        ((answer,),) = (found.json()[one] for one in ("pairs", "documents") if one in found.json())
        assert sum(answer["scores"].values()) == pytest.approx(1.0, abs=1e-4)
        other, asked = ("/v1/classify", ONE_TEXT) if body is A_PAIR else ("/v1/infer", A_PAIR)
        assert client.post(other, json=asked).status_code == 404
