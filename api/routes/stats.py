"""Figures. They come from ClickHouse; while it is away they answer 503 and nothing else does."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from analytics.questions import Question, Value, questions
from api.ask import Answer
from api.call import answer, operator
from api.schema import described
from api.services import Services
from tocsin.errors import Refused

router = APIRouter(tags=["stats"])

Operator = Annotated[Services, Depends(operator)]


class Totals(msgspec.Struct):
    """Deliveries per channel: accepted = delivered + failed + suppressed + expired + cancelled +
    in_flight."""

    channels: Mapping[str, Mapping[str, int]]


class Given(msgspec.Struct):
    """A parameter of a question, as a query parameter of its address; `type` is ClickHouse's."""

    name: str
    type: str
    default: Value
    about: str


class Asked(msgspec.Struct):
    """A question there is: `GET /v1/stats/{name}`."""

    name: str
    about: str
    parameters: list[Given]


class Questions(msgspec.Struct):
    """In the order of names."""

    questions: list[Asked]


@router.get("/v1/stats", **described(None, Questions, 200, ["stats:read"]))
async def list_questions(_: Operator) -> Response:
    """The questions that can be asked by name. Open to all beside the sandbox."""
    return answer(Questions([_asked(question) for question in questions().values()]))


@router.get("/v1/stats/totals", **described(None, Totals, 200, ["stats:read"]))
async def read_totals(services: Operator) -> Response:
    """All deliveries so far. Open to all beside the sandbox."""
    return answer(Totals(await services.figures.totals()))


@router.get("/v1/stats/{name}", **described(None, Answer, 200, ["stats:read"]))
async def ask(name: str, request: Request, services: Operator) -> Response:
    """The answer to a named question, at most a second old and 10,000 rows long.

    Its parameters are query parameters (`hours=24`); what is not given has its default.
    """
    question = questions().get(name)
    if question is None:
        raise Refused("not_found", f"there is no question {name!r}; GET /v1/stats lists them")
    values = question.given(dict(request.query_params))
    return answer(await services.answers.of(question, values))


def _asked(question: Question) -> Asked:
    return Asked(
        question.name, question.about, [Given(*parameter) for parameter in question.parameters]
    )
