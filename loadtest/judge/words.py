"""Figures as a reader wants them."""

from typing import Final

CLASSES: Final = {
    "lost": "Lost: accepted, never sent",
    "duplicate": "Sent twice",
    "phantom": "Sent, though nobody asked for it",
    "misordered": "Out of order for a person",
    "late": "Sent after it had expired",
    "after_opt_out": "Sent after an opt-out",
    "in_quiet_hours": "Sent in quiet hours",
    "wrong_channel": "Sent on the wrong channel",
    "wrong_recipient": "Sent to the wrong recipient",
}
"""What a class of faults means."""


def count(n: float) -> str:
    return f"{n:,.0f}"


def ms(value: float) -> str:
    """Milliseconds; from ten seconds on as seconds."""
    if value >= 10_000:
        return seconds(value / 1e3)
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def seconds(value: float) -> str:
    """`8 s`, `4 min 10 s`, `2 h 5 min`."""
    whole = round(value)
    if whole < 60:
        return f"{value:.1f} s" if value < 10 and value != whole else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" + f" {rest} s" * bool(rest)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" + f" {minutes} min" * bool(minutes)


def percent(share: float) -> str:
    """As many digits as it takes to see what is missing to 100, or that it is more than nothing."""
    value = round(share * 100, 6)
    for digits in range(5):
        text = f"{value:.{digits}f}"
        if float(text) == value or (digits >= 2 and 0 < float(text) < 100):
            return f"{text} %"
    return f"{value:.4g} %"


def short(n: float) -> str:
    """For an axis: `1.2 k`, `3 M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(n) >= size:
            return f"{n / size:.3g} {letter}"
    return f"{n:.3g}"
