"""Ports: the usual one, a free one when it is taken, an error when it was asked for."""

import socket
import subprocess
import sys
from itertools import count

import pytest

from tocsin.cli.ports import QUIET, any_free, choose, claim, is_free, owner
from tocsin.errors import ConfigError


def free_from(first: int):  # type: ignore[no-untyped-def]
    numbers = count(first)
    return lambda: next(numbers)


def test_free_ports_are_kept_as_wanted() -> None:
    wanted = {"api": 8080, "ws": 8081}
    assert choose(wanted, {}, lambda port: True, free_from(5)) == wanted


def test_a_taken_default_moves_to_a_free_port() -> None:
    chosen = choose({"api": 8080, "ws": 8081}, {}, lambda port: port != 8080, free_from(5000))
    assert chosen == {"api": 5000, "ws": 8081}


def test_a_fallback_is_never_a_port_already_given_away() -> None:
    chosen = choose(
        {"a": 1, "b": 2, "c": 5000}, {"c": "--port"}, lambda port: port > 2, free_from(5000)
    )
    assert chosen["c"] == 5000
    assert len(set(chosen.values())) == 3


def test_a_taken_port_that_was_asked_for_names_who_must_change() -> None:
    with pytest.raises(ConfigError, match=r"port 8080 is taken by .*: stop it, or .* with --port"):
        choose({"api": 8080}, {"api": "--port"}, lambda port: False, free_from(5000))


def test_two_listeners_cannot_be_asked_for_on_one_port() -> None:
    fixed = {"api": "--port", "ws": "TOCSIN_WS_PORT"}
    with pytest.raises(ConfigError, match=r"port 80 .* TOCSIN_WS_PORT"):
        choose({"api": 80, "ws": 80}, fixed, lambda port: True, free_from(5000))


def test_a_listener_makes_its_port_taken_and_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert "(pid " in owner(port)
    assert is_free(any_free())


def test_a_free_port_is_claimed_and_nobody_gets_it_by_chance() -> None:
    ports = {any_free() for _ in range(20)}
    assert len(ports) == 20
    assert ports <= set(QUIET)


def test_a_port_another_up_is_about_to_use_is_not_free() -> None:
    port = next(port for port in reversed(QUIET) if is_free(port))
    program = f"from tocsin.cli.ports import claim; print(claim({port})); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdout
    assert other.stdout.readline() == "True\n"
    assert is_free(port)
    assert not claim(port)
    other.communicate("\n")
    assert claim(port)
