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

Types = Query(
    alias="type",
    max_length=1_000,
    pattern=r"^[A-Z][A-Z0-9_]{0,63}(,[A-Z][A-Z0-9_]{0,63})*$",
    description="Of these types only: one, or several with commas between",
)
"""The parameter that `types_of` takes."""


def types_of(given: str | None) -> frozenset[str]:
    """The types named in a query; none: all."""
    return frozenset(given.split(",")) if given else frozenset()


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


class Marked(msgspec.Struct):
    """How many are unread now, and which became read, or unread again, by this."""

    unread: int
    read: list[str] = []
    unread_again: list[str] = []


class Deleted(msgspec.Struct):
    """How many are unread now, and which were deleted by this."""

    unread: int
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
    types: Annotated[str | None, Types] = None,
) -> Response:
    """A page of the inbox. `unread` counts all types, also where one is asked for."""
    inbox, whose = call.services.inbox, call.identity.subject
    page = await inbox.page(whose, status, cursor, limit, types_of(types))
    return answer(_RawPage([_shown(entry) for entry in page.entries], page.unread, page.cursor))


def _shown(entry: Entry) -> _Raw:
    return _Raw(entry.offset, entry.unread, msgspec.Raw(entry.item))


@router.patch("/v1/inbox/{notification_id}", **described(ReadMark, Marked))
async def mark_item(notification_id: str, call: Person) -> Response:
    """Mark one as read, or as unread again; the person's other devices follow."""
    mark = await call.body(ReadMark)
    if await call.services.inbox.get(call.identity.subject, notification_id) is None:
        raise _missing(notification_id)
    return answer(await _marked(call, [notification_id], read=mark.read))


@router.post("/v1/inbox:read-all", **described(None, Marked))
async def mark_all_read(call: Person) -> Response:
    """Mark everything as read."""
    return answer(await _marked(call, None, read=True))


@router.post("/v1/inbox:read", **described(InboxIds, Marked))
async def mark_read(call: Person) -> Response:
    """Mark many as read; those that are not there are passed over."""
    return answer(await _marked(call, (await call.body(InboxIds)).ids, read=True))


@router.post("/v1/inbox:unread", **described(InboxIds, Marked))
async def mark_unread(call: Person) -> Response:
    """Have many count as unread again; those that are not there are passed over."""
    return answer(await _marked(call, (await call.body(InboxIds)).ids, read=False))


async def _marked(call: Call, ids: list[str] | None, *, read: bool) -> Marked:
    inbox, whose = call.services.inbox, call.identity.subject
    if read or ids is None:
        unread, changed = await inbox.mark_read(whose, ids)
        return Marked(unread, read=changed)
    unread, changed = await inbox.mark_unread(whose, ids)
    return Marked(unread, unread_again=changed)


@router.delete("/v1/inbox/{notification_id}", **described(None, Deleted))
async def delete_item(notification_id: str, call: Person) -> Response:
    """Delete one."""
    gone = await call.services.inbox.delete(call.identity.subject, [notification_id])
    if not gone.ids:
        raise _missing(notification_id)
    return answer(Deleted(*gone))


@router.post("/v1/inbox:delete", **described(InboxIds, Deleted))
async def delete_items(call: Person) -> Response:
    """Delete many; those that are not there are passed over."""
    ids = (await call.body(InboxIds)).ids
    return answer(Deleted(*await call.services.inbox.delete(call.identity.subject, ids)))


def _missing(notification_id: str) -> Refused:
    return Refused("not_found", f"there is no {notification_id!r} in this inbox")
