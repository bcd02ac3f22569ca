"""Tocsin and its sandbox as the replay sees them, in memory, strict about order.

It refuses whatever names an unknown customer, a second code within the cool-down, and batches past
the limit; `trouble` holds answers to give before the real ones, "lost" dropping the answer after
the work was done.
"""

from collections import defaultdict
from itertools import count
from typing import Any

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ReadError
from pyreqwest.middleware import Next
from pyreqwest.request import Request
from pyreqwest.response import Response, ResponseBuilder

from loadtest.people import person
from tocsin.records import InventoryChange

Said = tuple[int, Any]


class FakeTocsin:
    """`journal` is everything taken, in order, as (kind, what)."""

    retry_after: str | None = "0"

    def __init__(self) -> None:
        self.journal: list[tuple[str, Any]] = []
        self.users: dict[str, Any] = {}
        self.trouble: list[int | str] = []
        self.mute = False
        self._pending: dict[str, str] = {}
        self._challenges: dict[str, tuple[str, str]] = {}
        self._texts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._sequence = count(1)

    def client(self) -> Client:
        return ClientBuilder().with_middleware(self._handle).build()

    async def tell(self, changes: list[InventoryChange]) -> None:
        """Stands for a Stockroom."""
        self.journal += [("stock", change) for change in changes]

    def taken(self, kind: str) -> list[Any]:
        return [what for k, what in self.journal if k == kind]

    async def _handle(self, request: Request, _: Next) -> Response:
        trouble = self.trouble.pop(0) if self.trouble and request.method == "POST" else None
        if isinstance(trouble, int):
            return await ResponseBuilder().status(trouble).header("Retry-After", "0").build()
        body = bytes(request.body.copy_bytes() or b"") if request.body else b""
        query = dict(request.url.query_pairs)
        status, said = self._answer(request.url.path, msgspec.json.decode(body or b"{}"), query)
        if trouble == "lost":
            raise ReadError("connection reset", {"causes": None})
        built = ResponseBuilder().status(status).body_bytes(msgspec.json.encode(said))
        if status == 429 and self.retry_after is not None:
            built = built.header("Retry-After", self.retry_after)
        return await built.build()

    def _answer(self, path: str, body: Any, query: dict[str, str]) -> Said:
        if path.startswith("/sandbox/phones/"):
            return self._phone(path.rpartition("/")[2], int(query["after"]))
        if path == "/v1/otp":
            return self._otp(body["user_id"])
        if path == "/v1/otp/verify":
            return self._verify(body["challenge_id"], body["code"])
        name = path.removeprefix("/v1/").removesuffix(":batch")
        assert name in ("users", "subscriptions", "notifications")
        assert 1 <= len(body) <= 1_000
        if name == "subscriptions":
            assert query == {"allow_unknown_sku": "true"}
        results = [self._item(name, item) for item in body]
        return _noted(body, results) if name == "notifications" else (200, {"results": results})

    def _item(self, name: str, item: dict[str, Any]) -> dict[str, Any]:
        if name != "users" and item["user_id"] not in self.users:
            return {"status": 422, "detail": f"there is no user {item['user_id']}"}
        if name == "users":
            if item["user_id"] in self.users:
                return {"status": 409, "detail": "registered with other data"}
            self.users[item["user_id"]] = item
        self.journal.append((name, item))
        return {"status": 201}

    def _otp(self, user_id: str) -> Said:
        if user_id not in self.users:
            return 422, {"detail": f"there is no user {user_id}"}
        if user_id in self._pending:
            return 429, {"detail": "too soon"}
        number, code = str(person(user_id).phone), f"{next(self._sequence):06d}"
        challenge = self._pending[user_id] = f"challenge-{code}"
        self._challenges[challenge] = (user_id, code)
        self.journal.append(("otp", user_id))
        if not self.mute:
            self._text(number, "ORDER_UPDATE", "Shop, order 536365: your code of conduct")
            self._text(number, "OTP", f"{code} is your Shop code.")
        return 202, {"challenge_id": challenge}

    def _verify(self, challenge: str, code: str) -> Said:
        user_id, right = self._challenges.get(challenge, ("", ""))
        if not user_id or code != right:
            return 422, {"detail": "not the code"}
        del self._pending[user_id]
        self.journal.append(("verified", user_id))
        return 200, {"verified": True}

    def _text(self, number: str, kind: str, text: str) -> None:
        self._texts[number].insert(
            0, {"sequence": next(self._sequence), "type": kind, "text": text}
        )

    def _phone(self, number: str, after: int) -> Said:
        found = [message for message in self._texts[number] if message["sequence"] > after]
        return 200, {"messages": found, "last": found[0]["sequence"] if found else after}


def _noted(items: list[dict[str, Any]], results: list[dict[str, Any]]) -> Said:
    """Notifications have their own shape of answer."""
    ids = [
        item["notification_id"] if result["status"] == 201 else None
        for item, result in zip(items, results, strict=True)
    ]
    errors = [
        {"pointer": f"#/requests/{place}/user_id", "detail": result["detail"]}
        for place, result in enumerate(results)
        if result["status"] != 201
    ]
    if not any(ids):
        return 422, {"detail": "none can be taken", "errors": errors}
    return 202, {"accepted": 0, "rejected": 0, "notification_ids": ids, "errors": errors}
