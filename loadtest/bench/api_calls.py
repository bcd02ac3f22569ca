"""What the bench asks of the API, over one kept HTTP client."""

from collections.abc import Sequence
from typing import Any

from pyreqwest.client import Client, ClientBuilder

from tocsin.errors import EngineUnavailable
from tocsin.records import Profile, encode
from tocsin.settings import Settings
from tocsin.tokens import mint

_SCOPES = frozenset(
    {
        "users:write",
        "otp",
        "notifications:write",
        "stats:read",
        "subscriptions:write",
        "inventory:write",
    }
)
_USERS = 500


class ApiCalls:
    """A service's calls. Use as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.public_url
        token = mint(settings, subject="bench", kind="service", scopes=_SCOPES, seconds=7200)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._client: Client | None = None

    async def __aenter__(self) -> "ApiCalls":
        builder = ClientBuilder().default_headers(self._headers).follow_redirects(False)
        self._client = await builder.build().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._client
        await self._client.close()

    async def post(self, path: str, body: object) -> Any:
        """The JSON answer. Raises `EngineUnavailable` with the problem's detail on any error."""
        return await self._send("POST", path, body)

    async def put(self, path: str, body: object) -> Any:
        """As `post`."""
        return await self._send("PUT", path, body)

    async def follow(self, path: str) -> None:
        """A link somebody has; raises unless it redirects."""
        assert self._client
        answer = await self._client.get(self._url + path).build().send()
        if answer.status not in (302, 303, 307):
            raise EngineUnavailable("the API", path, f"it answered {answer.status}")

    async def _send(self, method: str, path: str, body: object) -> Any:
        assert self._client
        request = self._client.request(method, self._url + path).body_bytes(encode(body)).build()
        answer = await request.send()
        if answer.status >= 300:
            raise EngineUnavailable("the API", path, (await answer.text())[:300])
        return await answer.json()

    async def register(self, people: Sequence[Profile]) -> None:
        """Users with their devices, 500 a call."""
        for start in range(0, len(people), _USERS):
            users = [_user(profile) for profile in people[start : start + _USERS]]
            await self.post("/v1/users:batch", {"users": users})


def _user(profile: Profile) -> dict[str, object]:
    return {
        "user_id": profile.user_id,
        "email": profile.email,
        "phone": profile.phone,
        "name": profile.name,
        "devices": profile.devices,
    }
