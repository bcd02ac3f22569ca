"""WebSocket as the bench's clients speak it: just enough, and cheap, for they are not measured.

Their frames are masked with zeros, which the protocol allows and which changes nothing.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_MASK: Final = b"\0\0\0\0"
_NOTIFICATION: Final = b'{"op":"notification","offset":'


class Answer(NamedTuple):
    """What the server said to the request to upgrade; `retry_after` in seconds, None: not said."""

    status: int
    retry_after: float | None


def request(host: str, port: int, origin: str) -> bytes:
    """A browser's request to upgrade, about as long as a real one."""
    return (
        f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Origin: {origin}\r\nSec-WebSocket-Version: 13\r\nPragma: no-cache\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
        "Accept-Encoding: gzip, deflate, br\r\nCache-Control: no-cache\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def answer(data: bytes) -> tuple[Answer, bytes] | None:
    """The answer's head and what came after it; None while the head is not whole."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.split(b"\r\n")
    retry_after = None
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"retry-after":
            retry_after = float(value)
    return Answer(int(first.split()[1]), retry_after), rest


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame of less than 64 KB."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, 0x80 | size)) + _MASK + payload
    return bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2) + _MASK + payload


class Reader:
    """Cuts what arrives into a server's frames, which are whole messages without a mask."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(opcode, payload) of each frame that is whole now. Take them all."""
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        while size - at >= 2:
            length, begin = data[at + 1], at + 2
            if length == 126:
                begin = at + 4
                length = int.from_bytes(data[at + 2 : begin])
            elif length == 127:
                begin = at + 10
                length = int.from_bytes(data[at + 2 : begin])
            end = begin + length
            if begin > size or end > size:
                break
            yield data[at] & 15, data[begin:end]
            at = end
        self._rest = data[at:]


def offset_of(payload: bytes) -> int:
    """The offset of a notification; 0 for any other frame."""
    if not payload.startswith(_NOTIFICATION):
        return 0
    start = len(_NOTIFICATION)
    return int(payload[start : payload.index(b",", start)])
