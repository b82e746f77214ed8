"""`/v1/relations`: which entities of a text are related, and how."""

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import DocumentsAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import answer_of, shown
from biobert.serving.models import trained_for
from biobert.serving.routing import guarded
from biobert.serving.schema import RelationsRequest
from biobert.serving.service import service_of
from biobert.tasks.ner import NamedEntityRecognition
from biobert.tasks.relations import RelationExtraction

ROUTES = guarded()
NEED = "a model that was trained for 'relations'"
NEED_ENTITIES = "a model that was trained for 'ner', or entities in every document"


@ROUTES.post(
    "/v1/relations",
    summary="Relate entities",
    response_class=Response,
    responses=answers(DocumentsAnswer),
)
async def relate(request: Request, asked: RelationsRequest) -> Response:
    """The texts with their relations, between the entities given or those that are found first."""
    service = service_of(request)
    relations = service.models.choose(asked.model, trained_for(RelationExtraction.name), need=NEED)
    documents = asked.as_documents()
    load = service.check_texts([one.text for one in documents])
    tagger = None
    if not all(one.entities for one in documents):
        tagger = service.models.choose(
            asked.entities_model, trained_for(NamedEntityRecognition.name), need=NEED_ENTITIES
        )
    served = [relations] if tagger is None else [relations, tagger]

    def work(job: Job) -> Response:
        given = service.without_persons(documents, asked, job)
        related = relations.documents(service.batcher, job)
        service.check_pairs(given, related.task, job)
        with_entities = Annotator(related, minimum_score=asked.minimum_relation_score)
        annotators = {True: with_entities}
        if tagger is not None:
            annotators[False] = Annotator(
                tagger.documents(service.batcher, job),
                minimum_score=asked.minimum_score,
                relations=related,
                minimum_relation_score=asked.minimum_relation_score,
            )
        found: dict[int, Document] = {}
        for is_given, annotator in annotators.items():
            numbers = [n for n, one in enumerate(given) if bool(one.entities) == is_given]
            answers = annotator.annotate_many([given[number] for number in numbers])
            found.update(zip(numbers, answers, strict=True))
        ordered = [found[number] for number in range(len(given))]
        service.note(request, served, job, ordered)
        return answer_of(relations.identity, documents=[shown(one) for one in ordered])

    return await service.run(request, load, work)
