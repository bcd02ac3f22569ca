"""The API describes itself, and the description is the committed one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from api import openapi
from api.app import create_app

ROOT = Path(__file__).parents[3]
DOCUMENT: dict[str, Any] = create_app().openapi()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]

PUBLIC = """
POST /v1/users · GET /v1/users/{} · PATCH /v1/users/{} · DELETE /v1/users/{}
PUT /v1/users/{}/devices/{} · DELETE /v1/users/{}/devices/{}
GET /v1/users/{}/preferences · PUT /v1/users/{}/preferences
POST /v1/subscriptions · GET /v1/subscriptions · DELETE /v1/subscriptions/{}
POST /v1/inventory · POST /v1/inventory:batch
POST /v1/notifications · POST /v1/notifications:batch · GET /v1/notifications/{}
POST /v1/broadcasts · GET /v1/broadcasts/{} · DELETE /v1/broadcasts/{}
PUT /v1/users/{}/topics/{} · DELETE /v1/users/{}/topics/{}
POST /v1/otp · POST /v1/otp/verify
GET /v1/inbox · PATCH /v1/inbox/{} · POST /v1/inbox:read-all · DELETE /v1/inbox/{}
GET /v1/presence · POST /v1/inbox:read · POST /v1/inbox:unread
DELETE /v1/notifications/{} · GET /u/{} · POST /u/{}
POST /api/v1/register · POST /api/v1/sendNotification · PUT /api/v1/updateDeviceToken
POST /api/v1/optOut · GET /api/v1/notificationStatus · POST /notifications/subscribe
DELETE /notifications/unsubscribe · POST /notifications/send · GET /notifications/{}
PATCH /notifications/{}/read · POST /admin/update-stock · POST /auth/request-otp
POST /v1/inbox:delete · GET /v1/ws-ticket · GET /healthz · GET /readyz · GET /metrics
"""
"""The part of the public interface that is built (the rest comes with later issues)."""


def test_the_committed_document_is_current() -> None:
    committed = (ROOT / "api" / "openapi.json").read_text()
    assert committed == openapi.text(), "run: python -m api.openapi > api/openapi.json"


def test_what_the_interface_promises_is_there() -> None:
    there = {re.sub(r"\{\w+\}", "{}", name) for name, _ in OPERATIONS}
    promised = {line.strip() for line in re.split(r"[·\n]", PUBLIC) if line.strip()}
    assert promised <= there


def test_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)):
        assert name in schemas


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_who_may_and_how_it_fails(
    name: str, operation: dict[str, Any]
) -> None:
    assert operation["description"]
    if name.split()[1] == "/metrics":
        return
    assert "Problem" in json.dumps(operation["responses"]["default"])
    assert "HTTPValidationError" not in json.dumps(operation)
    if "/v1/" in name:
        assert all("bearer" in way for way in operation["security"])
    for place in re.findall(r"\{(\w+)\}", name):
        assert place in [p["name"] for p in operation["parameters"]]


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_every_seed_alias_is_shown_with_an_example() -> None:
    page = (ROOT / "docs" / "seed-endpoints.md").read_text()
    aliases = [name for name, o in OPERATIONS if o.get("tags") == ["seed aliases"]]
    assert len(aliases) == 12
    for name in aliases:
        path = name.split()[1].partition("{")[0]
        assert re.search(rf"^\$ (api|curl) .*\$A{re.escape(path)}", page, re.MULTILINE), name
