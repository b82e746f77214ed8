"""`/plain`: for clients of BERN2 (Sung et al. 2022, arXiv:2201.02080)."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document, Entity
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import BernAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import json_response
from biobert.serving.models import task_named, trained_for
from biobert.serving.routing import guarded
from biobert.serving.schema import BernRequest
from biobert.serving.service import service_of
from biobert.tasks.ner import NamedEntityRecognition

ROUTES = guarded()
FINDS_ENTITIES = task_named(NamedEntityRecognition.name)
NEED = "a model that was trained for 'ner', or `embedded`"
TYPES = {
    "Chemical": "drug",
    "Protein": "gene",
    "GeneOrProtein": "gene",
    "CellLine": "cell_line",
    "CellType": "cell_type",
    "Variant": "mutation",
    "SequenceVariant": "mutation",
    "DNA": "DNA",
    "RNA": "RNA",
}
"""BERN2's names of types; the others are ours in lower case."""
WITHOUT_CONCEPT = "CUI-less"


@ROUTES.post(
    "/plain",
    summary="Annotate as BERN2 does",
    response_class=Response,
    responses=answers(BernAnswer),
)
async def plain(request: Request, asked: BernRequest) -> Response:
    """Entities in BERN2's JSON; `prob` is the probability of the mention."""
    service = service_of(request)
    served = service.models.choose(None, trained_for(FINDS_ENTITIES), need=NEED)
    load = service.check_texts([asked.text])

    def work(job: Job) -> Response:
        (text,) = service.texts_without_persons([asked.text], asked, job)
        annotator = Annotator(served.documents(service.batcher, job, FINDS_ENTITIES))
        document = annotator.annotate(text)
        service.note(request, [served], job, [document])
        return json_response(
            {
                "annotations": [_annotation(document, one) for one in document.entities],
                "text": document.text,
                "timestamp": datetime.now(UTC).strftime("%a %b %d %H:%M:%S %z %Y"),
            }
        )

    return await service.run(request, [served], load, work)


def _annotation(document: Document, entity: Entity) -> dict[str, Any]:
    return {
        "id": list(entity.concept_ids) or [WITHOUT_CONCEPT],
        "is_neural_normalized": False,
        "mention": document.mention(entity),
        "obj": TYPES.get(entity.label, entity.label.lower()),
        "prob": entity.score,
        "span": {"begin": entity.start, "end": entity.end},
    }
