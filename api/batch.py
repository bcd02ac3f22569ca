"""Batches: many items in, one result for each in the same order; a bad item spoils only itself."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from api.bodies import items
from api.problems import TABLE, FieldError, field_error
from tocsin.errors import Invalid, Refused, TocsinError
from tocsin.records import decode

T = TypeVar("T")


class ItemResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one item: the status the single request would have had, and why."""

    status: int
    id: str | None = None
    detail: str | None = None
    errors: list[FieldError] = []


class Results(msgspec.Struct, frozen=True):
    """`results[i]` is of item i; `done` and `refused` count them."""

    done: int
    refused: int
    results: list[ItemResult]


def each(kind: type[T], payload: bytes, name: str) -> list[T | TocsinError]:
    """The items of a batch as records; in the place of a wrong one, the `Invalid` that says why.

    Raises `Invalid` when the batch as a whole cannot be read.
    """
    found: list[T | TocsinError] = []
    for index, raw in enumerate(items(payload, name)):
        try:
            found.append(decode(kind, raw))
        except Invalid as error:
            found.append(placed(error, name, index))
    return found


def placed(error: Invalid, name: str, index: int) -> Invalid:
    """The error with its place in the batch before its field."""
    where = f"{name}[{index}]" + (f".{error.field}" if error.field else "")
    return Invalid(where, error.reason)


def refused(error: TocsinError, item_id: str | None = None) -> ItemResult:
    """The result of an item that was refused."""
    if isinstance(error, Invalid):
        return ItemResult(422, item_id, error.reason, [field_error(error)])
    code = error.code if isinstance(error, Refused) else "internal"
    return ItemResult(TABLE[code][0], item_id, str(error))


def results(found: Iterable[ItemResult]) -> Results:
    """All of them, counted."""
    listed: Sequence[ItemResult] = list(found)
    done = sum(result.status < 400 for result in listed)
    return Results(done, len(listed) - done, list(listed))
