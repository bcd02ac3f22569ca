"""People made from ids: always the same, all different, all acceptable."""

from loadtest.people import person
from tocsin.records import Profile, decode, encode


def test_the_same_id_is_the_same_person() -> None:
    assert person("17850") == person("17850")


def test_customers_of_a_shop_share_no_address() -> None:
    people = [person(str(number)) for number in range(12_346, 18_288)]
    assert len({p.phone for p in people}) == len(people)
    assert len({p.email for p in people}) == len(people)
    tokens = [device.token for p in people for device in p.devices.values()]
    assert len(set(tokens)) == len(tokens)


def test_every_person_is_a_valid_profile_with_a_device() -> None:
    for user_id in ("1", "17850", "cust-7", "a@b", "ü" * 100, "0" * 128, "user with spaces"):
        profile = person(user_id)
        assert decode(Profile, encode(profile)) == profile
        assert 1 <= len(profile.devices) <= 2


def test_a_third_has_both_devices() -> None:
    kinds = ["+".join(d.platform for d in person(str(n)).devices.values()) for n in range(3_000)]
    for kind in ("ios", "android", "ios+android"):
        assert 900 < kinds.count(kind) < 1_100


def test_device_tokens_have_their_vendors_shape() -> None:
    devices = {d.platform: d.token for n in range(9) for d in person(str(n)).devices.values()}
    assert len(bytes.fromhex(devices["ios"])) == 32
    assert ":APA91b" in devices["android"]
    assert len(devices["android"]) > 140
