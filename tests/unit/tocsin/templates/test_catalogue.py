"""Which words a request gets: its own, its type's, the default ones; pinned, published, bundled."""

from typing import Any

import pytest

from tests.unit.tocsin.templates.makers import record, template
from tocsin.errors import Invalid
from tocsin.records import Channel, Template, Words
from tocsin.records.template import Mail, Note, Sms
from tocsin.templates import Catalogue, Chosen
from tocsin.templates.locales import chain

WHO = {"who": "Anna"}


def catalogue(*templates: Template) -> Catalogue:
    made = Catalogue()
    for each in templates:
        made.put(each)
    return made


MADE = catalogue(
    template("GREETING", 1, 2),
    template("DRAFT", 1, published=0),
    template("GONE", published=0, revision=7),
    template("REVIEW", 1),
)


@pytest.mark.parametrize(
    ("kind", "template_id", "version", "data", "chosen"),
    [
        ("GREETING", None, None, WHO, ("GREETING", 2)),
        ("GREETING", None, 1, WHO, ("GREETING", 1)),
        ("ANYTHING", "GREETING", None, WHO, ("GREETING", 2)),
        ("ANYTHING", "GREETING", 1, WHO, ("GREETING", 1)),
        ("DRAFT", "DRAFT", 1, WHO, ("DRAFT", 1)),
        ("REVIEW", None, None, WHO, ("REVIEW", 1)),
        ("REVIEW", None, 0, {}, ("REVIEW", 0)),
        ("SALE_OFFER", None, None, {"body": "x"}, ("SALE_OFFER", 0)),
        ("ANYTHING", None, None, {"body": "x"}, ("DEFAULT", 0)),
        ("ANYTHING", None, 0, {"body": "x"}, ("DEFAULT", 0)),
        ("DRAFT", None, None, {"body": "x"}, ("DEFAULT", 0)),
        ("GONE", None, None, {"body": "x"}, ("DEFAULT", 0)),
        ("ANYTHING", "SALE_OFFER", None, {"text": "x"}, ("SALE_OFFER", 0)),
    ],
)
def test_choices(
    kind: str, template_id: str | None, version: int | None, data: Any, chosen: Any
) -> None:
    assert MADE.choose(kind, template_id, version, data) == Chosen(*chosen)


@pytest.mark.parametrize(
    ("template_id", "version", "data", "field", "reason"),
    [
        ("NOTHING", None, WHO, "template_id", "there is no template 'NOTHING'"),
        ("GONE", None, WHO, "template_id", "there is no template 'GONE'"),
        ("GONE", 1, WHO, "template_id", "there is no template 'GONE'"),
        ("DRAFT", None, WHO, "template_id", "no version of 'DRAFT' is published"),
        ("GREETING", 3, WHO, "template_version", "'GREETING' has no version 3; it has 1, 2"),
        ("GREETING", 0, WHO, "template_version", "'GREETING' has no version 0; it has 1, 2"),
        ("SALE_OFFER", 1, WHO, "template_version",
         "'SALE_OFFER' has no version 1; it has only the bundled words, 0"),
        ("GREETING", None, {}, "data.who",
         "is missing: version 2 of GREETING cannot be filled without it"),
        ("GREETING", None, {"who": []}, "data.who",
         "is a list, and version 2 of GREETING wants a string"),
        ("ORDER_CONFIRMATION", None, {"order": 1, "total": 2}, "data.currency",
         "is missing: the bundled version of ORDER_CONFIRMATION cannot be filled without it"),
    ],
)  # fmt: skip
def test_refusals(
    template_id: str, version: int | None, data: Any, field: str, reason: str
) -> None:
    with pytest.raises(Invalid) as caught:
        MADE.choose("ANYTHING", template_id, version, data)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_publish_and_roll_back_are_taken_in_their_order_only() -> None:
    made = catalogue(template("G", 1, 2, revision=5))
    assert not made.put(template("G", 1, 2, published=1, revision=4))
    assert made.choose("G", None, None, WHO).version == 2
    assert made.put(template("G", 1, 2, published=1, revision=6))
    assert made.choose("G", None, None, WHO).version == 1
    made.forget("G")
    assert made.get("G") is None


def test_only_templates_with_versions_are_listed() -> None:
    assert [t.template_id for t in MADE] == ["DRAFT", "GREETING", "REVIEW"]


@pytest.mark.parametrize(
    ("locale", "tried"),
    [
        ("de-AT", ["de-at", "de", "en"]),
        ("zh_Hant_TW", ["zh-hant-tw", "zh-hant", "zh", "en"]),
        ("", ["en"]),
    ],
)
def test_a_locale_falls_back(locale: str, tried: list[str]) -> None:
    assert list(chain(locale, "en")) == tried


NOTE, SMS, MAIL = Note("t", "b"), Sms("s"), Mail("s", "t")
SPOKEN = catalogue(
    Template(
        "T",
        (
            record(
                variables={},
                locales={
                    "en": Words(push=NOTE, sms=SMS),
                    "de": Words(email=MAIL),
                    "de-AT": Words(inapp=NOTE),
                },
            ),
        ),
        published=1,
    )
)


@pytest.mark.parametrize(
    ("locale", "channels"),
    [
        ("en", {"inapp", "push", "sms"}),
        ("fr", {"inapp", "push", "sms"}),
        ("", {"inapp", "push", "sms"}),
        ("de-CH", {"inapp", "push", "sms", "email"}),
        ("DE_at", {"inapp", "push", "sms", "email"}),
    ],
)
def test_where_there_are_words_for_somebody(locale: str, channels: set[str]) -> None:
    chosen = SPOKEN.choose("T", None, None, {})
    assert SPOKEN.channels(chosen, locale) == {Channel(c) for c in channels}


def test_words_nobody_has_any_more_say_nothing() -> None:
    assert SPOKEN.channels(Chosen("T", 9)) == frozenset()
    assert SPOKEN.channels(Chosen("NOBODY", 1)) == frozenset()


def test_any_number_of_locales_is_bounded() -> None:
    chosen = SPOKEN.choose("T", None, None, {})
    for n in range(2_000):
        assert SPOKEN.channels(chosen, f"x{n}")
    version = SPOKEN._known("T", 1)
    assert version is not None
    assert len(version._channels) <= 500
