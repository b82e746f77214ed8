"""Every answer is the one that the same models give offline."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from biobert import Annotator, Embedder
from biobert.core.document import Document, Entity
from biobert.core.files import InMemoryFile
from biobert.data.formats.jsonl import document_from_json
from biobert.data.reading import read_documents, write_documents
from biobert.pipeline.answerer import Answerer
from biobert.pipeline.gap_filler import GapFiller
from biobert.runtime.settings import RuntimeSettings
from biobert.serving.pairs import documents_of_pairs
from biobert.trust.deidentification import Deidentifier
from biobert.trust.tagger import load_tagger
from tests.serving.conftest import figure, serving
from tests.serving.texts import TEXTS

EXACT = RuntimeSettings(precision="float32")


@pytest.fixture(scope="module")
def annotator() -> Annotator:
    return Annotator()


def served(client: TestClient, text: str, **options: object) -> Document:
    found = client.post("/v1/annotate", json={"text": text, **options})
    assert found.status_code == 200, found.text
    return document_from_json(found.json()["documents"][0])


def test_annotations_are_those_of_the_annotator(client: TestClient, annotator: Annotator) -> None:
    assert [served(client, text) for text in TEXTS] == [annotator.annotate(one) for one in TEXTS]


def test_options_choose_as_offline(client: TestClient) -> None:
    chosen = Annotator(minimum_score=0.995, labels=["Disease", "Gene"])
    for text in TEXTS:
        found = served(client, text, minimum_score=0.995, labels=["Disease", "Gene"])
        assert found == chosen.annotate(text)


def test_requests_that_share_batches_get_their_own_answers(
    client: TestClient, annotator: Annotator
) -> None:
    texts = [f"{text} Case {number}." for number in range(8) for text in TEXTS]
    with ThreadPoolExecutor(16) as clients:
        found = list(clients.map(lambda text: served(client, text), texts))
    assert found == [annotator.annotate(text) for text in texts]
    requests, batches = (
        figure(client, f"biobert_batch_requests_{one}") for one in ("sum", "count")
    )
    assert requests > batches, "no batch held more than one request"


def test_many_documents_keep_their_order_and_names(
    client: TestClient, annotator: Annotator
) -> None:
    given = [{"id": f"doc-{number}", "text": text} for number, text in enumerate(TEXTS)]
    found = client.post("/v1/annotate", json={"documents": given}).json()["documents"]
    expected = annotator.annotate_many(Document(**one) for one in given)
    assert [document_from_json(one) for one in found] == list(expected)
    assert found[0]["entities"][0]["text"] == "Aspirin"


@pytest.mark.parametrize(
    ("format", "type"),
    [
        ("pubtator", "text/plain; format=pubtator"),
        ("bioc-json", "application/json; format=bioc-json"),
        ("bioc-xml", "application/xml"),
    ],
)
def test_formats_of_the_field(
    client: TestClient, annotator: Annotator, format: str, type: str
) -> None:
    body, expected = InMemoryFile("body"), InMemoryFile("body")
    write_documents([Document("7", "Aspirin.\nIt may cause gastric ulcers.")], body, format)
    write_documents(annotator.annotate_many(read_documents(body, format)), expected, format)
    by_type = client.post("/v1/annotate", content=body.content, headers={"content-type": type})
    named = client.post(f"/v1/annotate?format={format}", content=body.content)
    as_json = client.post(
        "/v1/annotate",
        content=body.content,
        headers={"content-type": type, "accept": "application/json"},
    )
    assert by_type.content == named.content == expected.content
    assert by_type.headers["content-type"] == named.headers["content-type"]
    assert as_json.json()["documents"][0]["entities"][0]["text"] == "Aspirin"


def test_plain_text_and_a_wish_for_another_format(client: TestClient) -> None:
    headers = {"content-type": "text/plain", "accept": "text/plain; format=pubtator"}
    found = client.post("/v1/annotate?labels=Chemical", content="Aspirin helps.", headers=headers)
    assert found.text.splitlines()[:3] == [
        "1|t|Aspirin helps.",
        "1|a|",
        "1\t0\t7\tAspirin\tChemical\t-1",
    ]
    refused = client.post("/v1/annotate", json={"text": "a"}, headers={"accept": "image/png"})
    assert refused.status_code == 406


@pytest.mark.parametrize(
    ("accept", "type"),
    [
        ("application/json;q=0.1, application/xml", "application/xml"),
        ("application/xml;q=0, application/json", "application/json"),
        ("application/xml;q=2, */*;q=0.5", "application/json"),
        ("image/png, text/html;q=0.2, application/xml;q=0.1", "text/html; charset=utf-8"),
    ],
)
def test_the_most_welcome_format_is_written(client: TestClient, accept: str, type: str) -> None:
    found = client.post("/v1/annotate", json={"text": "Aspirin."}, headers={"accept": accept})
    assert found.headers["content-type"] == type
    unwelcome = {"accept": "application/json;q=0"}
    assert client.post("/v1/annotate", json={"text": "a"}, headers=unwelcome).status_code == 406


def test_persons_are_taken_out_first(everything: TestClient) -> None:
    text = "Mrs. Sullivan, seen on 3/14/2024, takes warfarin."
    clean = Deidentifier().deidentify(text).document.text
    assert "Sullivan" not in clean
    exact = Annotator(settings=EXACT)
    assert served(everything, text, deidentify=True) == exact.annotate(clean)
    asked = {"question": f"{text} Why?", "context": text, "deidentify": True}
    for path, body in (
        ("/v1/answer", asked),
        ("/v1/classify", {"text": text, "deidentify": True}),
        ("/v1/relations", {"text": text, "deidentify": True}),
        ("/plain", {"text": text, "deidentify": True}),
        ("/v1/embed", {"texts": [text], "deidentify": True}),
        ("/v1/infer", {"pairs": [{"first": text, "second": text}], "deidentify": True}),
        ("/v1/fill-mask", {"text": f"{text} [MASK]", "deidentify": True}),
        ("/embed", {"inputs": text, "deidentify": True}),
        (
            "/rerank",
            {"query": text, "texts": [text], "return_text": True, "deidentify": True},
        ),
    ):
        found = everything.post(path, json=body)
        assert found.status_code == 200 and "Sullivan" not in found.text, found.text
    plain = everything.post(
        "/v1/annotate?deidentify=true", content=text, headers={"content-type": "text/plain"}
    )
    assert document_from_json(plain.json()["documents"][0]) == exact.annotate(clean)


def test_surrogates_of_one_request_tell_nothing_of_another() -> None:
    body = {"text": "Mrs. Sullivan was seen on 3/14/2024.", "deidentify": True}
    with serving(deidentification={"replacement": "surrogates"}) as client:
        found = {served(client, **body).text for _ in range(4)}
    assert len(found) > 1 and not any("Sullivan" in one for one in found)


def test_a_model_helps_to_find_persons(tmp_path: Path) -> None:
    from tests.tiny import write_tiny_model_folder

    folder = write_tiny_model_folder(tmp_path / "names", labels=["PERSON"])
    text = "Aspirin may help the naive patients of doctor Sullivan."
    expected = Deidentifier(names=load_tagger(folder).annotate).deidentify(text).document.text
    assert expected != Deidentifier().deidentify(text).document.text
    with serving(deidentification={"names": str(folder)}) as client:
        assert served(client, text, deidentify=True).text == expected


def test_clients_of_bern2(client: TestClient, annotator: Annotator) -> None:
    found = client.post("/plain", json={"text": TEXTS[0]}).json()
    assert found.keys() == {"annotations", "text", "timestamp"}
    expected = annotator.annotate(TEXTS[0])
    assert [
        (one["mention"], one["span"]["begin"], one["span"]["end"], one["prob"])
        for one in found["annotations"]
    ] == [(expected.mention(one), one.start, one.end, one.score) for one in expected.entities]
    first = found["annotations"][0]
    assert (first["obj"], first["id"], first["is_neural_normalized"]) == (
        "drug",
        ["CUI-less"],
        False,
    )


def test_labels_of_texts(everything: TestClient, folders: dict[str, Path]) -> None:
    found = everything.post("/v1/classify", json={"documents": [{"text": one} for one in TEXTS]})
    expected = list(Annotator(folders["topics"], settings=EXACT).annotate_many(TEXTS))
    for one, other in zip(found.json()["documents"], expected, strict=True):
        assert one["labels"] == list(other.labels)
        assert one["scores"] == pytest.approx(dict(other.label_scores), abs=1e-5)


@pytest.mark.parametrize(
    ("path", "model", "kinds"),
    [
        ("/v1/infer", "inference", ("premise", "hypothesis")),
        ("/v1/similarity", "similarity", ("left", "right")),
    ],
)
def test_pairs(
    everything: TestClient,
    folders: dict[str, Path],
    path: str,
    model: str,
    kinds: tuple[str, str],
) -> None:
    pairs = [(one, other) for one in TEXTS[:3] for other in TEXTS[:3]]
    body = {"pairs": [{"first": one, "second": other} for one, other in pairs]}
    found = everything.post(path, json=body)
    assert found.status_code == 200, found.text
    annotator = Annotator(folders[model], settings=EXACT)
    expected = annotator.annotate_many(documents_of_pairs(pairs, kinds))
    for one, other in zip(found.json()["pairs"], expected, strict=True):
        scores = one["scores"] if path == "/v1/infer" else {"similarity": one["place"]}
        assert scores == pytest.approx(dict(other.label_scores), abs=1e-5)


def test_questions(everything: TestClient, folders: dict[str, Path]) -> None:
    body = {"question": "What may aspirin cause?", "context": " ".join(TEXTS), "top": 4}
    found = everything.post("/v1/answer", json=body).json()
    expected = Answerer(folders["questions"], top=4, settings=EXACT).answer(
        body["question"],
        body["context"],  # type: ignore[arg-type]
    )
    assert len(found["found"]) == 4
    assert [one["start"] for one in found["found"]] == [one.start for one in expected.found]
    assert [one["text"] for one in found["found"]] == [one.text for one in expected.found]


def test_relations_of_entities_that_are_found_or_given(
    everything: TestClient, folders: dict[str, Path]
) -> None:
    text = TEXTS[0]
    entities = [
        {"start": 0, "end": 7, "label": "Chemical", "id": "T1"},
        {"start": 18, "end": 32, "label": "Disease", "id": "T2"},
    ]
    documents = [{"text": text, "entities": entities}, {"text": text}]
    found = everything.post("/v1/relations", json={"documents": documents})
    assert found.status_code == 200, found.text
    given, tagged = (document_from_json(one) for one in found.json()["documents"])
    both = Annotator(relations=folders["relations"], settings=EXACT)
    assert tagged.relations and len(tagged.relations) == len(both.annotate(text).relations)
    assert [one.label for one in tagged.relations] == [
        one.label for one in both.annotate(text).relations
    ]
    assert {one.target for one in given.relations[0].arguments} == {"T1", "T2"}


@pytest.mark.parametrize(
    ("relations", "tagger"), [("relations", "entities"), ("together", "together")]
)
def test_each_model_counts_what_it_read(
    everything: TestClient, relations: str, tagger: str
) -> None:
    models = {relations, tagger}

    def figures() -> tuple[float, float, float]:
        sums = [
            sum(figure(everything, f'biobert_{kind}_total{{model="{one}"}}') for one in models)
            for kind in ("documents", "tokens")
        ]
        return sums[0], sums[1], figure(everything, "biobert_batch_tokens_sum")

    body = {"text": TEXTS[0], "model": relations, "entities_model": tagger}
    found = []
    for _ in range(2):
        assert everything.post("/v1/relations", json=body).status_code == 200
        found.append(figures())
    documents, tokens, computed = (now - then for then, now in zip(*found, strict=True))
    assert documents == len(models) and tokens == computed > 0


@pytest.mark.parametrize("format", ["pubtator", "bioc-json", "bioc-xml"])
def test_relations_and_labels_of_the_formats_of_the_field(
    everything: TestClient, folders: dict[str, Path], format: str
) -> None:
    """Known mentions are related, those of a text without any are found first."""
    known = (Entity(0, 7, "Chemical", id="T1"), Entity(18, 32, "Disease", id="T2"))
    text = f"{TEXTS[0]}\nIt is so."
    body, related, labelled = InMemoryFile("body"), InMemoryFile("body"), InMemoryFile("body")
    write_documents([Document("7", text, entities=known), Document("8", text)], body, format)
    given, bare = read_documents(body, format)
    relating = Annotator(folders["relations"], settings=EXACT)
    both = Annotator(relations=folders["relations"], settings=EXACT)
    expected = [relating.annotate(given), both.annotate(bare)]
    assert all(one.relations for one in expected)
    found = everything.post(f"/v1/relations?format={format}", content=body.content)
    write_documents(expected, related, format)
    assert without_scores(found.content, format) == without_scores(related.content, format)
    labels = everything.post(f"/v1/classify?format={format}", content=body.content)
    if format == "pubtator":
        assert [one["id"] for one in labels.json()["documents"]] == ["7", "8"]
        headers = {"accept": "text/plain; format=pubtator"}
        refused = everything.post("/v1/classify", json={"text": text}, headers=headers)
        assert refused.status_code == 406
        return
    topics = Annotator(folders["topics"], settings=EXACT)
    write_documents(topics.annotate_many([given, bare]), labelled, format)
    assert without_scores(labels.content, format) == without_scores(labelled.content, format)


def without_scores(content: bytes, format: str) -> list[Document]:
    """What is read of a body: scores depend in their last digits on what is computed beside."""
    return [
        replace(
            one,
            entities=tuple(replace(each, score=None) for each in one.entities),
            relations=tuple(replace(each, score=None) for each in one.relations),
            label_scores={},
        )
        for one in read_documents(InMemoryFile("body", content), format)
    ]


@pytest.mark.parametrize(("count", "most"), [(90, 5_000), (110, 10_000)])
def test_few_entities_may_make_too_many_pairs(
    everything: TestClient, count: int, most: int
) -> None:
    entities = [
        {"start": number, "end": number + 1, "label": label}
        for label in ("Chemical", "Disease")
        for number in range(count)
    ]
    body = {"documents": [{"text": "a" * count, "entities": entities}]}
    for path, asked in (
        ("relations", body),
        ("annotate", {**body, "model": "relations"}),
        ("annotate", {**body, "model": "together"}),
    ):
        found = everything.post(f"/v1/{path}", json=asked)
        assert found.status_code == 413 and f"{most} pairs" in found.json()["error"]["message"]


def test_vectors_and_ranks(everything: TestClient, folders: dict[str, Path]) -> None:
    embedder = Embedder(folders["encoder"], settings=EXACT)
    expected = np.stack(list(embedder.embed_many(TEXTS)))
    own = everything.post("/v1/embed", json={"texts": TEXTS}).json()
    compatible = everything.post("/embed", json={"inputs": TEXTS, "truncate": True}).json()
    assert own["size"] == expected.shape[1]
    assert np.abs(np.array(own["vectors"]) - expected).max() < 1e-5
    assert np.abs(np.array(compatible) - expected).max() < 1e-5
    body = {"inputs": TEXTS[0], "dimensions": None, "prompt_name": None}
    one = everything.post("/embed", json=body).json()
    assert np.abs(np.array(one) - expected[:1]).max() < 1e-5


def test_ranks_by_similarity_and_by_vectors(
    everything: TestClient, folders: dict[str, Path]
) -> None:
    asked = {"query": "aspirin", "texts": TEXTS, "return_text": True}
    found = everything.post("/rerank", json=asked).json()
    assert sorted(one["index"] for one in found) == list(range(len(TEXTS)))
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
    assert all(one["text"] == TEXTS[one["index"]] for one in found)
    documents = documents_of_pairs([("aspirin", text) for text in TEXTS], ("left", "right"))
    annotator = Annotator(folders["similarity"], settings=EXACT)
    places = [one.label_scores["similarity"] for one in annotator.annotate_many(documents)]
    assert [one["score"] for one in found] == pytest.approx(sorted(places, reverse=True), abs=1e-5)


def test_gaps(everything: TestClient, folders: dict[str, Path]) -> None:
    text = "Aspirin [MASK] the cancer."
    found = everything.post("/v1/fill-mask", json={"text": text, "top": 3}).json()
    (expected,) = GapFiller(folders["language-model"]).fill(text, top=3)
    (gap,) = found["gaps"]
    assert (gap["start"], gap["end"]) == (8, 14)
    assert [one["piece"] for one in gap["candidates"]] == [one.piece for one in expected.candidates]


def test_a_model_is_found_by_name_and_by_what_it_is_for(everything: TestClient) -> None:
    wrong = everything.post("/v1/classify", json={"text": "a", "model": "inference"})
    assert wrong.status_code == 422 and "inference" in wrong.json()["error"]["message"]
    missing = everything.post("/v1/classify", json={"text": "a", "model": "topic"})
    assert missing.status_code == 404 and "'topics'" in missing.json()["error"]["message"]
    any_task = everything.post("/v1/annotate", json={"text": "aspirin", "model": "topics"})
    assert any_task.json()["documents"][0]["label_scores"].keys() == {"yes", "no"}
    names = [one["name"] for one in everything.get("/v1/models").json()["models"]]
    assert names[0] == "entities" and len(names) == 9
