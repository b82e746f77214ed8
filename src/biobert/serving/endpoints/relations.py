"""`/v1/relations`: which entities of a text are related, and how."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import DocumentsAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import HOLD_RELATIONS, written
from biobert.serving.documents import FormatQuery, asked_of, bodies
from biobert.serving.models import task_named, trained_for
from biobert.serving.routing import guarded
from biobert.serving.schema import EXAMPLE, RelationsRequest, Score
from biobert.serving.service import name_models, service_of
from biobert.tasks.ner import NamedEntityRecognition
from biobert.tasks.relations import RelationExtraction

ROUTES = guarded(others={406: "No format that holds relations is one that Accept names."})
NEED = "a model that was trained for 'relations'"
NEED_ENTITIES = "a model that was trained for 'ner', or entities in every document"
RELATES = task_named(RelationExtraction.name)
FINDS_ENTITIES = task_named(NamedEntityRecognition.name)
RELATED = {
    "id": "1",
    "text": EXAMPLE,
    "entities": [
        {"start": 0, "end": 7, "label": "Chemical", "id": "T1", "score": 0.99, "text": "Aspirin"},
        {
            "start": 18,
            "end": 32,
            "label": "Disease",
            "id": "T2",
            "score": 0.98,
            "text": "gastric ulcers",
        },
    ],
    "relations": [
        {
            "label": "causes",
            "arguments": [
                {"role": "Chemical", "target": "T1", "kind": "entity"},
                {"role": "Disease", "target": "T2", "kind": "entity"},
            ],
            "score": 0.9,
            "evidence": [{"start": 0, "end": len(EXAMPLE)}],
        }
    ],
}


@ROUTES.post(
    "/v1/relations",
    summary="Relate entities",
    response_class=Response,
    responses=answers(DocumentsAnswer, HOLD_RELATIONS, documents=[RELATED]),
    openapi_extra=bodies(RelationsRequest),
)
async def relate(
    request: Request,
    format: FormatQuery = None,
    model: str | None = None,
    entities_model: str | None = None,
    minimum_score: Score = 0.0,
    minimum_relation_score: Score = 0.0,
    deidentify: bool = False,
) -> Response:
    """The texts with their relations, between the entities given or those that are found first.

    JSON says everything in the body; for all other formats the query says it.
    """
    in_query = RelationsRequest(
        text="",
        model=model,
        entities_model=entities_model,
        minimum_score=minimum_score,
        minimum_relation_score=minimum_relation_score,
        deidentify=deidentify,
    )
    service, asked = service_of(request), await asked_of(request, format, in_query, HOLD_RELATIONS)
    wishes = asked.wishes
    relations = service.models.choose(wishes.model, trained_for(RELATES), need=NEED)

    def work(job: Job) -> Response:
        given = asked.documents(service, job)
        related = relations.documents(service.batcher, job, RELATES)
        service.check_pairs(given, related.task, job)
        served = [relations]
        seen: list[Document] = []
        annotators = {
            True: Annotator(related, minimum_score=wishes.minimum_relation_score, watch=seen.append)
        }
        if not all(one.entities for one in given):
            tagger = service.models.choose(
                wishes.entities_model, trained_for(FINDS_ENTITIES), need=NEED_ENTITIES
            )
            served.append(tagger)
            name_models(request, served)
            annotators[False] = Annotator(
                tagger.documents(service.batcher, job, FINDS_ENTITIES),
                minimum_score=wishes.minimum_score,
                relations=related,
                minimum_relation_score=wishes.minimum_relation_score,
                watch=seen.append,
            )
        found = _annotated(given, annotators)
        service.note(request, served, job, seen)
        return written(found, relations.identity, asked.formats.wanted, job)

    return await service.run(request, [relations], asked.load, work)


def _annotated(
    documents: Sequence[Document], annotators: Mapping[bool, Annotator]
) -> list[Document]:
    """The documents in order, each by the annotator for those with, or without, entities."""
    found: dict[int, Document] = {}
    for has_entities, annotator in annotators.items():
        numbers = [n for n, one in enumerate(documents) if bool(one.entities) == has_entities]
        answers = annotator.annotate_many([documents[number] for number in numbers])
        found.update(zip(numbers, answers, strict=True))
    return [found[number] for number in range(len(documents))]
