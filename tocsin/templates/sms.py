"""How many parts a text message takes on the air (3GPP TS 23.038, 23.040). Pure."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""They take two septets, which may not be parted."""

_GSM: Final = _BASIC | _EXTENDED
_SEPTETS: Final = (160, 153)
_UTF16: Final = (70, 67)
"""Units in a message of one part, and in each of several (a header takes the rest)."""


class Measure(NamedTuple):
    """`units` are septets or UTF-16 code units."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int


def measure(text: str) -> Measure:
    """GSM-7 if every character is in its alphabet, UCS-2 else."""
    if _GSM.issuperset(text):
        return _measured("GSM-7", [2 if c in _EXTENDED else 1 for c in text], _SEPTETS)
    # a character beyond the first plane is two units, which stay together as well
    return _measured("UCS-2", [2 if c > "\uffff" else 1 for c in text], _UTF16)


def outside_gsm(text: str) -> list[str]:
    """The characters for whose sake a text is not GSM-7, each once, in their order."""
    return list(dict.fromkeys(c for c in text if c not in _GSM))


def _measured(
    encoding: Literal["GSM-7", "UCS-2"], sizes: list[int], room: tuple[int, int]
) -> Measure:
    alone, joined = room
    units = sum(sizes)
    return Measure(encoding, units, 1 if units <= alone else _filled(sizes, joined))


def _filled(sizes: Iterable[int], room: int) -> int:
    parts, left = 1, room
    for size in sizes:
        if size > left:
            parts, left = parts + 1, room
        left -= size
    return parts
