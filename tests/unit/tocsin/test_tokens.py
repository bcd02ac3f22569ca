"""Tokens: what is minted is understood, and nothing forged is."""

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tocsin.errors import ConfigError, Refused
from tocsin.jwks import Jwks
from tocsin.settings import Settings
from tocsin.tokens import AUDIENCE, SCOPES, mint, verify

SECRET = "a-secret-of-more-than-thirty-two-bytes!"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def made(**changes: Any) -> Settings:
    return Settings(**({"jwt_secret": SECRET} | changes))


def hand_made(claims: dict[str, Any], key: Any = SECRET, alg: str = "HS256", **head: Any) -> str:
    return jwt.encode({"sub": "u", "exp": 4e9} | claims, key, algorithm=alg, headers=head or None)


def why(token: str, settings: Settings | None = None) -> str:
    with pytest.raises(Refused) as caught:
        verify(settings or made(), token)
    assert caught.value.code == "unauthorized"
    return caught.value.reason


def test_a_minted_token_says_who_is_calling() -> None:
    token = mint(made(), subject="shop", kind="service", scopes=SCOPES, seconds=60)
    identity = verify(made(), token)
    assert (identity.subject, identity.kind, identity.scopes) == ("shop", "service", SCOPES)


def test_an_expired_token_is_refused_as_expired() -> None:
    token = mint(made(), subject="u", kind="user", scopes=frozenset(), seconds=-5)
    assert why(token) == "token refused: expired"


def test_another_secret_is_a_bad_signature() -> None:
    assert "bad signature" in why(hand_made({}, SECRET + "x"))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "ü.ü.ü", "e30.e30.", "x" * 9_000])
def test_rubbish_is_refused(token: str) -> None:
    assert why(token).startswith("token refused:")


def test_alg_none_is_refused() -> None:
    token = jwt.encode({"sub": "u", "exp": 4e9}, None, algorithm="none")  # type: ignore[arg-type]
    assert "not accepted" in why(token)


def test_a_token_needs_an_end_and_a_subject() -> None:
    assert "exp" in why(jwt.encode({"sub": "u"}, SECRET, algorithm="HS256"))
    assert "sub" in why(jwt.encode({"exp": 4e9}, SECRET, algorithm="HS256"))
    assert "characters" in why(hand_made({"sub": ""}))


def test_a_kind_that_is_not_said_is_the_lesser_one() -> None:
    assert verify(made(), hand_made({})).kind == "user"


def test_scopes_come_as_words_or_as_a_list() -> None:
    assert verify(made(), hand_made({"scope": "otp inbox"})).scopes == {"otp", "inbox"}
    assert verify(made(), hand_made({"scp": ["otp", "inbox"]})).scopes == {"otp", "inbox"}


def test_a_token_for_another_audience_is_refused() -> None:
    assert "audience" in why(hand_made({"aud": "billing"}))
    assert verify(made(), hand_made({"aud": ["billing", AUDIENCE]})).subject == "u"


def test_a_short_secret_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="TOCSIN_JWT_SECRET"):
        mint(made(jwt_secret="short"), subject="u", kind="user", scopes=frozenset(), seconds=1)


def test_an_empty_secret_verifies_nothing() -> None:
    assert "not accepted" in why(hand_made({}), made(jwt_secret=""))


@pytest.fixture
def jwks_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key set; the transport is replaced, for a unit test opens no socket."""
    url = "https://idp.example/jwks-" + tmp_path.name
    keys = [_public(RSA.public_key(), "r", "RS256"), _public(EC.public_key(), "e", "ES256")]
    served = tmp_path / "jwks.json"
    served.write_text(json.dumps({"keys": keys}))
    monkeypatch.setattr(urllib.request, "urlopen", lambda asked, timeout: served.open("rb"))
    return url


def _public(key: Any, kid: str, alg: str) -> dict[str, Any]:
    algorithm = jwt.get_algorithm_by_name(alg)
    return json.loads(algorithm.to_jwk(key)) | {"kid": kid, "alg": alg}  # type: ignore[no-any-return]


def test_keys_of_an_identity_provider_are_accepted(jwks_url: str) -> None:
    for key, kid, alg in ((RSA, "r", "RS256"), (EC, "e", "ES256")):
        token = hand_made({"aud": AUDIENCE}, key, alg, kid=kid)
        assert verify(made(jwt_jwks_url=jwks_url), token).subject == "u"


def test_a_provider_token_must_be_meant_for_us(jwks_url: str) -> None:
    assert "aud" in why(hand_made({}, EC, "ES256", kid="e"), made(jwt_jwks_url=jwks_url))


def test_a_public_key_is_no_hmac_secret(jwks_url: str) -> None:
    """The classic confusion: HS256 over the provider's public key."""
    pem = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head, body = (_b64(part) for part in ({"alg": "HS256", "kid": "r"}, {"sub": "u", "exp": 4e9}))
    signature = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{body}".encode(), pem)
    token = f"{head}.{body}.{jwt.utils.base64url_encode(signature).decode()}"
    assert "not accepted" in why(token, made(jwt_secret="", jwt_jwks_url=jwks_url))
    assert "bad signature" in why(token, made(jwt_jwks_url=jwks_url))


def _b64(part: dict[str, Any]) -> str:
    return jwt.utils.base64url_encode(json.dumps(part).encode()).decode()


def test_a_key_of_the_other_type_is_not_used(jwks_url: str) -> None:
    token = hand_made({"aud": AUDIENCE}, EC, "ES256", kid="r")
    assert "bad signature" in why(token, made(jwt_jwks_url=jwks_url))


def test_unknown_key_ids_do_not_hammer_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(url: str, timeout: float) -> Any:
        asked.append(url)
        raise OSError("away")

    monkeypatch.setattr(urllib.request, "urlopen", away)
    jwks = Jwks("https://idp.example/keys")
    threads = [threading.Thread(target=jwks.key, args=(str(i), "RS256")) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_jwks_address_that_is_a_file_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="JWKS"):
        Jwks("file:///etc/passwd")
