"""The HTTP face of the sandbox: routes a request to a provider's judge or to the control routes."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from random import random
from typing import Any, Final, NamedTuple, Protocol

from loadtest.sandbox import apns, fcm, oauth, twilio
from loadtest.sandbox.control import Control, Reply, problem
from loadtest.sandbox.cut import cut
from loadtest.sandbox.faults import Fault, FaultBoard
from loadtest.sandbox.journal import Journal
from loadtest.sandbox.phones import Phones
from loadtest.sandbox.verdict import Headers, Provider, Receipt, Verdict

MAX_REQUEST: Final = 1_000_000
_log = logging.getLogger(__name__)

Judge = Callable[[str, str, Headers, bytes, float], Verdict]


class Scope(Protocol):
    """What RSGI says of a request."""

    http_version: str
    client: str
    method: str
    path: str
    query_string: str
    headers: Headers


class Side(NamedTuple):
    """One provider: where its paths begin, how it judges, and how it fails on demand."""

    provider: Provider
    prefix: str
    judge: Judge
    faulted: Callable[[Fault, float], Verdict]


class Sandbox:
    """What the listeners share. `sides` are tried in order, the busiest first."""

    def __init__(
        self, journal: Journal, faults: FaultBoard, phones: Phones, control: Control,
        token_endpoint: oauth.OAuth, sides: list[Side],
    ) -> None:  # fmt: skip
        self._journal, self._faults, self._phones = journal, faults, phones
        self._control, self._oauth, self._sides = control, token_endpoint, sides

    def listener(self, tls: bool) -> "Listener":
        """The RSGI application of one port: APNs on the TLS one only, control on the plain one."""
        wanted = [side for side in self._sides if tls or side.provider != "apns"]
        return Listener(self, wanted, None if tls else self._control)

    async def provide(self, scope: Scope, proto: Any, side: Side) -> None:
        """One provider request."""
        body = await proto()
        at = time.time()
        fault = self._faults.draw(side.provider, at, random())
        if fault is not None and fault.status:
            verdict = side.faulted(fault, at)
        else:
            verdict = side.judge(scope.method, scope.path, scope.headers, body, at)
        self._book(side.provider, verdict, at)
        if fault is not None:
            await self._misbehave(fault, scope, verdict)
        proto.response_bytes(verdict.status, verdict.headers, verdict.body)

    def _book(self, provider: Provider, verdict: Verdict, at: float) -> None:
        if verdict.receipt is not None:
            sequence = self._journal.accept(verdict.receipt, at)
            if provider == "twilio":
                self._phones.arrived(verdict.receipt.recipient, sequence)
        elif verdict.reason:
            self._journal.reject(provider, verdict.reason)

    async def _misbehave(self, fault: Fault, scope: Scope, verdict: Verdict) -> None:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.reset_after_accept and isinstance(verdict.receipt, Receipt):
            cut(scope.client)

    async def grant(self, scope: Scope, proto: Any) -> None:
        """One request to the OAuth token endpoint."""
        verdict = self._oauth.grant(scope.method, await proto(), time.time())
        proto.response_bytes(verdict.status, verdict.headers, verdict.body)


class Listener:
    """The RSGI application of one port."""

    def __init__(self, sandbox: Sandbox, sides: list[Side], control: Control | None) -> None:
        self._sandbox, self._sides, self._control = sandbox, sides, control

    async def __rsgi__(self, scope: Scope, proto: Any) -> None:
        try:
            await self._serve(scope, proto)
        except Exception:
            _log.exception("%s %s failed", scope.method, scope.path)
            proto.response_empty(500, [])

    async def _serve(self, scope: Scope, proto: Any) -> None:
        path = scope.path
        if int(scope.headers.get("content-length") or 0) > MAX_REQUEST:
            detail = f"at most {MAX_REQUEST} bytes are taken"
            async for _ in proto:  # a client that is still sending would not see the answer
                pass
            await _reply(proto, problem(413, "Content too large", detail))
            return
        for side in self._sides:
            if path.startswith(side.prefix):
                if side.provider == "apns" and scope.http_version == "1.1":
                    # Apple speaks HTTP/2 only
                    proto.response_empty(426, [("upgrade", "h2")])
                    return
                await self._sandbox.provide(scope, proto, side)
                return
        if path == oauth.PATH:
            await self._sandbox.grant(scope, proto)
        elif self._control is not None:
            query = scope.query_string
            await _reply(
                proto, await self._control.handle(scope.method, path, query, await proto())
            )
        else:
            await _reply(proto, problem(404, "Not found", f"there is no {path} on this port"))


async def _reply(proto: Any, reply: Reply) -> None:
    if reply.stream is None:
        proto.response_bytes(reply.status, reply.headers, reply.body)
        return
    transport = proto.response_stream(reply.status, reply.headers)
    async for chunk in reply.stream:
        await transport.send_bytes(chunk)


def sides(judges: Mapping[str, Judge]) -> list[Side]:
    """The HTTP providers, by how often they are called."""
    return [
        Side("apns", apns.PATH, judges["apns"], apns.faulted),
        Side("fcm", fcm.PATH, judges["fcm"], fcm.faulted),
        Side("twilio", twilio.PATH, judges["twilio"], twilio.faulted),
    ]
