"""How many SMS parts a text takes: GSM 03.38 septets where it can be, UCS-2 else."""

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """Parts on the air: 160 septets or 70 UTF-16 units in one, 153 or 67 each in several."""
    used = set(text)
    if used <= _BASIC:
        return _parts(len(text), 160, 153)
    if used <= _BASIC | _EXTENDED:
        return _parts(len(text) + sum(char in _EXTENDED for char in text), 160, 153)
    return _parts(len(text.encode("utf-16-le")) // 2, 70, 67)


def _parts(units: int, alone: int, joined: int) -> int:
    return 1 if units <= alone else -(-units // joined)
