"""A preview tells what a message says and what it costs."""

from typing import Any

import pytest

from api.preview import Preview, preview
from tests.unit.tocsin.templates.makers import RENDERER, record
from tocsin.errors import Invalid
from tocsin.records import Channel, TemplateVersion, Variable, Words
from tocsin.records.template import Mail, Note, Sms
from tocsin.templates import Version
from tocsin.templates.built_in import WORDS

X = {"x": Variable()}
ALL = Words(
    push=Note("T {{ x }}", "{{ x }}"),
    sms=Sms("{{ x }}"),
    email=Mail("S {{ x }}", "{{ x }}", "<p>{{ x }}</p>"),
)


def shown(version: TemplateVersion, *channels: Channel, locale: str = "en", **data: Any) -> Preview:
    return preview(RENDERER, Version("T", version), locale, channels, data)


def test_every_channel_is_shown() -> None:
    found = shown(record(variables=X, locales={"en": ALL}), x="<b>")
    assert list(found.channels) == ["inapp", "push", "sms", "email"]
    email = found.channels["email"]
    assert (email.title, email.text.splitlines()[0]) == ("S <b>", "<b>")
    assert "<p>&lt;b&gt;</p>" in email.html
    assert email.bytes == len(email.text) + len(email.html)
    assert found.channels["inapp"].text == "<b>"
    push = found.channels["push"]
    assert (push.max_bytes, push.warnings) == (4_096, [])
    assert push.bytes
    assert 150 < push.bytes < 300
    sms = found.channels["sms"]
    assert (sms.encoding, sms.units, sms.parts, sms.warnings) == ("GSM-7", 3, 1, [])


def test_only_what_is_asked_for_and_has_words() -> None:
    version = record(variables={}, locales={"en": Words(sms=Sms("a")), "de": Words(sms=Sms("b"))})
    found = shown(version, Channel.PUSH, Channel.SMS, locale="de-CH")
    assert (list(found.channels), found.silent) == (["sms"], ["push"])
    assert (found.channels["sms"].text, found.channels["sms"].locale) == ("b", "de")


def test_costs_are_warned_of() -> None:
    version = record(variables=X, locales={"en": ALL})
    sms = shown(version, Channel.SMS, x="’" * 300).channels["sms"]
    assert (sms.encoding, sms.parts) == ("UCS-2", 5)
    assert sms.warnings == [
        "not GSM-7 because of ’: 70 characters a part, not 160", "5 parts, each is paid for",
    ]  # fmt: skip
    assert "cut at" in shown(version, Channel.SMS, x="a" * 2_000).channels["sms"].warnings[-1]
    long = shown(version, Channel.PUSH, x="😀" * 2_000).channels["push"]
    assert long.bytes
    assert long.bytes <= 4_096
    assert long.warnings[0] == "title cut at 200 characters"
    assert long.warnings[1].startswith("text cut")
    link = shown(version, Channel.PUSH, x="a", url="https://x.example/" + "a" * 5_000)
    assert link.channels["push"].warnings == ["over 4,096 bytes: not sent"]


def test_data_that_does_not_fit_is_refused_and_words_that_break_are_told_by_channel() -> None:
    version = record(
        variables={"x": Variable("any")},
        locales={"en": Words(push=Note("a", "b"), sms=Sms("{{ x }}"))},
    )
    with pytest.raises(Invalid, match=r"data\.x"):
        shown(version)
    found = shown(version, x=[])
    assert found.channels["sms"].problem == "template error: TypeError"
    assert found.channels["push"].problem == ""


@pytest.mark.parametrize("kind", list(WORDS))
def test_bundled_words_show_their_sample_without_a_problem(kind: str) -> None:
    version = WORDS[kind]
    found = preview(RENDERER, version, "en", (), version.record.sample)
    assert found.silent == []
    assert {s.problem for s in found.channels.values()} == {""}
    assert found.channels["sms"].parts in (1, 2)
