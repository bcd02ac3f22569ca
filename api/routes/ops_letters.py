"""The console's dead letters, and putting them back."""

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from api.call import Call, answer, operator, service
from api.schema import described
from api.services import Services
from tocsin.dead import Key, payload_of, place_of
from tocsin.errors import Invalid
from tocsin.records import DeadLetter

router = APIRouter(tags=["console"])

Operator = Annotated[Services, Depends(operator)]
Writer = Annotated[Call, Depends(service("ops:write"))]

SHOWN: int = 10_000
"""Characters of a payload."""

_CURSOR = re.compile(r"(-?\d{1,15})-([0-9a-f-]{36})").fullmatch


class LetterRow(msgspec.Struct):
    """What is wrong with the record that was read at `place` (several letters may be about one).
    `payload` is its text, cut at 10,000 characters; with `binary` it is none, and what is no UTF-8
    in it is replaced."""

    place: str
    topic: str
    at: datetime
    error: str
    field: str
    reason: str
    notification_id: str
    put_back_at: datetime | None
    payload: str
    binary: bool


class LetterPage(msgspec.Struct):
    """Newest first; `cursor` asks for the next page, null on the last."""

    letters: list[LetterRow]
    cursor: str | None


class ReplayPlaces(msgspec.Struct, forbid_unknown_fields=True):
    """Which records are put back to the partitions they came from."""

    places: Annotated[list[str], msgspec.Meta(min_length=1, max_length=1_000)]


class Replayed(msgspec.Struct):
    """How many records were put back, each once."""

    put_back: int


@router.get("/v1/ops/dead-letters", **described(None, LetterPage, 200, ["stats:read"]))
async def list_dead_letters(
    services: Operator,
    status: Annotated[Literal["open", "all"], Query(description="open: never put back")] = "open",
    topic: Annotated[str, Query(max_length=128, description="Of this topic only")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(description="From an earlier page")] = None,
) -> Response:
    """Records that could not be used, and why. Of more than 100,000 letters the oldest are left to
    `tocsin dlq`."""
    after = _after(cursor)
    page = await services.desk.letters.page(limit, after, topic, status == "all")
    shown = [_row(letter) for letter in page.letters]
    return answer(LetterPage(shown, f"{page.after[0]}-{page.after[1]}" if page.after else None))


@router.post("/v1/ops/dead-letters:replay", **described(ReplayPlaces, Replayed, 200, ["ops:write"]))
async def replay_dead_letters(call: Writer) -> Response:
    """Put records back where they came from, durably; what was acted on before is recognised by its
    id and place. A place without a letter is a 422, and then nothing is put back."""
    body = await call.body(ReplayPlaces)
    done = await call.services.desk.letters.replay(body.places, call.identity.subject)
    return answer(Replayed(done))


def _after(cursor: str | None) -> Key | None:
    if cursor is None:
        return None
    match = _CURSOR(cursor)
    if match is None:
        raise Invalid("cursor", "is not one of ours")
    return int(match[1]), match[2]


def _row(letter: DeadLetter) -> LetterRow:
    text, binary = _text(payload_of(letter))
    return LetterRow(
        place=place_of(letter),
        topic=letter.topic,
        at=letter.at,
        error=letter.error,
        field=letter.field,
        reason=letter.reason,
        notification_id=letter.notification_id,
        put_back_at=letter.put_back_at,
        payload=text,
        binary=binary,
    )


def _text(payload: bytes | None) -> tuple[str, bool]:
    if payload is None:
        return "", True
    try:
        return payload.decode()[:SHOWN], False
    except UnicodeDecodeError:
        return payload[: 4 * SHOWN].decode(errors="replace")[:SHOWN], True
