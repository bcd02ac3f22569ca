"""Who may do what."""

import time

import pytest

from api.auth import Auth, Denied, require_person, require_self_or, require_service
from tocsin.errors import ConfigError
from tocsin.settings import Settings
from tocsin.tokens import Identity, mint, verify

SETTINGS = Settings(jwt_secret="x" * 40)
USER = Identity("ada", "user", frozenset())
SERVICE = Identity("shop", "service", frozenset({"otp"}))


def bearer(seconds: float = 60) -> str:
    token = mint(SETTINGS, subject="ada", kind="user", scopes=frozenset(), seconds=seconds)
    return f"Bearer {token}"


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that were verified, not remembered."""
    calls: list[str] = []

    def counting(settings: Settings, token: str) -> Identity:
        calls.append(token)
        return verify(settings, token)

    monkeypatch.setattr("api.auth.verify", counting)
    return calls


async def test_a_token_is_verified_once_a_minute(
    verified: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    auth, header, now = Auth(SETTINGS), bearer(600), time.time()
    for _ in range(5):
        assert (await auth.identify(header)).subject == "ada"
    assert len(verified) == 1
    monkeypatch.setattr("time.time", lambda: now + 61)
    await auth.identify(header)
    assert len(verified) == 2


async def test_what_is_remembered_ends_with_the_token(
    verified: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    auth, header = Auth(SETTINGS), bearer(30)
    identity = await auth.identify(header)
    monkeypatch.setattr("time.time", lambda: identity.expires + 1)
    await auth.identify(header)
    assert len(verified) == 2


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "abc"])
async def test_without_a_bearer_token_one_is_asked_for(header: str | None) -> None:
    with pytest.raises(Denied) as caught:
        await Auth(SETTINGS).identify(header)
    assert caught.value.headers["WWW-Authenticate"] == 'Bearer realm="tocsin"'


async def test_a_challenge_cannot_be_broken_out_of() -> None:
    with pytest.raises(Denied) as caught:
        await Auth(SETTINGS).identify('Bearer e"\r\nSet-Cookie: x')
    challenge = caught.value.headers["WWW-Authenticate"]
    assert "\r" not in challenge
    assert challenge.count('"') == 6


def test_it_does_not_start_without_a_way_to_verify() -> None:
    with pytest.raises(ConfigError, match="TOCSIN_JWT_SECRET"):
        Auth(Settings())


def test_a_service_needs_one_of_the_scopes() -> None:
    require_service(SERVICE, "users:write", "otp")
    with pytest.raises(Denied, match="users:write"):
        require_service(SERVICE, "users:write")
    with pytest.raises(Denied, match="for services"):
        require_service(USER, "otp")


def test_a_user_acts_on_itself_only() -> None:
    require_self_or(USER, "ada", "otp")
    require_self_or(SERVICE, "ada", "otp")
    with pytest.raises(Denied):
        require_self_or(USER, "bea", "otp")


def test_a_service_is_nobody() -> None:
    require_person(USER)
    with pytest.raises(Denied):
        require_person(SERVICE)
