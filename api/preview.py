"""What a version would say, channel by channel, with what it would cost on the wire. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tocsin.errors import Permanent
from tocsin.records import CHANNELS, Channel, encode
from tocsin.templates import Content, Renderer, Version
from tocsin.templates.push import MOST_BYTES, apns_payload
from tocsin.templates.renderer import MAX_BODY, MAX_MAIL_BYTES, MAX_TITLE
from tocsin.templates.sms import measure, outside_gsm

_ID: Final = "0" * 36 + ":push"
"""As long as a delivery's id is where nobody chose one."""

_MANY_PARTS: Final = 3
_SHOWN: Final = 5


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """One channel. `locale` is the one spoken; `bytes` are the payload's (push) or the text's and
    HTML's; SMS has `encoding`, `units` (septets or UTF-16 units) and `parts`. `problem` says why
    these words cannot be sent, and then there are none."""

    locale: str
    title: str = ""
    text: str = ""
    html: str = ""
    link: str = ""
    bytes: int | None = None
    max_bytes: int | None = None
    encoding: str | None = None
    units: int | None = None
    parts: int | None = None
    problem: str = ""
    warnings: list[str] = []


class Preview(msgspec.Struct, frozen=True):
    """`channels` holds those that have words; `silent` those that would not be sent."""

    template_id: str
    version: int
    channels: dict[str, Shown]
    silent: list[str]


def preview(
    renderer: Renderer,
    version: Version,
    locale: str,
    channels: Sequence[Channel],
    data: Mapping[str, Any],
) -> Preview:
    """Every channel asked for, or all. Raises `Invalid` (``data.…``) for data that does not fit."""
    version.check(data)
    shown: dict[str, Shown] = {}
    silent = []
    for channel in dict.fromkeys(channels or CHANNELS):
        if (found := version.said(locale, channel)) is None:
            silent.append(channel.value)
            continue
        try:
            content = renderer.preview(version, locale, channel, data)
        except Permanent as error:
            shown[channel] = Shown(found[0], problem=error.reason)
        else:
            shown[channel] = _shown(content, found[0], channel, version.chosen.template_id)
    return Preview(*version.chosen, shown, silent)


def _shown(content: Content, locale: str, channel: Channel, kind: str) -> Shown:
    said = Shown(locale, content.title, content.body, content.html, content.link)
    match channel:
        case Channel.SMS:
            return _sms(said)
        case Channel.PUSH:
            size = len(encode(apns_payload(_ID, kind, content)))
            over = [f"over {MOST_BYTES:,} bytes: not sent"] if size > MOST_BYTES else []
            warnings = [*over, *_cut(content, channel)]
            return msgspec.structs.replace(
                said, bytes=size, max_bytes=MOST_BYTES, warnings=warnings
            )
        case Channel.EMAIL:
            size = len(content.body.encode()) + len(content.html.encode())
            return msgspec.structs.replace(
                said, bytes=size, max_bytes=MAX_MAIL_BYTES, warnings=_cut(content, channel)
            )
        case Channel.INAPP:
            return msgspec.structs.replace(said, warnings=_cut(content, channel))


def _sms(said: Shown) -> Shown:
    encoding, units, parts = measure(said.text)
    warnings = []
    if culprits := outside_gsm(said.text):
        listed = " ".join(culprits[:_SHOWN])
        warnings.append(f"not GSM-7 because of {listed}: 70 characters a part, not 160")
    if parts > _MANY_PARTS:
        warnings.append(f"{parts} parts, each is paid for")
    if len(said.text) >= MAX_BODY[Channel.SMS]:
        warnings.append(f"cut at {MAX_BODY[Channel.SMS]:,} characters")
    return msgspec.structs.replace(
        said, encoding=encoding, units=units, parts=parts, warnings=warnings
    )


def _cut(content: Content, channel: Channel) -> list[str]:
    warnings = []
    if len(content.title) >= MAX_TITLE:
        warnings.append(f"title cut at {MAX_TITLE} characters")
    if content.body.endswith("…") and channel in MAX_BODY:
        warnings.append("text cut: what is longer than the channel shows is left out")
    return warnings
