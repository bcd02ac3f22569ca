"""Bytes as they arrive, cut into command lines and messages."""

from typing import Final

MAX_LINE: Final = 4096
MAX_UNREAD: Final = 32 * 1024 * 1024
_END: Final = b"\r\n.\r\n"


class TooLong(Exception):
    """Beyond what any client needs; `code` is the SMTP reply that goes with it."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(what)
        self.code = code


class SmtpBuffer:
    """Grows with `feed`, shrinks with `line` and `message`. Never searches the same bytes twice."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._scanned = 0

    def feed(self, data: bytes) -> None:
        """Append what arrived."""
        self._bytes += data

    def line(self) -> bytes | None:
        """The next line without its end; None when it is not all here. Raises `TooLong`."""
        end = self._bytes.find(b"\n", 0, MAX_LINE)
        if end < 0:
            if len(self._bytes) >= MAX_LINE:
                raise TooLong(500, "Line too long")
            return None
        line = bytes(self._bytes[:end])
        del self._bytes[: end + 1]
        return line.rstrip(b"\r")

    def message(self) -> bytes | None:
        """The next message, its last CRLF kept, dots unstuffed; None when it is not all here.

        Only CRLF.CRLF ends it. Raises `TooLong` past MAX_UNREAD.
        """
        end = self._end_of_message()
        if end is None:
            return None
        content = bytes(self._bytes[:end])
        del self._bytes[: end + len(_END) - 2]
        self._scanned = 0
        return _unstuffed(content)

    def _end_of_message(self) -> int | None:
        if self._bytes.startswith(_END[2:]):
            return 0
        found = self._bytes.find(_END, max(0, self._scanned - len(_END) + 1))
        if found >= 0:
            return found + 2
        self._scanned = len(self._bytes)
        if self._scanned > MAX_UNREAD:
            raise TooLong(552, "Message too big")
        return None


def _unstuffed(content: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line's leading dot goes."""
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content
