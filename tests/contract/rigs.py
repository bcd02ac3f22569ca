"""Each provider with what its contract needs: addresses that behave, faults, and who got what."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from pyreqwest.client import Client, ClientBuilder
from redis.asyncio import Redis

from actors.message import Message
from actors.providers import Provider
from actors.providers.apns_token import ApnsToken
from actors.providers.email_smtp import EmailSmtp
from actors.providers.fake import FakeProvider
from actors.providers.fcm_token import service_credentials
from actors.providers.http import make_client
from actors.providers.push_apns import PushApns
from actors.providers.push_fcm import PushFcm
from actors.providers.sms_twilio import SmsTwilio
from tocsin.errors import Ambiguous, Transient
from tocsin.settings import Apns, Fcm, Smtp, Twilio


class Rig(Protocol):
    """A provider under test. `good` and `gone` are addresses; `received` counts a delivery."""

    good: str
    gone: str

    @property
    def provider(self) -> Provider: ...

    async def reset(self) -> None: ...

    async def overload(self) -> None: ...

    async def lose_answers(self) -> None: ...

    async def received(self, delivery_id: str) -> int: ...

    async def close(self) -> None: ...


class FakeRig:
    """The provider without a vendor."""

    good, gone = "good-address", "gone-address"

    def __init__(self) -> None:
        self.provider = FakeProvider()

    async def reset(self) -> None:
        self.provider.fault = None

    async def overload(self) -> None:
        self.provider.fault = lambda _: Transient("busy", "fake", 30.0)

    async def lose_answers(self) -> None:
        self.provider.fault = self._lost
        self.provider.accept_first = True

    @staticmethod
    def _lost(_: Message) -> Ambiguous:
        return Ambiguous("cut", "fake")

    async def received(self, delivery_id: str) -> int:
        return self.provider.times(delivery_id)

    async def close(self) -> None:
        await self.provider.close()


class Fault(NamedTuple):
    """How one vendor says that it is too much."""

    status: int
    reason: str | None = None
    retry_after: int | None = 86_400


ADDRESSES: Final = {
    "apns": ("ab" * 32, "deadbeef" + "0" * 56),
    "fcm": ("fmv5:APA91bHun4MxP5egoKMwt2KZFBaFUH", "unregistered:APA91bHun4MxP5egoKMw"),
    "twilio": ("+12025550123", "+15005550004"),
    "smtp": ("anna@example.com", "bounce@example.com"),
}
OVERLOAD: Final = {
    "apns": Fault(429, "TooManyRequests"),
    "fcm": Fault(429),
    "twilio": Fault(429, "20429"),
    "smtp": Fault(454, None, None),
}


class SandboxRig:
    """A real provider against the sandbox, which keeps books of its own."""

    def __init__(self, name: str, env: Mapping[str, str], redis: Redis) -> None:
        self.name, self._url = name, env["TOCSIN_SANDBOX_URL"]
        self.good, self.gone = ADDRESSES[name]
        self._http = make_client([Path(env["TOCSIN_APNS_CA_FILE"])])
        self._control: Client = ClientBuilder().build()
        self.provider: Provider = provider(name, env, redis, self._http)

    async def overload(self) -> None:
        fault = {k: v for k, v in OVERLOAD[self.name]._asdict().items() if v is not None}
        await self.fault(**fault)

    async def lose_answers(self) -> None:
        await self.fault(reset_after_accept=True)

    async def fault(self, **fault: Any) -> None:
        request = self._control.put(f"{self._url}/sandbox/faults")
        answer = await request.body_json({"provider": self.name} | fault).build().send()
        assert answer.status in (200, 204), await answer.text()

    async def journal(self) -> list[dict[str, Any]]:
        request = self._control.get(f"{self._url}/sandbox/journal?provider={self.name}")
        answer = await request.build().send()
        return list((await answer.json())["receipts"])

    async def received(self, delivery_id: str) -> int:
        return sum(r["delivery_id"] == delivery_id for r in await self.journal())

    async def reset(self) -> None:
        """No fault, an empty journal."""
        for path in ("faults", "journal"):
            answer = await self._control.delete(f"{self._url}/sandbox/{path}").build().send()
            assert answer.status in (200, 204)

    async def close(self) -> None:
        await self.reset()
        await self.provider.close()
        await self._http.close()
        await self._control.close()


def provider(name: str, env: Mapping[str, str], redis: Redis, client: Client) -> Provider:
    """One provider with the sandbox's own settings."""
    match name:
        case "apns":
            apns = Apns(**_group(env, "APNS"))
            assert apns.key_file
            token = ApnsToken(redis, apns.key_file, apns.key_id, apns.team_id)
            return PushApns(apns, client, token)
        case "fcm":
            fcm = Fcm(**_group(env, "FCM"))
            assert fcm.credentials_file
            return PushFcm(fcm, client, service_credentials(fcm.credentials_file))
        case "twilio":
            return SmsTwilio(Twilio(**_group(env, "TWILIO")), "http://127.0.0.1:8080", client)
        case _:
            return EmailSmtp(Smtp(**_group(env, "SMTP")), timeout=30)


def _group(env: Mapping[str, str], group: str) -> Any:
    prefix = f"TOCSIN_{group}_"
    return {k.removeprefix(prefix).lower(): v for k, v in env.items() if k.startswith(prefix)}
