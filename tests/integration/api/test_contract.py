"""The API held to its own description: whatever is sent, the answer is one that OpenAPI names.

schemathesis makes requests from the document, right ones and wrong ones, half of them about people
and things that are there, and sends them to the real process over real engines. The same requests
in every run; TOCSIN_TEST_EXAMPLES asks for more of them per operation.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, checks
from schemathesis.core.result import Ok

from analytics.client import connect as connect_clickhouse
from analytics.migrate import migrate
from api.app import create_app
from tests.integration.clickhouse import environment
from tests.integration.conftest import free_port, wait_until
from tests.unit.tocsin.link_makers import unsubscribe
from tocsin.kafka import ensure_topics
from tocsin.process import ready_file
from tocsin.settings import Settings
from tocsin.store import connect, keys
from tocsin.tokens import SCOPES, mint

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

EXAMPLES = int(os.environ.get("TOCSIN_TEST_EXAMPLES", "12"))
SECONDS = 60

checks.load_all_checks()
HELD_TO: list[Any] = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
DEVICE = {"platform": "ios", "token": "a" * 64}
STOCK = {"event_id": "e1", "sku": "lamp", "available": 0, "occurred_at": "2026-11-22T10:00:00Z"}
SALE = {"type": "SALE_OFFER", "data": {"body": "20 %"}}
TEMPLATE = {
    "template_id": "GREETING",
    "variables": {"who": {"type": "string"}},
    "locales": {"en": {"push": {"title": "Hi", "body": "Hello {{ who }}"}}},
    "sample": {"who": "Anna"},
}
DOCUMENT = create_app().openapi()
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok)
]


def asked(ask: Callable[[], Any]) -> Any:
    """The answer. A 503 says that an engine is slow, as on a busy machine, and to ask again; what
    is a 503 whenever it is asked is one of our faults."""
    end = time.monotonic() + SECONDS
    while (found := ask()).status_code == 503 and time.monotonic() < end:
        time.sleep(0.5)
    return found


class Rig:
    """The API as a process, and who calls it."""

    def __init__(self, made: Settings) -> None:
        self._settings = made
        self.url = f"http://127.0.0.1:{made.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.known: dict[str, Any] = {}

    def token(self, security: list[dict[str, list[str]]]) -> str:
        """A person's token where one will do, else a service's."""
        person = {"bearer": []} in security
        scopes = frozenset() if person else frozenset(SCOPES)
        return mint(
            self._settings, subject="ada" if person else "shop",
            kind="user" if person else "service", scopes=scopes, seconds=3600,
        )  # fmt: skip

    def post(self, path: str, body: Any) -> Any:
        """As a service; what it answered."""
        headers = {"authorization": f"Bearer {self.token([])}"}
        url, session = self.url + path, self.session
        answer = asked(lambda: session.post(url, json=body, headers=headers, timeout=SECONDS))
        assert answer.status_code < 300, answer.text
        return answer.json()

    def answer(self, case: Case[Any], headers: dict[str, str]) -> Any:
        """To a made request. Where a redirect leads is nobody's business here."""
        how: dict[str, Any] = {"timeout": SECONDS, "allow_redirects": False}
        url, session = self.url, self.session
        return asked(lambda: case.call(url, session=session, headers=headers, **how))

    def furnish(self) -> None:
        """Have one of everything there, also after something was deleted."""
        person = {"user_id": "ada", "email": "ada@example.org", "phone": "+447700900123"}
        self.post("/v1/users:batch", [person | {"devices": {"d1": DEVICE}}])
        self.post("/v1/inventory", STOCK)
        self.post("/v1/templates", TEMPLATE)
        sold_out = {"user_id": "ada", "sku": "lamp"}
        signed_up = self.post("/v1/subscriptions?allow_unknown_sku=true", sold_out)
        told = self.post("/v1/notifications", {"user_id": "ada"} | SALE)
        many = self.post("/v1/broadcasts", {"audience": {"segment": []}} | SALE)
        self.known = signed_up | told | many | {
            "user_id": "ada", "device_id": "d1", "topic": "sales", "template_id": "GREETING",
            "number": 1, "token": unsubscribe(self._settings, "ada"),
        }  # fmt: skip


@pytest.fixture(scope="module")
def rig(
    redis_url: str, kafka_url: str, clickhouse_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig]:
    made = Settings(
        redis_url=redis_url, kafka_url=kafka_url, clickhouse_url=clickhouse_url,
        data_dir=tmp_path_factory.mktemp("contract"), port=free_port(),
        otp_secret="test-pepper-0123456789abcdef",
        jwt_secret="test-jwt-secret-0123456789abcdef0123456789",
    )  # fmt: skip
    asyncio.run(_prepared(made))
    log = made.data_dir / "api.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.serve"], env=_environment(made), stdout=out, stderr=out
        )
    serves = ready_file(made.data_dir, "api")
    wait_until(lambda: serves.exists() or process.poll() is not None, SECONDS)
    assert process.poll() is None, log.read_text()
    try:
        yield Rig(made)
    finally:
        process.terminate()
        process.wait(SECONDS)


async def _prepared(made: Settings) -> None:
    """Every topic, an empty store that knows it, and the tables."""
    await ensure_topics(made)
    redis = await connect(made)
    await redis.flushall()
    await redis.set(keys.STORE_READY, "a test")
    await redis.aclose()
    client = await connect_clickhouse(made, database="default")
    await migrate(client)
    await client.close()


def _environment(made: Settings) -> dict[str, str]:
    return environment(made) | {
        "TOCSIN_REDIS_URL": made.redis_url.get_secret_value(),
        "TOCSIN_OTP_SECRET": made.otp_secret.get_secret_value(),
        "TOCSIN_JWT_SECRET": made.jwt_secret.get_secret_value(),
        "TOCSIN_PORT": str(made.port),
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_one_that_the_document_names(rig: Rig, operation: Any) -> None:
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    security = operation.definition.raw.get("security", [])
    headers = {"authorization": f"Bearer {rig.token(security)}"} if security else {}
    rig.furnish()

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.one_of(right, wrong), st.booleans())
    def holds(case: Case[Any], known: bool) -> None:
        if known:
            there = {
                name: rig.known.get(name, value) for name, value in case.path_parameters.items()
            }
            case.path_parameters = there
        answer = rig.answer(case, headers)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=HELD_TO)

    holds()
