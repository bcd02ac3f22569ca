"""A WebSocket client that keeps to no rule: frames are written by hand, byte for byte."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
SECONDS: Final = 30
_MASK: Final = b"\x0f\xf1\x5a\xa5"


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """One frame; `rsv` are the three reserved bits."""
    head = bytes([fin << 7 | rsv << 4 | opcode])
    length, mask = len(payload), masked << 7
    if length < 126:
        head += bytes([mask | length])
    elif length < 65_536:
        head += bytes([mask | 126]) + struct.pack("!H", length)
    else:
        head += bytes([mask | 127]) + struct.pack("!Q", length)
    if not masked:
        return head + payload
    return head + _MASK + bytes(byte ^ _MASK[i % 4] for i, byte in enumerate(payload))


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame of any code."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


class Raw:
    """A connection past its handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, *data: bytes) -> None:
        self._writer.write(b"".join(data))

    def unsent(self) -> int:
        """Bytes that the other side's windows have no room for."""
        return self._writer.transport.get_write_buffer_size()

    def say(self, **message: Any) -> None:
        """A proper frame."""
        self.send(frame(TEXT, json.dumps(message).encode()))

    async def hear(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. Raises `IncompleteReadError` at the end."""
        async with asyncio.timeout(SECONDS):
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
            return first & 0x0F, await self._reader.readexactly(length)

    async def close_code(self) -> int:
        """Hear to the end, which must come; the code of the close frame (it is answered), or 0."""
        code = 0
        try:
            while True:
                opcode, payload = await self.hear()
                if opcode == CLOSE:
                    code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                    self.send(frame(CLOSE, payload))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return code


@asynccontextmanager
async def opened(port: int, ticket: str | None = None) -> AsyncIterator[Raw]:
    """A connection, and with a ticket one that is greeted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        async with asyncio.timeout(SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        raw = Raw(reader, writer)
        if ticket:
            raw.say(op="hello", ticket=ticket)
            kind, said = await raw.hear()
            while kind == PING:
                kind, said = await raw.hear()
            assert b'"op":"ready"' in said
        yield raw
    finally:
        writer.transport.abort()
