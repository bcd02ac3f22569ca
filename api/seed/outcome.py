"""Answers of the canonical endpoints in the seed documents' words."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET

from api.accept import AcceptedMany, AllInvalid
from api.problems import FieldError, field_error
from api.seed.documents import InboxAnswer, InboxItem, SentAnswer, StatusAnswer
from api.seed.messages import Sending
from tocsin.errors import Invalid
from tocsin.records import TERMINAL, State
from tocsin.store.inbox import Entry, Page

_ITEM: Final = re.compile(r"#/requests/(\d+)/?(.*)")


def sent_many(accepted: AcceptedMany, sending: Sending) -> SentAnswer:
    """What was accepted, and for which people not."""
    errors = [_of_person(error, sending) for error in accepted.errors]
    return SentAnswer(
        notification_ids=accepted.notification_ids,
        accepted=accepted.accepted,
        rejected=accepted.rejected,
        errors=errors or UNSET,
    )


def batch_error(error: Invalid, sending: Sending) -> Invalid:
    """Why nothing was accepted."""
    if isinstance(error, AllInvalid):
        return AllInvalid([_of_person(each, sending) for each in error.errors])
    return error


def _of_person(error: FieldError, sending: Sending) -> FieldError:
    """``#/requests/3/user_id`` as ``#/userIds/3``, any other by the caller's name."""
    if (found := _ITEM.fullmatch(error.pointer)) is None:
        return error
    if found[2] in ("", "user_id"):
        return field_error(Invalid(f"{sending.users_name}[{found[1]}]", error.detail))
    return field_error(sending.meant.error(Invalid(found[2].replace("/", "."), error.detail)))


def status(notification_id: str, found: Mapping[str, Any]) -> StatusAnswer:
    """One word for all channels, and the channels as they are."""
    channels = found["channels"]
    return StatusAnswer(
        notification_id, _word({each["state"] for each in channels.values()}), channels
    )


def _word(states: set[str]) -> str:
    if not states or not states <= TERMINAL:
        return "pending"
    if State.DELIVERED in states:
        return "delivered"
    return next(iter(states)) if len(states) == 1 else "failed"


def inbox(whole: Page, page: int, limit: int) -> InboxAnswer:
    """The `page`-th `limit` of an inbox that was read whole."""
    first = (page - 1) * limit
    items = [_item(entry) for entry in whole.entries[first : first + limit]]
    return InboxAnswer(items, page, limit, len(whole.entries), whole.unread)


def _item(entry: Entry) -> InboxItem:
    item = msgspec.json.decode(entry.item, type=dict[str, Any])
    return InboxItem(
        notification_id=item.get("notification_id", ""),
        type=item.get("type", ""),
        title=item.get("title", ""),
        message=item.get("body", ""),
        read=not entry.unread,
        created_at=item.get("at", ""),
        category=item.get("category", ""),
        priority=item.get("priority", "normal"),
        url=item.get("url", ""),
    )
