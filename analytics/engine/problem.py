"""An error as ClickHouse's HTTP interface tells it: a number, a name, a sentence, a status."""

import re
from typing import Final

_CODE = re.compile(r"Code: (\d+)")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*\))?\s*$")

_STATUS: Final = {
    401: {194},
    403: {192, 193, 291, 497, 516},
    400: {6, 7, 15, 16, 25, 26, 27, 36, 38, 41, 42, 43, 44, 48, 53, 62, 69, 117, 167, 168, 306, 321,
          376, 427, 675, 676},
    404: {46, 47, 50, 56, 60, 63, 73, 78, 81, 111, 115, 336, 511},
    408: {159},
    413: {1, 2},
    503: {74, 202, 209},
}  # fmt: skip
"""HTTP statuses by ClickHouse error code; every other error is 500, as it is there."""

READONLY: Final = 164
SYNTAX: Final = 62
NOT_IMPLEMENTED: Final = 48
TOO_MANY_QUERIES: Final = 202
AUTHENTICATION_FAILED: Final = 516


class Problem(Exception):
    """What a client is told when its query fails."""

    def __init__(self, code: int, name: str, reason: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {reason} ({name})")
        self.code = code

    @classmethod
    def of(cls, error: Exception) -> "Problem":
        """chDB's exception: it has ClickHouse's text, sometimes with a preface of its own."""
        text = str(error)
        code, name = _CODE.search(text), _NAME.search(text)
        made = cls(int(code[1]) if code else 1001, name[1] if name else "STD_EXCEPTION", text)
        if code:
            made.args = (text[code.start() :].strip(),)
        return made

    @property
    def status(self) -> int:
        """The HTTP status ClickHouse gives this code."""
        return next((status for status, codes in _STATUS.items() if self.code in codes), 500)
