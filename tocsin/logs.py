"""What a process says on standard output: lines for people, or one JSON object a line.

Nobody's address is in either: what looks like a mailbox, a phone number or the password of a URL is
masked, as an error's own words may quote what it was about.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from tocsin.settings import Settings

EXTRAS: Final = (
    "notification_id", "delivery_id", "broadcast_id", "schedule_id", "place", "incident",
)  # fmt: skip
"""What a line may be about, given as `extra=`; a field of its own in JSON."""

TEXT: Final = "%(levelname)s %(name)s: %(message)s"
_NOISY: Final = ("aiokafka", "faust", "mode", "httpx", "asyncio")
_SECRET: Final = re.compile(r"(?<=://)[^\s/@]+(?=@)")
_MAILBOX: Final = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"\+\d{7,15}\b")


class Text(logging.Formatter):
    """``LEVEL logger: message``, and a traceback below it."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        return masked(super().format(record))


class Json(logging.Formatter):
    """One object: ts (RFC 3339, UTC), level, logger, message, process; what the line is about; and
    exception, a traceback with its line ends."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            "process": self._process,
        }
        line |= {name: str(record.__dict__[name]) for name in EXTRAS if name in record.__dict__}
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def to_stdout(settings: Settings, process: str) -> None:
    """Log there from now on, as the settings want it; in JSON also what nobody caught."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Json(process) if settings.log_format == "json" else Text())
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if settings.log_format == "json":
        logging.captureWarnings(True)
        sys.excepthook = _uncaught


def masked(text: str) -> str:
    """Without passwords of URLs, mailboxes and phone numbers."""
    if "@" in text:
        text = _MAILBOX.sub("…@…", _SECRET.sub("…", text))
    return _PHONE.sub("+…", text) if "+" in text else text


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log = logging.getLogger("tocsin")
    log.critical("ended by an error nobody caught", exc_info=(kind, error, trace))
