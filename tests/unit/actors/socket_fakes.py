"""A socket's writing end that keeps what it was given."""

import json
from typing import Any

from actors.sockets.close_codes import CloseCode
from actors.sockets.frames import Push, notification


class FakeLine:
    """A line whose client reads, or not, as told."""

    def __init__(self) -> None:
        self.writable = True
        self.sent: list[dict[str, Any]] = []
        self.ended: CloseCode | None = None

    def write(self, frame: bytes) -> None:
        if self.ended is None:
            self.sent.append(json.loads(frame))

    def end(self, code: CloseCode) -> None:
        self.ended = self.ended or code
        self.writable = False

    def offsets(self) -> list[int]:
        """Of the notifications sent so far."""
        return [f["offset"] for f in self.sent if f["op"] == "notification"]


def item(offset: int) -> bytes:
    """An inbox item."""
    return b'{"notification_id":"n%d"}' % offset


def push(offset: int, epoch: str = "e") -> Push:
    """Item `offset` on its way."""
    return Push("u", notification(item(offset), offset, 1), epoch, offset)
