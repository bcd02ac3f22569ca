"""Settings: strict names, strict values, masked secrets."""

import pytest

from tocsin.errors import ConfigError
from tocsin.settings import Settings, load, names


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(name, raising=False)


def test_an_unknown_name_stops_the_start_and_suggests_the_right_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOCSIN_REDIS_ULR", "redis://x")
    with pytest.raises(ConfigError, match="did you mean TOCSIN_REDIS_URL"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [("TOCSIN_PORT", "70000"), ("TOCSIN_PORT", "x"), ("TOCSIN_RATE_PUSH", "-1"),
     ("TOCSIN_LOG_LEVEL", "LOUD"), ("TOCSIN_ORIGINS", "shop.example"), ("TOCSIN_ORIGINS", "*"),
     ("TOCSIN_ORIGINS", "https://a.example,https://b.example/path")],
)  # fmt: skip
def test_a_bad_value_stops_the_start_and_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load()


def test_groups_nest_by_their_first_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_APNS_KEY_ID", "ABC")
    monkeypatch.setenv("TOCSIN_KAFKA_URL", "kafka://a:1,b:2")
    settings = load()
    assert settings.apns.key_id == "ABC"
    assert settings.kafka_servers() == ["a:1", "b:2"]


def test_secrets_do_not_show() -> None:
    settings = Settings(jwt_secret="hush-hush", twilio={"auth_token": "hush-too"})
    assert "hush" not in repr(settings)


def test_a_wrong_origin_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_ORIGINS", "https://good.example,*")
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == (
        "TOCSIN_ORIGINS: '*' is no origin: scheme and host as in https://shop.example:8443"
    )


def test_origins_are_compared_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_ORIGINS", "https://A.example/, http://b.example:80,http://[::1]:81")
    assert load().web_origins() == ("https://a.example", "http://b.example", "http://[::1]:81")
    assert Settings().web_origins() == load().web_origins()
