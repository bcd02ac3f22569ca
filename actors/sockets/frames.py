"""The frames: what a client may say, strictly, and what a server says."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tocsin.errors import Invalid
from tocsin.records.codec import as_invalid, encode
from tocsin.records.fields import Count, Id

MAX_IDS: Final = 200
MAX_SKUS: Final = 100


class _Client(
    msgspec.Struct, frozen=True, tag_field="op", tag=str.lower, forbid_unknown_fields=True
):
    pass


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last position the client knows."""

    epoch: Annotated[str, Meta(max_length=64)]
    offset: Count


class Hello(_Client, frozen=True):
    """The first frame: who it is, and where it was."""

    ticket: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    token: Annotated[str, Meta(min_length=1, max_length=8192)] | None = None
    resume: Resume | None = None

    def __post_init__(self) -> None:
        if (self.ticket is None) == (self.token is None):
            raise ValueError("exactly one of `ticket` and `token` is needed")


class Ack(_Client, frozen=True):
    """Everything up to `offset` is in the client's own keeping."""

    offset: Count


class Read(_Client, frozen=True):
    """The person has read these, or all."""

    ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_IDS)] | None = None
    all: bool = False

    def __post_init__(self) -> None:
        if (self.ids is None) != self.all:
            raise ValueError("exactly one of `ids` and `all: true` is needed")


class Unread(_Client, frozen=True):
    """The person wants these to count as unread again."""

    ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_IDS)]


class Delete(_Client, frozen=True):
    """The person wants these gone."""

    ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_IDS)]


class Watch(_Client, frozen=True):
    """Tell the stock of these SKUs from now on, and of no others."""

    skus: Annotated[frozenset[Id], Meta(max_length=MAX_SKUS)]


class Ping(_Client, frozen=True):
    """Is anybody there?"""


ClientFrame = Hello | Ack | Read | Unread | Delete | Watch | Ping

_decoder: Final[msgspec.json.Decoder[ClientFrame]] = msgspec.json.Decoder(ClientFrame)


class NotJson(Invalid):
    """What came is no JSON at all."""


def decode(message: str) -> ClientFrame:
    """One client frame. Raises `NotJson`, or `Invalid` naming the field."""
    try:
        return _decoder.decode(message)
    except msgspec.ValidationError as error:
        raise as_invalid(error) from None
    except msgspec.DecodeError as error:
        raise NotJson("", f"not JSON: {error}") from None
    except RecursionError:
        raise NotJson("", "not JSON that can be read: nested too deeply") from None


class _Server(msgspec.Struct, frozen=True, tag_field="op", tag=str.lower, omit_defaults=True):
    pass


class Ready(_Server, frozen=True):
    """Where the inbox stands. `recovered` answers a resume: true, and what was missed follows;
    or false: reload the inbox. It also comes later, with false, when a gap cannot be filled."""

    epoch: str
    offset: int
    unread: int
    recovered: bool | None = None


class ReadIds(_Server, frozen=True, tag="read"):
    """These became read, on whatever device."""

    ids: list[str]
    unread: int


class UnreadIds(_Server, frozen=True, tag="unread"):
    """These became unread, on whatever device."""

    ids: list[str]
    unread: int


class DeletedIds(_Server, frozen=True, tag="deleted"):
    """These were deleted, on whatever device."""

    ids: list[str]
    unread: int


class Stock(_Server, frozen=True):
    """What is left of a watched SKU: on `watch` for each that is known, and at every change."""

    sku: str
    available: int


class Error(_Server, frozen=True):
    """A frame of the client's could not be used. Unless a close follows, all else goes on."""

    field: str
    reason: str


class Pong(_Server, frozen=True):
    """Somebody is there."""


PONG: Final = encode(Pong())


ServerFrame = Ready | ReadIds | UnreadIds | DeletedIds | Stock | Error


def frame(value: ServerFrame) -> bytes:
    """A server frame as it goes out."""
    return encode(value)


def notification(item: bytes, offset: int, unread: int | None = None) -> bytes:
    """An inbox item (a JSON object that is not empty) as a frame, without decoding it."""
    if unread is None:
        return b'{"op":"notification","offset":%d,%b' % (offset, item[1:])
    return b'{"op":"notification","offset":%d,"unread":%d,%b' % (offset, unread, item[1:])


class Push(msgspec.Struct, frozen=True, array_like=True):
    """A frame for one person, on its way to whichever shard holds their sockets.

    `offset` 0: not an item of the inbox, to be shown in passing; then `epoch` means nothing.
    """

    user_id: str
    frame: bytes
    epoch: str = ""
    offset: int = 0


_pushes: Final = msgspec.msgpack.Decoder(list[Push])


def pack(pushes: list[Push]) -> bytes:
    """Pushes as one value for another shard."""
    return msgspec.msgpack.encode(pushes)


def unpack(payload: bytes) -> list[Push]:
    """What `pack` made."""
    return _pushes.decode(payload)
