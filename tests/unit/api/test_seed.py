"""What the seed documents' bodies mean: liberal about names, strict about values, and every error
by the name the caller used."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bodies import NotificationBody, OtpBody, SubscriptionBody, UserBody
from api.problems import FieldError
from api.seed import messages, outcome, people, words
from api.seed.fields import Fields, called
from api.seed.meant import Meant
from tocsin.errors import Invalid
from tocsin.records import Channel, Device, InventoryChange, Preferences, Priority, Profile
from tocsin.store.inbox import Entry, Page

ALL = ("transactional", "stock", "promotional", "security", "general")
TOKEN = "t" * 20


def field_of(call: Callable[[], object]) -> str:
    with pytest.raises(Invalid) as caught:
        call()
    return caught.value.field


@pytest.mark.parametrize("name", ["userId", "user_id", "UserID", "user-id", "USERID"])
def test_a_name_in_any_spelling_is_the_same(name: str) -> None:
    fields = Fields({name: "ada"})
    assert fields.need("user_id", "userId") == "ada"
    assert called(Invalid("user_id", "x"), fields.names).field == name


def test_the_same_said_twice_is_fine_and_two_things_are_not() -> None:
    assert Fields({"userId": 1, "user_id": 1}).take("u", "userId") == 1
    assert field_of(lambda: Fields({"userId": 1, "user_id": 2})) == "user_id"


def test_an_error_keeps_its_place_below_the_name() -> None:
    names = {"channels": "via", "data": "payload", "data.body": "message"}
    for field, there in (
        ("channels[2]", "via[2]"), ("data.order", "payload.order"), ("data.body", "message"),
        ("data.bodywork", "payload.bodywork"), ("expires_at", "expiresAt"), ("", ""),
    ):  # fmt: skip
        assert called(Invalid(field, "x"), names).field == there


def test_registering_in_the_usual_words() -> None:
    meant = people.registration(
        {
            "userId": 42, "email": "ada@shop.example", "phoneNumber": "+4917012345678",
            "deviceToken": "ab" * 32, "name": "Ada", "language": "de", "password": "x",
        }
    )  # fmt: skip
    assert meant.as_(UserBody) == UserBody(
        "42", "ada@shop.example", "+4917012345678", "Ada", "de",
        devices={"ios": Device("ios", "ab" * 32)},
    )  # fmt: skip
    assert list(meant.ignored) == ["password"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "userId"),
        ({"userId": ["ada"]}, "userId"),
        ({"user_id": "ada", "phoneNumber": "0170"}, "phoneNumber"),
        ({"user_id": "ada", "mail": "nothing"}, "mail"),
        ({"user_id": "ada", "fcmToken": "short"}, "fcmToken"),
        ({"user_id": "ada", "deviceToken": TOKEN, "deviceType": "toaster"}, "deviceType"),
        ({"user_id": "ada", "preferences": []}, "preferences"),
        ({"user_id": "ada", "preferences": {"sms": "no"}}, "preferences.sms"),
        ({"user_id": "ada", "preferences": {"channels": ["fax"]}}, "preferences.channels"),
        ({"user_id": "ada", "preferences": {"channels": 5}}, "preferences.channels"),
        ({"user_id": "ada", "preferences": {"muted": {"stock": ["fax"]}}},
         "preferences.muted[...][0]"),
        ({"user_id": "ada", "preferences": {"quietHours": {"start": "25:00", "end": "07:00"}}},
         "preferences.quietHours.start"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_registration_has_its_own_name(
    body: dict[str, Any], field: str
) -> None:
    assert field_of(lambda: people.registration(body).as_(UserBody)) == field


@pytest.mark.parametrize(
    ("said", "muted"),
    [
        ({"sms": False, "push": True}, dict.fromkeys(ALL, (Channel.SMS,))),
        ({"channels": ["push", "email", "inApp"]}, dict.fromkeys(ALL, (Channel.SMS,))),
        ({"marketing": False}, {"promotional": tuple(Channel)}),
        ({"muted": {"stock": ["sms"]}}, {"stock": (Channel.SMS,)}),
        ({"email": True}, {}),
    ],
)  # fmt: skip
def test_preferences_by_channel_and_by_category(
    said: dict[str, Any], muted: dict[str, Any]
) -> None:
    body = people.registration({"userId": "ada", "preferences": said}).as_(UserBody)
    assert body.preferences == Preferences(muted=muted)


def test_a_zone_beside_or_inside_the_preferences() -> None:
    for body in ({"timezone": "Europe/Berlin"}, {"preferences": {"timeZone": "Europe/Berlin"}}):
        found = people.registration({"userId": "ada", **body}).as_(UserBody)
        assert found.preferences.timezone == "Europe/Berlin"


def test_a_new_token_goes_to_the_one_device_there_is() -> None:
    one = Profile("ada", devices={"d": Device("ios", "old-token")})
    new, meant = people.device({"userId": "ada", "deviceToken": TOKEN})
    device_id, body = people.placed(new, one, meant)
    assert (device_id, body.platform, body.token) == ("d", "ios", TOKEN)
    none = people.placed(new, Profile("ada"), meant)
    assert (none[0], none[1].platform) == ("android", "android")
    named, meant = people.device({"userId": "ada", "token": TOKEN, "os": "iOS", "deviceId": 7})
    device_id, body = people.placed(named, one, meant)
    assert (device_id, body.platform) == ("7", "ios")
    assert field_of(lambda: people.placed(named, None, meant)) == "userId"


def test_opting_out_of_everything_of_a_channel_of_a_category() -> None:
    def after(**said: Any) -> Preferences:
        what = people.opt_out({"userId": "ada", **said}).as_(people.OptOut)
        before = Preferences(muted={"own": (Channel.EMAIL,)})
        once = people.without(before, what)
        assert people.without(once, what) is once
        return once

    assert after().opted_out
    own = {"own": (Channel.EMAIL,)}
    assert after(channel="SMS").muted == dict.fromkeys(ALL, (Channel.SMS,)) | {
        "own": (Channel.EMAIL, Channel.SMS)
    }
    assert after(notificationType="SALE_OFFER").muted == own | {"promotional": tuple(Channel)}
    assert after(category="marketing", channels=["push"]).muted == own | {
        "promotional": (Channel.PUSH,)
    }
    assert after(type="email").muted.keys() == {*ALL, "own"}
    assert field_of(lambda: after(channel="fax")) == "channel"
    assert field_of(lambda: after(notificationType="no such thing!")) == "notificationType"


def sent(**said: Any) -> tuple[NotificationBody, messages.Sending]:
    sending = messages.notification({"userId": "ada", **said})
    return json_body(sending.one()), sending


def json_body(raw: bytes) -> NotificationBody:
    return Meant(json.loads(raw), {}).as_(NotificationBody)


def test_sending_in_the_usual_words() -> None:
    body, _ = sent(
        type="orderUpdate", channel="push", title="Your order", message="It is on its way",
        priority="HIGH", templateId="T", scheduleTime="2026-12-24T18:00:00Z", orderId="7",
    )  # fmt: skip
    assert (body.type, body.channels) == ("ORDER_UPDATE", (Channel.PUSH,))
    assert body.priority is Priority.HIGH
    assert body.data == {
        "title": "Your order", "body": "It is on its way", "message": "It is on its way",
        "orderId": "7",
    }  # fmt: skip
    assert body.template_id == "T"
    assert body.send_at is not None


@pytest.mark.parametrize(
    ("said", "kind", "ways"),
    [
        ({"type": "push"}, "MESSAGE", (Channel.PUSH,)),
        ({"type": "EMAIL", "notificationType": "NEWSLETTER"}, "NEWSLETTER", (Channel.EMAIL,)),
        ({"type": "email", "channels": ["email", "in-app"]}, "MESSAGE",
         (Channel.EMAIL, Channel.INAPP)),
        ({"type": "back-in-stock", "channels": "all"}, "BACK_IN_STOCK", ()),
        ({"event": "order update"}, "ORDER_UPDATE", ()),
        ({}, "MESSAGE", ()),
    ],
)  # fmt: skip
def test_a_type_is_a_type_or_a_channel(
    said: dict[str, Any], kind: str, ways: tuple[Channel, ...]
) -> None:
    body, _ = sent(**said)
    assert (body.type, body.channels) == (kind, ways)


def test_words_beside_the_data_inside_it_or_as_an_object() -> None:
    said = {"body": "x", "message": "x"}
    assert sent(data={"order": 7}, body="x")[0].data == {"order": 7} | said
    assert sent(content={"subject": "s", "text": "x", "n": 1})[0].data == said | {
        "title": "s", "n": 1,
    }  # fmt: skip
    assert sent(notification={"title": "s", "body": "x"})[0].data == said | {"title": "s"}
    assert sent(data={"message": "m", "body": "b"})[0].data == {"message": "m", "body": "b"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"channel": "fax"}, "channel"),
        ({"channels": ["push", "fax"]}, "channels[1]"),
        ({"channels": ["push", 5]}, "channels[1]"),
        ({"type": "no type!"}, "type"),
        ({"priority": "now"}, "priority"),
        ({"scheduleTime": "tomorrow"}, "scheduleTime"),
        ({"sendAt": "2026-12-24T18:00:00"}, "sendAt"),
        ({"payload": "x"}, "payload"),
        ({"templateId": ""}, "templateId"),
        ({"userIds": ["bea"]}, "userId"),
        ({"userId": None}, "userId"),
        ({"userId": []}, "userId"),
        ({"userId": None, "userIds": ["bea", {}]}, "userIds[1]"),
        ({"userId": None, "userIds": ["bea"], "notificationId": "n"}, "notificationId"),
        ({"userId": None, "userIds": ["x"] * 1_001}, "userIds"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_message_has_its_own_name(said: dict[str, Any], field: str) -> None:
    assert field_of(lambda: sent(**said)) == field


def test_many_people_get_the_same_words() -> None:
    sending = messages.notification({"userIds": ["ada", 7], "message": "x"})
    assert sending.many
    assert [r["user_id"] for r in json.loads(sending.batch())["requests"]] == ["ada", "7"]
    large = messages.notification({"userIds": ["ada"] * 1_000, "message": "x" * 2_000})
    assert field_of(large.batch) == "userIds"


def test_errors_of_a_batch_point_to_the_person_or_the_callers_field() -> None:
    sending = messages.notification({"user_ids": ["ada", "bea"], "text": "x"})
    errors = [
        FieldError("#/requests/1/user_id", "unknown"),
        FieldError("#/requests/0/data/body", "too long"),
    ]
    found = outcome._of_person
    assert [found(e, sending).pointer for e in errors] == ["#/user_ids/1", "#/text"]


def test_sign_ups_and_wishes_name_a_product_or_a_sku() -> None:
    body = messages.subscription(
        {"userId": "ada", "productId": 85123, "channels": ["in_app", "push"], "quantity": 2}
    ).as_(SubscriptionBody)
    assert body == SubscriptionBody(
        "85123", "ada", channels=(Channel.INAPP, Channel.PUSH), wanted=2
    )
    assert messages.wish({"sku": "A", "productId": "B"}).body == {"sku": "A"}
    for said, field in (
        ({}, "productId"), ({"sku": "A", "quantity": 0}, "quantity"),
        ({"product_id": "A", "channel": "fax"}, "channel"), ({"sku": True}, "sku"),
    ):  # fmt: skip
        assert field_of(lambda s=said: messages.subscription(s).as_(SubscriptionBody)) == field  # type: ignore[misc]


NOW = "2026-11-24T12:00:00+00:00"


def change(**said: Any) -> InventoryChange:
    return messages.stock(said, "e1", NOW).as_(InventoryChange)


def test_stock_in_the_usual_words() -> None:
    for name in ("stock", "quantity", "available"):
        found = change(productId="A", **{name: 5})
        assert (found.sku, found.available, found.event_id) == ("A", 5, "e1")
    both = change(productId="P", sku="A", stock=1, eventId="mine", warehouse="w")
    assert (both.sku, both.product_id, both.event_id, both.location) == ("A", "P", "mine", "w")
    assert change(sku="A", delta=-2).delta == -2
    assert field_of(lambda: change(sku="A")) == "stock"
    assert field_of(lambda: change(stock=1)) == "productId"
    assert field_of(lambda: change(product_id="A", quantity=-1)) == "quantity"
    assert field_of(lambda: change(product_id="A", quantity="5")) == "quantity"


def test_a_code_is_asked_for_by_whatever_names_the_account() -> None:
    for name in ("userId", "phone", "phoneNumber", "email"):
        assert people.one_time_code({name: "x"}).as_(OtpBody) == OtpBody("x")
    found = people.one_time_code({"userId": "ada", "via": "SMS", "purpose": "login"}).as_(OtpBody)
    assert found.channel is Channel.SMS
    assert field_of(lambda: people.one_time_code({}).as_(OtpBody)) == "userId"


@pytest.mark.parametrize(
    ("states", "word"),
    [([], "pending"), (["accepted", "delivered"], "pending"), (["delivered", "failed"],
     "delivered"), (["cancelled"], "cancelled"), (["failed", "expired"], "failed")],
)  # fmt: skip
def test_one_word_for_all_channels(states: list[str], word: str) -> None:
    channels = {str(i): {"state": state} for i, state in enumerate(states)}
    assert outcome.status("n", {"channels": channels}).status == word


def test_an_inbox_by_pages() -> None:
    entries = [Entry(n, n == 5, json.dumps({"notification_id": f"n{n}"}).encode()) for n in
               range(5, 0, -1)]  # fmt: skip
    pages = [outcome.inbox(Page(entries, None, 1), page, 2) for page in (1, 2, 3, 4)]
    assert [[i.notification_id for i in p.items] for p in pages] == [
        ["n5", "n4"], ["n3", "n2"], ["n1"], [],
    ]  # fmt: skip
    assert {(p.total, p.unread) for p in pages} == {(5, 1)}
    assert [i.read for i in pages[0].items] == [False, True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["userId", "userIds", "type", "channel", "channels", "message", "data", "title", "priority",
     "preferences", "deviceToken", "platform", "deviceId", "productId", "sku", "stock", "category",
     "phone", "quantity", "sendAt", "notification", "timezone", "muted", "x"]
)  # fmt: skip


@given(st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON, max_size=3), max_size=6))
def test_whatever_comes_is_understood_or_invalid(body: Mapping[str, Any]) -> None:
    for read in (
        lambda: people.registration(body).as_(UserBody),
        lambda: people.placed(people.device(body)[0], Profile("u"), people.device(body)[1]),
        lambda: people.opt_out(body).as_(people.OptOut),
        lambda: people.one_time_code(body).as_(OtpBody),
        lambda: messages.notification(body).batch(),
        lambda: messages.subscription(body).as_(SubscriptionBody),
        lambda: messages.stock(body, "e", NOW).as_(InventoryChange),
        lambda: people.reader(body),
    ):
        with suppress(Invalid):
            read()


def test_words_of_ours_are_kept() -> None:
    assert words.channels([str(c) for c in Channel]) == list(Channel)
    for name in ("BACK_IN_STOCK", "ORDER2B", "OTP"):
        assert words.type_name(name) == name
