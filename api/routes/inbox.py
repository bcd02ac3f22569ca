"""The inbox, for the person whose it is."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from api.bodies import InboxIds, ReadMark
from api.call import Call, answer, person
from api.schema import described
from tocsin.errors import Refused
from tocsin.store.inbox import Entry, Status

router = APIRouter(tags=["inbox"])

Person = Annotated[Call, Depends(person)]


class Item(msgspec.Struct):
    """One notification; `notification` as it came over the socket."""

    offset: int
    unread: bool
    notification: dict[str, Any]


class InboxPage(msgspec.Struct):
    """Newest first. `cursor` asks for the next page, null on the last."""

    items: list[Item]
    unread: int
    cursor: int | None


class Unread(msgspec.Struct):
    """How many are left unread, and which became read just now."""

    unread: int
    read: list[str]


class Deleted(msgspec.Struct):
    """Which were there."""

    deleted: list[str]


class _Raw(msgspec.Struct):
    offset: int
    unread: bool
    notification: msgspec.Raw


class _RawPage(msgspec.Struct):
    items: list[_Raw]
    unread: int
    cursor: int | None


@router.get("/v1/inbox", **described(None, InboxPage))
async def read_inbox(
    call: Person,
    status: Annotated[Status, Query(description="Which")] = "all",
    cursor: Annotated[int | None, Query(ge=1, description="From an earlier page")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """A page of the inbox."""
    page = await call.services.inbox.page(call.identity.subject, status, cursor, limit)
    return answer(_RawPage([_shown(entry) for entry in page.entries], page.unread, page.cursor))


def _shown(entry: Entry) -> _Raw:
    return _Raw(entry.offset, entry.unread, msgspec.Raw(entry.item))


@router.patch("/v1/inbox/{notification_id}", **described(ReadMark, Unread))
async def mark_read(notification_id: str, call: Person) -> Response:
    """Mark one as read; the person's other devices follow."""
    await call.body(ReadMark)
    inbox, whose = call.services.inbox, call.identity.subject
    if await inbox.get(whose, notification_id) is None:
        raise _missing(notification_id)
    return answer(Unread(*await inbox.mark_read(whose, [notification_id])))


@router.post("/v1/inbox:read-all", **described(None, Unread))
async def mark_all_read(call: Person) -> Response:
    """Mark everything as read."""
    return answer(Unread(*await call.services.inbox.mark_read(call.identity.subject, None)))


@router.delete("/v1/inbox/{notification_id}", **described(None, None, 204))
async def delete_item(notification_id: str, call: Person) -> Response:
    """Delete one."""
    if not await call.services.inbox.delete(call.identity.subject, [notification_id]):
        raise _missing(notification_id)
    return Response(status_code=204)


@router.post("/v1/inbox:delete", **described(InboxIds, Deleted))
async def delete_items(call: Person) -> Response:
    """Delete many; those that are not there are passed over."""
    ids = (await call.body(InboxIds)).ids
    return answer(Deleted(await call.services.inbox.delete(call.identity.subject, ids)))


def _missing(notification_id: str) -> Refused:
    return Refused("not_found", f"there is no {notification_id!r} in this inbox")
