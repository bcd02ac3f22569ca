"""Every code a socket is closed with, and what a client does then: the one table.

1xxx codes are WebSocket's own (RFC 6455 and the IANA registry), 4xxx are ours.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tocsin.errors import TocsinError


class Reconnect(StrEnum):
    """What a client does after the close."""

    NO = "no"
    NOW = "now"
    BACKOFF = "backoff"
    NEW_TICKET = "new_ticket"


@dataclass(frozen=True, slots=True)
class CloseCode:
    """`name` is sent as the close frame's reason (at most 123 bytes); for 1002, 1007 and 1009 the
    library says there what was wrong. The rest is for clients' authors; `how` completes
    "reconnect …"."""

    code: int
    name: str
    meaning: str
    reconnect: Reconnect
    how: str


NORMAL = CloseCode(1000, "normal", "the client closed", Reconnect.NO, "when it wants to")
BAD_FRAME = CloseCode(
    1002, "bad_frame", "a frame broke the WebSocket protocol (RFC 6455)", Reconnect.NO,
    "with a corrected client",
)  # fmt: skip
UNSUPPORTED = CloseCode(
    1003, "text_only", "a binary frame came; frames are JSON text", Reconnect.NO,
    "with a corrected client",
)  # fmt: skip
NOT_TEXT = CloseCode(
    1007, "invalid_utf8", "a text frame was not UTF-8", Reconnect.NO, "with a corrected client"
)
TOO_BIG = CloseCode(
    1009, "too_big", "a message of more than 64 KB came", Reconnect.NO, "with a corrected client"
)
INTERNAL = CloseCode(
    1011, "internal", "an error of ours, or no answer to a ping for 20 s", Reconnect.BACKOFF,
    "after 1 s, doubling to 30 s, with jitter, with resume",
)  # fmt: skip
RESTART = CloseCode(
    1012, "restart", "this shard is going away", Reconnect.NOW,
    "after a random 0-2 s, with resume; another shard answers",
)  # fmt: skip
TRY_AGAIN = CloseCode(
    1013, "try_again", "the store does not answer", Reconnect.BACKOFF,
    "after 1 s, doubling to 30 s, with jitter, with resume",
)  # fmt: skip
PROTOCOL = CloseCode(
    4400, "protocol", "not JSON, or a first frame that is no proper hello, or a second hello",
    Reconnect.NO, "with a corrected client",
)  # fmt: skip
UNAUTHORIZED = CloseCode(
    4401, "unauthorized", "the ticket or token is used, expired or wrong", Reconnect.NEW_TICKET,
    "with a fresh ticket or token, with resume",
)  # fmt: skip
FORBIDDEN = CloseCode(
    4403, "forbidden", "the token is good and does not admit to sockets", Reconnect.NO,
    "with another token",
)  # fmt: skip
HELLO_TIMEOUT = CloseCode(
    4408, "hello_timeout", "no hello within 10 s", Reconnect.NOW, "and say hello at once"
)
TOO_MANY = CloseCode(
    4409, "too_many_sockets", "this person has 20 sockets here already", Reconnect.NO,
    "when another of them is closed",
)  # fmt: skip
SLOW = CloseCode(
    4413, "slow", "the client did not read fast enough", Reconnect.NOW,
    "after a random 0-2 s, with resume: nothing is lost",
)  # fmt: skip
RATE = CloseCode(
    4429, "rate", "more than 20 frames a second came, beyond a burst of 40", Reconnect.BACKOFF,
    "after 30 s, with resume",
)  # fmt: skip

TABLE: Final = (
    NORMAL, BAD_FRAME, UNSUPPORTED, NOT_TEXT, TOO_BIG, INTERNAL, RESTART, TRY_AGAIN, PROTOCOL,
    UNAUTHORIZED, FORBIDDEN, HELLO_TIMEOUT, TOO_MANY, SLOW, RATE,
)  # fmt: skip


class Hangup(TocsinError):
    """The conversation ends here, by `code`. With a `reason`, an error frame says why first."""

    def __init__(self, code: CloseCode, field: str = "", reason: str = "") -> None:
        super().__init__(reason or code.meaning)
        self.code, self.field, self.reason = code, field, reason
