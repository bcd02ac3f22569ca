"""What the API decides without asking anybody: registrations, ways of a code, merged status."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.batch import each, refused, results
from api.bodies import DeviceBody, UserBody
from api.idempotent import Key
from api.otp_request import way_to
from api.registration import Registration
from api.status import merge
from api.zones import check_zone
from tocsin.errors import Invalid, Refused
from tocsin.records import Channel, Device, Preferences, Profile, State, encode
from tocsin.store import SendResult

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PHONE = "+4917012345678"


def test_a_phone_outside_the_allowed_prefixes_is_no_way() -> None:
    profile = Profile("u", phone="+4917012345678")
    assert way_to(profile, Channel.SMS, ("+44",)).recipient is None
    assert way_to(profile, Channel.SMS, ("+44", "+49")).recipient == "+4917012345678"


def test_somebody_new_is_created_with_the_time_noted() -> None:
    step = Registration(UserBody("u", devices={"d": Device("ios", "12345678")}), NOW)
    made = step(None)
    assert step.created
    assert (made.created_at, made.devices["d"].updated_at) == (NOW, NOW)


def test_the_same_data_later_changes_nothing() -> None:
    body = UserBody("u", email="a@b.example", devices={"d": Device("ios", "12345678")})
    before = Registration(body, NOW)(None)
    step = Registration(body, NOW + timedelta(days=1))
    assert step(before) is before
    assert not step.created


def test_other_data_is_a_conflict() -> None:
    before = Registration(UserBody("u", email="a@b.example"), NOW)(None)
    with pytest.raises(Refused) as caught:
        Registration(UserBody("u"), NOW)(before)
    assert caught.value.code == "conflict"


@pytest.mark.parametrize(
    ("profile", "wanted", "way"),
    [
        (Profile("u", phone=PHONE), None, (Channel.SMS, PHONE)),
        (Profile("u"), None, (Channel.SMS, None)),
        (None, None, (Channel.SMS, None)),
        (None, Channel.PUSH, (Channel.PUSH, None)),
        (Profile("u", devices={"d": Device("ios", "t")}), None, (Channel.PUSH, "ios:t")),
        (Profile("u", phone=PHONE, devices={"d": Device("ios", "t")}), None, (Channel.SMS, PHONE)),
        (Profile("u", devices={"d": Device("ios", "t")}), Channel.SMS, (Channel.SMS, None)),
    ],
)
def test_a_code_goes_by_sms_unless_there_is_only_a_device(
    profile: Profile | None, wanted: Channel | None, way: tuple[Channel, str | None]
) -> None:
    assert way_to(profile, wanted) == way


def test_a_code_by_push_goes_to_the_device_heard_of_last() -> None:
    devices = {
        "old": Device("ios", "old", NOW),
        "new": Device("android", "new", NOW + timedelta(hours=1)),
        "undated": Device("web", "undated"),
    }
    assert way_to(Profile("u", devices=devices), Channel.PUSH).recipient == "android:new"


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.INAPP])
def test_mail_is_no_second_factor(channel: Channel) -> None:
    with pytest.raises(Invalid, match="sms or push"):
        way_to(Profile("u", email="a@b.example"), channel)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia"])
def test_zones_that_exist(zone: str) -> None:
    check_zone(Preferences(timezone=zone), "timezone")


@pytest.mark.parametrize("zone", ["", "europe/berlin", "../../etc/passwd", "America", "+02:00"])
def test_zones_that_do_not(zone: str) -> None:
    with pytest.raises(Invalid, match="timezone"):
        check_zone(Preferences(timezone=zone), "timezone")


def row(channel: str, state: str, seconds: int = 0, **more: Any) -> dict[str, Any]:
    """As ClickHouse answers: times without a zone."""
    at = NOW.replace(tzinfo=None) + timedelta(seconds=seconds)
    known = {
        "part": "ended" if state else "begun" if channel else "request", "reason": "",
        "provider": "", "provider_message_id": "", "attempt": 1, "template_id": "",
        "template_version": 0, "trace": "", "due_at": None, "field": "",
    }  # fmt: skip
    return {"channel": channel, "state": state or "accepted", "user_id": "u", "type": "X",
            "accepted_at": at, "at": at} | known | more  # fmt: skip


NONE: list[bytes | None] = [None] * 4


def claim(kind: str, attempt: int, state: State = State.DELIVERED) -> bytes:
    return f"{kind}:{attempt}:".encode() + encode(SendResult("n:push", state, "why", "apns"))


def test_nobody_knows_it() -> None:
    assert merge("n", [], NONE) is None
    assert merge("n", None, NONE) is None


def test_an_end_beats_a_claim_and_a_beginning() -> None:
    rows = [row("push", "delivered", 2, provider="apns"), row("push", "", 1), row("", "")]
    found = merge("n", rows, [None, b"c:1:99:sender:1", None, None])
    assert found is not None
    assert found.channels["push"].state == "delivered"
    assert found.channels["push"].at == NOW + timedelta(seconds=2)
    assert (found.user_id, found.complete) == ("u", True)


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (b"c:2:1700000000000:sender-push-0:abc", "sending"),
        (claim("n", 2, State.RETRY), "retrying"),
        (claim("r", 2, State.FAILED), "failed"),
    ],
)
def test_a_claim_beats_a_beginning(value: bytes, state: str) -> None:
    found = merge("n", [row("push", "")], [None, value, None, None])
    assert found is not None
    assert (found.channels["push"].state, found.channels["push"].attempt) == (state, 2)


def test_without_clickhouse_claims_are_all_there_is() -> None:
    found = merge("n", None, [None, claim("r", 1), None, None])
    assert found is not None
    assert (found.complete, found.user_id, found.channels["push"].state) == (
        False, None, "delivered",
    )  # fmt: skip


def test_a_batch_keeps_its_places() -> None:
    found = each(DeviceBody, b'[{"platform":"ios","token":"12345678"}, {"platform":"tv"}, 3]', "d")
    assert isinstance(found[0], DeviceBody)
    fields = [e.field for e in found[1:] if isinstance(e, Invalid)]
    assert fields == ["d[1].platform", "d[2]"]


def test_results_are_counted() -> None:
    wrong = [refused(Invalid("a", "b")), refused(Refused("conflict", "c"), "id")]
    found = results(wrong)
    assert (found.done, found.refused) == (0, 2)
    assert [r.status for r in found.results] == [422, 409]


class NoStore:
    """A key only derives ids here."""


def test_ids_of_a_key_are_the_same_for_the_same_request_only() -> None:
    def ids(caller: str, key: str, body: bytes) -> list[str]:
        made = Key(NoStore(), caller, key, body)  # type: ignore[arg-type]
        return [made.id(0), made.id(1)]

    first = ids("shop", "k", b"body")
    assert first == ids("shop", "k", b"body")
    assert len({*first, *ids("shop2", "k", b"body"), *ids("shop", "k", b"other")}) == 6
