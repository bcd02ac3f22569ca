"""A delivery's words: its version's, in its person's language, or a clear reason why not."""

from typing import Any

import pytest

from tests.unit.actors.makers import delivery, profile
from tests.unit.tocsin.templates.makers import record, template
from tocsin.errors import Permanent
from tocsin.records import Channel, Template, Variable, Words
from tocsin.records.template import Mail, Note, Sms
from tocsin.settings import Settings
from tocsin.templates import Chosen, Renderer, TemplateMissing, Version, versions_of
from tocsin.templates.cache import Cache

SETTINGS = Settings(jwt_secret="s" * 40, public_url="https://shop.example", track="")


def renderer(*templates: Template) -> Renderer:
    made = Renderer(SETTINGS)
    wanted = {Chosen(t.template_id, v.number) for t in templates for v in t.versions}
    made.learn(wanted, [*templates, None])
    return made


def greeting(number: int = 1, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "template_id": "GREETING",
        "template_version": number,
        "channel": Channel.SMS,
        "data": {"who": "Anna"},
    }
    return delivery(**fields | changes)


def test_the_version_it_was_routed_with_is_said_whatever_came_later() -> None:
    made = renderer(template("GREETING", 1, 2))
    assert made.render(greeting(1), profile()).body == "v1: hello Anna"
    assert made.render(greeting(2), profile()).body == "v2: hello Anna"


def test_a_version_that_is_not_here_is_missing_and_not_wrong() -> None:
    made = renderer(template("GREETING", 1))
    with pytest.raises(TemplateMissing, match="template_missing"):
        made.render(greeting(2), profile())
    assert versions_of([greeting(2), greeting(0), greeting(2)]) == {Chosen("GREETING", 2)}


def test_only_what_is_wanted_is_learnt() -> None:
    made = Renderer(SETTINGS)
    made.learn({Chosen("GREETING", 2)}, [template("GREETING", 1, 2), template("OTHER", 2)])
    made.render(greeting(2), profile())
    with pytest.raises(TemplateMissing):
        made.render(greeting(1), profile())


LOCALES = {
    "en": Words(sms=Sms("en"), push=Note("en", "en push")),
    "de": Words(sms=Sms("de")),
    "de-AT": Words(inapp=Note("at", "at inapp")),
}


@pytest.mark.parametrize(
    ("channel", "pinned", "own", "body"),
    [
        (Channel.SMS, "de-AT", "en", "de"),
        (Channel.SMS, "", "de", "de"),
        (Channel.SMS, "fr", "de", "en"),
        (Channel.INAPP, "de-AT", "en", "at inapp"),
        (Channel.INAPP, "de", "en", "en push"),
        (Channel.PUSH, "de-AT", "en", "en push"),
    ],
)
def test_a_persons_language_then_its_parent_then_the_default(
    channel: Channel, pinned: str, own: str, body: str
) -> None:
    made = renderer(Template("T", (record(variables={}, locales=LOCALES),)))
    item = delivery(template_id="T", template_version=1, channel=channel, locale=pinned)
    assert made.render(item, profile(locale=own)).body == body


def test_a_channel_without_words_is_not_sent() -> None:
    made = renderer(Template("T", (record(variables={}, locales=LOCALES),)))
    item = delivery(template_id="T", template_version=1, channel=Channel.EMAIL)
    with pytest.raises(Permanent, match=r"^no_words$"):
        made.render(item, profile())


def test_mail_without_html_is_text_only_and_html_names_its_language() -> None:
    words = {"en": Words(email=Mail("s", "t")), "de": Words(email=Mail("s", "t", "<p>h</p>"))}
    made = renderer(Template("T", (record(variables={}, locales=words),)))
    item = delivery(template_id="T", template_version=1, channel=Channel.EMAIL)
    assert made.render(item, profile()).html == ""
    html = made.render(item, profile(locale="de")).html
    assert '<html lang="de">' in html
    assert "<p>h</p>" in html


def test_aliases_and_what_tocsin_knows_are_filled_in() -> None:
    version = record(
        variables={"who": Variable(aliases=("person",))},
        locales={"en": Words(sms=Sms("{{ who }} {{ name }} {{ shop }} {{ type }} {{ link }}"))},
    )
    made = renderer(Template("T", (version,)))
    item = delivery(
        template_id="T",
        template_version=1,
        channel=Channel.SMS,
        data={"person": "Bea", "shop": "Evil", "who": None, "sku": "7"},
    )
    assert made.render(item, profile()).body == (
        "Bea Anna Tocsin Shop ORDER_CONFIRMATION https://shop.example/shop?sku=7"
    )


def test_words_that_were_never_admitted_fail_and_do_not_run() -> None:
    bad = record(variables={}, locales={"en": Words(sms=Sms("{% include 'x' %}"))})
    made = renderer(Template("T", (bad,)))
    item = delivery(template_id="T", template_version=1, channel=Channel.SMS)
    with pytest.raises(Permanent, match=r"^template error: Forbidden$"):
        made.render(item, profile())


def test_a_long_sms_is_cut_without_leaving_its_alphabet() -> None:
    made = renderer(template("GREETING", 1))
    body = made.render(greeting(data={"who": "x" * 9_000}), profile()).body
    assert (len(body), body[-4:]) == (1_600, "x...")


def test_a_mail_larger_than_a_megabyte_is_not_sent() -> None:
    data = {"message": "ж" * 240_000}
    item = delivery(template_id="DEFAULT", channel=Channel.EMAIL, data=data)
    assert len(Renderer(SETTINGS).render(item, profile()).body) > 240_000
    large = delivery(template_id="DEFAULT", channel=Channel.EMAIL, data={"text": "ж" * 260_000})
    with pytest.raises(Permanent, match="more than 1,000,000 bytes"):
        Renderer(SETTINGS).render(large, profile())


def test_codes_are_said_in_the_shops_words_or_else_in_the_bundled_ones() -> None:
    own = record(
        variables={"code": Variable(), "minutes": Variable("integer")},
        locales={"en": Words(sms=Sms("C {{ code }}")), "de": Words(sms=Sms("D {{ code }}"))},
    )
    broken = record(2, locales={"en": Words(sms=Sms("{{ who }} {{ code }}"))})
    made = renderer(Template("OTP", (own, broken)))
    assert made.code("123456", Channel.SMS, 5, 1).body == "C 123456"
    assert made.code("123456", Channel.SMS, 5, 1, "de-AT").body == "D 123456"
    others = ((0, Channel.SMS), (1, Channel.PUSH), (2, Channel.SMS), (3, Channel.SMS))
    for number, channel in others:
        assert made.code("123456", channel, 5, number).body.startswith("123456 is your ")


def test_the_versions_not_used_for_longest_go() -> None:
    one, two, three = (Version("T", record(n)) for n in (1, 2, 3))
    cache = Cache(most=2 * one.size)
    cache.put(one)
    cache.put(two)
    assert cache.get(one.chosen) is one
    cache.put(three)
    assert [v.chosen in cache for v in (one, two, three)] == [True, False, True]
    large = Version("L", record(locales={"en": Words(sms=Sms("x" * 10_000))}))
    cache.put(large)
    assert cache.get(large.chosen) is large
    assert one.chosen not in cache
