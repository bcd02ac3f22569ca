"""What is started where, and the environment the processes get."""

from pathlib import Path

import pytest

from tocsin.cli.layout import environment, plan
from tocsin.cli.ports import DEFAULTS
from tocsin.cli.program import Wave
from tocsin.cli.programs import programs
from tocsin.cli.vault import CLICKHOUSE_PASSWORD
from tocsin.errors import ConfigError
from tocsin.settings import load

SECRETS = {
    "TOCSIN_JWT_SECRET": "j" * 40, "TOCSIN_OTP_SECRET": "o" * 40, CLICKHOUSE_PASSWORD: "pw",
}  # fmt: skip
HERE = Path("/data")


def laid_out(environ: dict[str, str], port: int | None = None, sandbox: bool = True):  # type: ignore[no-untyped-def]
    return plan(environ, port, sandbox, is_free=lambda port: True, any_free=lambda: 1)


def test_by_default_everything_is_embedded_on_its_usual_port() -> None:
    layout = laid_out({})
    assert layout.ports == DEFAULTS
    assert not layout.moved
    made = environment(layout, HERE, {}, SECRETS)
    assert made["TOCSIN_KAFKA_URL"] == "kafka://127.0.0.1:9092"
    assert made["TOCSIN_REDIS_URL"] == "redis://127.0.0.1:6379/0"
    assert made["TOCSIN_CLICKHOUSE_URL"] == "clickhouse://tocsin:pw@127.0.0.1:8123/tocsin"
    assert made["TOCSIN_RAY_ADDRESS"] == "127.0.0.1:6380"
    assert made["TOCSIN_PUBLIC_URL"] == "http://127.0.0.1:8080"


def test_what_is_made_are_settings_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(laid_out({}), HERE, {}, SECRETS).items():
        monkeypatch.setenv(name, value)
    assert load().data_dir == HERE


def test_an_engine_with_a_url_is_not_started_and_its_url_is_kept() -> None:
    environ = {"TOCSIN_KAFKA_URL": "kafka://far:9092", "HOME": "/root"}
    layout = laid_out(environ)
    assert layout.external == {"broker"}
    assert "broker" not in layout.ports
    assert "broker" not in [p.name for p in programs(layout, HERE, 1)]
    made = environment(layout, HERE, environ, SECRETS)
    assert made["TOCSIN_KAFKA_URL"] == "kafka://far:9092"
    assert "HOME" not in made


def test_the_users_settings_pass_and_the_public_url_follows_the_port() -> None:
    environ = {"TOCSIN_LOG_LEVEL": "DEBUG", "TOCSIN_PUBLIC_URL": "https://shop.example"}
    made = environment(laid_out(environ), HERE, environ, SECRETS)
    assert made["TOCSIN_LOG_LEVEL"] == "DEBUG"
    assert made["TOCSIN_PUBLIC_URL"] == "https://shop.example"
    moved = environment(laid_out({}, port=9999), HERE, {}, SECRETS)
    assert (moved["TOCSIN_PORT"], moved["TOCSIN_PUBLIC_URL"]) == ("9999", "http://127.0.0.1:9999")


def test_a_taken_default_is_said_to_have_moved() -> None:
    layout = plan({}, None, True, is_free=lambda port: port != 6379, any_free=lambda: 7777)
    assert layout.moved == ("valkey",)
    assert layout.ports["valkey"] == 7777


@pytest.mark.parametrize("environ", [{"TOCSIN_PORT": "8080"}, {"TOCSIN_WS_PORT": "8081"}])
def test_a_port_from_the_environment_is_not_moved(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(environ))):
        plan(environ, None, True, is_free=lambda port: False, any_free=lambda: 7777)


def test_a_port_that_is_no_number_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match="TOCSIN_PORT: 'http' is not a port"):
        laid_out({"TOCSIN_PORT": "http"})


def test_without_a_sandbox_none_is_started() -> None:
    layout = laid_out({}, sandbox=False)
    assert not [name for name in layout.ports if name.startswith("sandbox")]
    assert "sandbox" not in [p.name for p in programs(layout, HERE, 1)]


def test_engines_come_first_and_as_many_stream_workers_as_are_set() -> None:
    found = programs(laid_out({}), HERE, 3)
    waves = {p.name: p.wave for p in found}
    assert {waves[n] for n in ("broker", "valkey", "clickhouse", "ray", "sandbox")} == {
        Wave.ENGINES
    }
    assert waves["actors"] < waves["writer"] < waves["streams-1"] is waves["streams-otp"]
    assert [n for n in waves if waves[n] is Wave.STREAMS] == [
        "streams-1", "streams-2", "streams-3", "streams-otp",
    ]  # fmt: skip
    assert max(waves.values()) is waves["api"]


def test_the_stores_view_is_seen_to_before_anybody_asks_it() -> None:
    found = {p.name: p for p in programs(laid_out({}), HERE, 1)}
    rebuild = found["rebuild"]
    assert rebuild.once
    assert rebuild.argv[-1] == "--if-empty"
    assert Wave.ENGINES < rebuild.wave < found["streams-1"].wave
    # a large log takes its time, and a start that is given up would never get through it
    assert rebuild.start_seconds > found["streams-1"].start_seconds
