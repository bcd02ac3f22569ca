"""The Ray edge: named actors that outlive their callers, and calls that outlive the actors' deaths.

The only module that knows Ray. What the actors do is in plain classes: sender.py, otp_lane.py,
shard.py.
"""

import asyncio
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
import ray
from ray.exceptions import ActorDiedError, AuthenticationError, RayError, RayTaskError
from ray.util import list_named_actors
from redis.exceptions import RedisError

from actors.otp_lane import OtpLane
from actors.sender import Sender
from actors.shard import ConnectionShard
from tocsin import logs
from tocsin.errors import EngineUnavailable
from tocsin.observability.exporter import Exporter
from tocsin.observability.progress import beat, in_other_hands
from tocsin.process import collect_rarely, step_back
from tocsin.records import Channel, Delivery, DeliveryBatch, OtpChallenge, encode
from tocsin.settings import Settings
from tocsin.store import SendResult

log = logging.getLogger(__name__)

NAMESPACE: Final = "tocsin"
OTP_LANE: Final = "otp-lane"
CONNECT_SECONDS: Final = 90.0

_OPTIONS: Final[Mapping[str, Any]] = {
    "lifetime": "detached",
    "get_if_exists": True,
    "namespace": NAMESPACE,
    "max_restarts": -1,
    # a call may have run or not when its actor dies: only we can tell, by the claims
    "max_task_retries": 0,
    # they wait far more than they compute, and Ray must not refuse one for want of a core
    "num_cpus": 0,
}
_PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_PATIENCE: Final = 3
"""Tries before it is asked whether the whole cluster is another."""

_CALLS_AT_ONCE: Final = 64
_SHARD: Final = re.compile(r"shard-\d+")

Living = Callable[[], Awaitable[Sequence[str]]]
"""The names of the shards that are there now. Raises what Redis raises."""

_decode = msgspec.json.Decoder(list[SendResult]).decode


class Shard(ConnectionShard):
    """The shard as an actor: its peers are the other actors."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._exporter = _seen(settings, name)
        self._leaving = False
        super().__init__(settings, name, peers=_publish)

    async def facts(self) -> dict[str, Any]:
        """`start`, then its port and process, how many sockets it has, and whether it takes more.

        It does not when whoever drained it died before ending it: then close it, and ask again.
        """
        port = await self.start()
        self._exporter.start()
        connections, serving = self.load()
        return {
            "ws": port, "pid": os.getpid(), "connections": connections, "serving": serving,
            "leaving": self._leaving, "node": ray.get_runtime_context().get_node_id(),
        }  # fmt: skip

    async def leave(self, seconds: float) -> None:
        """As `drain`, because its node is going away: whoever keeps it leaves it alone until it is
        made again somewhere else. Deliveries go on meanwhile."""
        self._leaving = True
        await self.drain(seconds)

    async def close(self) -> None:
        """`stop`, as every actor's end is called. Its metrics end with it."""
        await self.stop()
        self._exporter.withdraw()


class BulkSender(Sender):
    """The sender as an actor: it steps back when log-ins want the processor."""

    def __init__(self, settings: Settings, channel: Channel, name: str) -> None:
        step_back()
        self._exporter = _seen(settings, name)
        super().__init__(settings, channel, name)
        collect_rarely()

    async def facts(self) -> dict[str, Any]:
        """As the sender's, with its metrics served."""
        self._exporter.start()
        return await super().facts()

    async def close(self) -> None:
        """As the sender's. Its metrics end with it."""
        await super().close()
        self._exporter.withdraw()


class FastLane(OtpLane):
    """The lane as an actor."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._exporter = _seen(settings, name)
        super().__init__(settings, name)
        collect_rarely()

    async def facts(self) -> dict[str, Any]:
        """As the lane's, with its metrics served."""
        self._exporter.start()
        return await super().facts()

    async def close(self) -> None:
        """As the lane's. Its metrics end with it."""
        await super().close()
        self._exporter.withdraw()


class _Seen(Exporter):
    """Told of by `facts`, in the actor's loop, which from then on has to move."""

    _beating: "asyncio.Task[None] | None" = None

    def start(self) -> None:
        super().start()
        if self._beating is None:
            self._beating = asyncio.create_task(beat())


def _seen(settings: Settings, name: str) -> Exporter:
    """An actor is a process like any other: it logs as they do, and has metrics of its own."""
    logs.to_stdout(settings, name)
    return _Seen(settings, name)


async def _publish(shard: str, payload: bytes) -> bytes:
    """Call `publish` of another shard."""
    handle = await asyncio.to_thread(ray.get_actor, shard, NAMESPACE)
    answer: bytes = await handle.publish.remote(payload)
    return answer


def names(settings: Settings) -> dict[Channel, list[str]]:
    """Every actor of every channel, in the order `partition % n` counts."""
    return {
        Channel.PUSH: [f"sender-push-{i}" for i in range(settings.push_senders)],
        Channel.SMS: [f"sender-sms-{i}" for i in range(settings.sms_senders)],
        Channel.EMAIL: [f"sender-email-{i}" for i in range(settings.email_senders)],
        Channel.INAPP: [f"shard-{i}" for i in range(settings.shards)],
    }


def create(settings: Settings) -> dict[str, Any]:
    """Every actor there is to be, made or found: name → handle. Shards that an earlier supervisor
    made beside them are found, too. Blocks for some seconds."""
    made: dict[str, Any] = {OTP_LANE: _made(FastLane, OTP_LANE, settings, OTP_LANE)}
    for channel, pool in names(settings).items():
        for name in pool:
            if channel is Channel.INAPP:
                made[name] = create_shard(settings, name)
            else:
                made[name] = _made(BulkSender, name, settings, channel, name)
    for name in list_named_actors():
        if name not in made and _SHARD.fullmatch(name):
            made[name] = create_shard(settings, name)
    return made


def create_shard(settings: Settings, name: str) -> Any:
    """A shard, made or found. Blocks."""
    return _made(Shard, name, settings, name)


GROUPS: Final[Mapping[type, str]] = {
    Shard: "tocsin_connections", BulkSender: "tocsin_senders", FastLane: "tocsin_otp",
}  # fmt: skip
"""The Ray resource of each kind's nodes (TOCSIN_ACTOR_GROUPS): an actor takes one of it."""


def placed(settings: Settings, kind: type) -> dict[str, Any]:
    """Where Ray may put such an actor: anywhere, or on a node of its group that has room."""
    return {"resources": {GROUPS[kind]: 1}} if settings.actor_groups else {}


def _made(kind: type, name: str, settings: Settings, *args: Any) -> Any:
    options = {**_OPTIONS, **placed(settings, kind), "name": name}
    options["max_concurrency"] = _CALLS_AT_ONCE
    return ray.remote(kind).options(**options).remote(settings, *args)


async def connect(settings: Settings) -> None:
    """Join the Ray cluster as a driver; nothing if it is joined. Raises `EngineUnavailable` after
    CONNECT_SECONDS."""
    if ray.is_initialized():
        return
    end = time.monotonic() + CONNECT_SECONDS
    while not await _accepts(settings.ray_address):
        if time.monotonic() > end:
            raise _unavailable(settings)
        await asyncio.sleep(0.1)
    while not ray.is_initialized():
        try:
            await asyncio.to_thread(_init, settings.ray_address)
        except (ConnectionError, RuntimeError, RayError) as error:
            if time.monotonic() > end:
                raise _unavailable(settings) from error
            await asyncio.sleep(0.5)
    _take_signals_back()


def _take_signals_back() -> None:
    """Ray's core puts its own handler under Python's, which prints a stack and ends the process;
    setting Python's handlers again puts them back on top. Only the main thread can."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            if (handler := signal.getsignal(number)) is not None:
                signal.signal(number, handler)


def _init(address: str) -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray.init(
        address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR,
        configure_logging=False,
    )  # fmt: skip


async def _accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host or "127.0.0.1", int(port))
    except OSError:
        return False
    writer.close()
    return True


def _unavailable(settings: Settings) -> EngineUnavailable:
    hint = "start it, or set TOCSIN_RAY_ADDRESS; both ends need the same RAY_AUTH_MODE and token"
    return EngineUnavailable("Ray", settings.ray_address, hint)


class Pools:
    """The actors of every channel, as their callers see them."""

    def __init__(self, settings: Settings, living: Living | None = None) -> None:
        self._settings, self._names = settings, names(settings)
        self._living = living
        self._handles: dict[str, Any] = {}
        self._joining = asyncio.Lock()

    @classmethod
    async def connect(cls, settings: Settings, living: Living | None = None) -> "Pools":
        """Pools on the running cluster. Without `living` a broadcast reaches the base shards only.
        Raises `EngineUnavailable` where there is none."""
        await connect(settings)
        return cls(settings, living)

    def actor(self, channel: Channel, partition: int) -> int:
        """Which actor of a channel a partition's deliveries go to: partitions of the same one can
        share a call."""
        return partition % len(self._names[channel])

    async def send(
        self, channel: Channel, partition: int, deliveries: Sequence[Delivery]
    ) -> list[SendResult]:
        """One result per delivery, in their order. A partition stays with one actor.

        Waits for as long as the actor (or its store) is away, and then asks again: the claims
        make that safe. What it raises is a bug.
        """
        name = self._names[channel][self.actor(channel, partition)]
        method = "deliver" if channel is Channel.INAPP else "send"
        batch = encode(DeliveryBatch(list(deliveries)))
        return _decode(await self._call(name, method, batch))

    async def send_otp(self, challenges: Sequence[OtpChallenge]) -> list[SendResult]:
        """One result per challenge, in their order; waits as `send` does."""
        return _decode(await self._call(OTP_LANE, "send", encode(list(challenges))))

    async def broadcast(self, audience: str, frame: bytes) -> int:
        """Send one frame to an audience's sockets; how many got it. A shard that is away is passed
        over: a broadcast is news, not a record."""
        shards = await self._shards()
        calls = [self._once(name, "broadcast", audience, frame) for name in shards]
        told = await asyncio.gather(*calls, return_exceptions=True)
        return sum(answer for answer in told if isinstance(answer, int))

    async def _shards(self) -> list[str]:
        """The base ones, and those made beside them."""
        base, more = self._names[Channel.INAPP], list[str]()
        if self._living:
            try:
                more = [name for name in await self._living() if name not in base]
            except RedisError as error:
                log.warning("shards beyond the base are not known: %s", error)
        return [*base, *more]

    async def _call(self, name: str, method: str, payload: bytes) -> bytes:
        with in_other_hands():
            return await self._insist(name, method, payload)

    async def _insist(self, name: str, method: str, payload: bytes) -> bytes:
        tries = 0
        while True:
            try:
                answer: bytes = await self._once(name, method, payload)
            except (RayError, RedisError, EngineUnavailable, ValueError) as error:
                if not passes(error):
                    raise
                if tries == 0:
                    log.warning("%s is away (%s), waiting for it", name, type(error).__name__)
                if tries >= _PATIENCE:
                    with suppress(EngineUnavailable):
                        await self._join_anew()
                await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
                tries += 1
            else:
                if tries:
                    log.warning("%s is back", name)
                return answer

    async def _join_anew(self) -> None:
        """If another cluster answers at the address, leave the one that is gone and join that one.

        Handles and `get_actor` are answered from a cache; the list of names is not.
        """
        async with self._joining:
            try:
                await asyncio.to_thread(list_named_actors)
            except AuthenticationError:
                log.warning("the Ray cluster was replaced; joining the new one")
                self._handles.clear()
                await asyncio.to_thread(ray.shutdown)
                await connect(self._settings)
            except RayError as error:
                log.debug("Ray does not answer: %s", error)

    async def _once(self, name: str, method: str, *args: Any) -> Any:
        handle = self._handles.get(name)
        if handle is None:
            async with self._joining:
                # else Ray would start a cluster of its own for whoever asks
                await connect(self._settings)
            handle = await asyncio.to_thread(ray.get_actor, name, NAMESPACE)
            self._handles[name] = handle
        try:
            return await getattr(handle, method).remote(*args)
        except ActorDiedError:
            # for good; one of the same name may come
            self._handles.pop(name, None)
            raise


def passes(error: Exception) -> bool:
    """Whether waiting can help: the actor is not there (yet, or just now), or it misses its store.
    Anything else that its code raised is a bug, and would be raised for ever."""
    if isinstance(error, RayTaskError):
        return isinstance(error.cause, (RedisError, EngineUnavailable))
    return True
