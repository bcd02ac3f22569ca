"""What is done to the system on the way: `--kill NAME@SECONDS`, `--fault PROVIDER:STATUS@S+FOR`."""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from tocsin.errors import Invalid

_KILL: Final = re.compile(r"([A-Za-z0-9_:.-]+)@(\d+(?:\.\d+)?)")
_FAULT: Final = re.compile(r"([a-z]+):(\d{3})@(\d+(?:\.\d+)?)\+(\d+(?:\.\d+)?)")
PROVIDERS: Final = ("apns", "fcm", "twilio", "smtp")


class Kill(NamedTuple):
    """`kill -9` of a process or an actor, `at` seconds after the first call was due."""

    at: float
    name: str


class Trouble(NamedTuple):
    """A provider of the sandbox answers `status` for `seconds`, from `at` on."""

    at: float
    provider: str
    status: int
    seconds: float

    @property
    def body(self) -> dict[str, Any]:
        """For `PUT /sandbox/faults`."""
        return {"provider": self.provider, "status": self.status, "for_s": self.seconds}


Deed = Kill | Trouble


def parse(kills: Sequence[str], faults: Sequence[str], seconds: float) -> list[Deed]:
    """In order of time. Raises `Invalid` for what is none, or comes after the load."""
    found: list[Deed] = [*(_kill(text) for text in kills), *(_trouble(text) for text in faults)]
    for deed in found:
        if deed.at >= seconds:
            field = "kill" if isinstance(deed, Kill) else "fault"
            raise Invalid(field, f"{deed.at:g} s is after the load's end at {seconds:g} s")
    return sorted(found, key=lambda deed: deed.at)


def _kill(text: str) -> Kill:
    match = _KILL.fullmatch(text)
    if match is None:
        raise Invalid("kill", f"{text!r} is not NAME@SECONDS, such as streams-1@60")
    return Kill(float(match[2]), match[1])


def _trouble(text: str) -> Trouble:
    match = _FAULT.fullmatch(text)
    if match is None:
        raise Invalid("fault", f"{text!r} is not PROVIDER:STATUS@SECONDS+FOR, as fcm:503@60+10")
    if match[1] not in PROVIDERS:
        raise Invalid("fault", f"no provider {match[1]!r}; there are {', '.join(PROVIDERS)}")
    if not 400 <= int(match[2]) <= 599 or not float(match[4]):
        raise Invalid("fault", f"{text!r}: a status from 400 to 599, for more than 0 seconds")
    return Trouble(float(match[3]), match[1], int(match[2]), float(match[4]))
