"""`/v1/answer`: a question put to a text."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.questions import question_document
from biobert.pipeline.answerer import TASK, Answerer
from biobert.serving.answers import QuestionAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import answer_of
from biobert.serving.models import first_alone, task_named, trained_for
from biobert.serving.routing import guarded
from biobert.serving.schema import AnswerRequest
from biobert.serving.service import service_of

ROUTES = guarded()
ANSWERS = task_named(TASK)
NEED = "a model that was trained for 'qa'"


@ROUTES.post(
    "/v1/answer",
    summary="Answer a question",
    response_class=Response,
    responses=answers(QuestionAnswer),
)
async def answer(request: Request, asked: AnswerRequest) -> Response:
    """The likeliest answers in the text, surest first, each with the sentence it stands in."""
    service = service_of(request)
    served = service.models.choose(asked.model, trained_for(ANSWERS), need=NEED)
    load = service.check_texts([asked.question, asked.context])

    def work(job: Job) -> Response:
        question, context = service.texts_without_persons(
            [asked.question, asked.context], asked, job
        )
        model = served.documents(service.batcher, job, first_alone(served, ANSWERS))
        answerer = Answerer(model, top=asked.top)
        answers = answerer.answer(question, context)
        service.note(request, [served], job, [question_document("1", question, context)])
        return answer_of(served.identity, **asdict(answers))

    return await service.run(request, [served], load, work)
