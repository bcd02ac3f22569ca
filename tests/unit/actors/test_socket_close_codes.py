"""The one table of close codes."""

import re
from pathlib import Path

from actors.sockets import close_codes
from actors.sockets.close_codes import TABLE, CloseCode

README = Path(close_codes.__file__).parent / "README.md"


def test_every_code_is_there_once_and_can_be_sent() -> None:
    defined = [value for value in vars(close_codes).values() if isinstance(value, CloseCode)]
    assert sorted(c.code for c in defined) == sorted(c.code for c in TABLE)
    assert len({c.code for c in TABLE}) == len({c.name for c in TABLE}) == len(TABLE)
    for code in TABLE:
        assert len(code.name.encode()) <= 123
        assert 1000 <= code.code < 1015 or 4000 <= code.code < 5000
        assert code.meaning
        assert code.how


def test_the_readme_tells_the_same() -> None:
    rows = re.findall(r"^\| (\d{4}) \| `(\w+)` \| (.+) \| (.+) \|$", README.read_text(), re.M)
    assert rows == [(str(c.code), c.name, c.meaning, f"{c.reconnect}: {c.how}") for c in TABLE]
