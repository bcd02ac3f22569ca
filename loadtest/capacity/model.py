"""The capacity model: a load and measured costs in, a plan out. Pure.

One process of ours is one core, so what a process does is bounded by `1 - headroom` of a core less
what it uses idle; what must survive a node has one more than the peak needs, and two at least.
"""

from collections.abc import Mapping
from math import ceil

from loadtest.capacity import known
from loadtest.capacity.arrivals import counts
from loadtest.capacity.costs import Costs
from loadtest.capacity.drivers import BUSY, CHANNELS
from loadtest.capacity.engines import clickhouse, kafka, valkey
from loadtest.capacity.load import DAY_SECONDS, Load, checked
from loadtest.capacity.plan import RAY_CONNECTIONS, RAY_OTP, RAY_SENDERS, Plan, Pods, Providers
from loadtest.capacity.predict import active
from loadtest.capacity.rounding import MIB, cores, memory, up_to
from tocsin.settings import Rates

_LEAST_PARTITIONS = 12
_PARTITIONS_BY = 6
"""Shared out evenly over two or three of anything."""
_ROOM, _LEAST_MEMORY = 1.5, 256 * MIB
_BURST = 2
"""Memory: asked for over the most that was seen in minutes of load, and allowed over what is asked
for: a backlog of hours is more than the bench has."""


def plan(load: Load, costs: Costs) -> Plan:
    """Raises `Invalid` for a load that makes no sense."""
    return _Model(checked(load), costs).plan()


class _Model:
    def __init__(self, load: Load, costs: Costs) -> None:
        self._load, self._costs = load, costs
        self._partitions = self._enough_partitions()
        self._peak = self._counts(load.rate, load.peak, self._partitions)
        mean = load.per_day / DAY_SECONDS
        self._mean = self._counts(mean, 1, self._partitions)
        self._cap = 1 - load.headroom

    def _counts(self, rate: float, times: float, partitions: int) -> dict[str, float]:
        """What happens in a second."""
        flows = self._load.flows(rate)
        found = counts(flows, 1, partitions, self._costs.window)
        for name, daily in self._load.daily().items():
            found[name] = daily / DAY_SECONDS * times
        found[BUSY] = 1
        return found

    def _enough_partitions(self) -> int:
        """More partitions are more and smaller batches: so it is asked again with what came out."""
        partitions = _LEAST_PARTITIONS
        while partitions < (wanted := self._wanted(partitions)):
            partitions = wanted
        return partitions

    def _wanted(self, partitions: int) -> int:
        happened = self._counts(self._load.rate, self._load.peak, partitions)
        used = active(self._costs.parts["streams"], happened)
        spare = 1 - self._load.headroom - self._idle("streams")
        readers = ceil(used / spare)
        # twice as many: adding partitions later breaks the order of every user once
        return min(up_to(max(_LEAST_PARTITIONS, 2 * readers), _PARTITIONS_BY), 960)

    def _idle(self, part: str) -> float:
        """CPU seconds a second of one process."""
        found = self._costs.parts[part]
        return found.idle_cpu / found.processes

    def _used(self, part: str, happened: Mapping[str, float]) -> float:
        return active(self._costs.parts[part], happened)

    def _needed(self, part: str, happened: Mapping[str, float]) -> int:
        """Processes that carry it, none spare."""
        return max(1, ceil(self._used(part, happened) / max(0.05, self._cap - self._idle(part))))

    def _pods(
        self,
        workload: str,
        part: str,
        least: int,
        peak: int,
        most: int,
        because: str,
        extra: int = 0,
        shared: float | None = None,
    ) -> Pods:
        """`extra` bytes of a pod beside what the part was seen to use; `shared`: the CPU of one."""
        seen = self._costs.parts[part]
        held = seen.rss_loaded // seen.processes
        asked = memory(max(_LEAST_MEMORY, held * _ROOM) + extra)
        use = self._used(part, self._peak) / max(1, peak - 1) if shared is None else shared
        return Pods(
            workload, least, peak, most,
            cpu=cores((use + self._idle(part)) / self._cap),
            memory=asked, memory_limit=memory(_BURST * asked),
            because=because,
        )  # fmt: skip

    def plan(self) -> Plan:
        load, costs = self._load, self._costs
        senders = {channel: self._senders(channel) for channel in CHANNELS[:3]}
        pods = [
            self._api(), self._streams(), self._otp(), self._writer(), self._connections(),
            self._sender_pods(senders), self._otp_lane(), self._load_workers(),
        ]  # fmt: skip
        streams_each = self._used("streams", self._peak) / load.rate
        a_partition = (self._cap - self._idle("streams")) / streams_each
        cpu = {
            name: round(part.idle_cpu + active(part, self._peak), 3)
            for name, part in costs.parts.items()
            if name != "sandbox"
        }
        store = valkey(load, costs, cpu["valkey"])
        shards = next(each for each in pods if each.workload == RAY_CONNECTIONS).peak
        return Plan(
            load=load, cpu=cpu, pods=pods,
            kafka=kafka(load, costs, self._peak, self._partitions, round(a_partition)),
            valkey=store, clickhouse=clickhouse(load, costs, cpu["clickhouse"]),
            providers=self._providers(), settings=self._settings(senders, shards),
            warnings=self._warnings(cpu),
        )  # fmt: skip

    def _api(self) -> Pods:
        peak = self._needed("api", self._peak) + 1
        least = max(2, self._needed("api", self._mean) + 1)
        a_core = 1e6 * self._used("api", self._peak) / max(self._load.rate, 1)
        return self._pods(
            "tocsin-api", "api", least, peak, 2 * peak, f"{a_core:.0f} µs of CPU a delivery"
        )

    def _streams(self) -> Pods:
        peak = self._needed("streams", self._peak) + 1
        least = max(2, self._needed("streams", self._mean) + 1)
        each = 1e6 * self._used("streams", self._peak) / self._load.rate
        because = f"{each:.0f} µs of CPU a delivery; never more than partitions"
        return self._pods("tocsin-streams", "streams", least, peak, self._partitions, because)

    def _otp(self) -> Pods:
        peak = self._needed("otp worker", self._peak) + 1
        return self._pods(
            "tocsin-streams-otp", "otp worker", peak, peak, peak, "log-ins; never scaled away"
        )

    def _writer(self) -> Pods:
        peak = self._needed("writer", self._peak) + 1
        each = 1e6 * self._used("writer", self._peak) / self._load.rate
        because = f"{each:.0f} µs of CPU a delivery; one can carry on alone"
        return self._pods("tocsin-writer", "writer", peak, peak, peak, because)

    def _connections(self) -> Pods:
        """A shard a pod: by its sockets, or by what it pushes."""
        load = self._load
        by_sockets = ceil(load.sockets / known.SHARD_SOCKETS)
        peak = max(by_sockets, self._needed("shard", self._peak)) + 1
        # a lost shard's people come back to the others, and each brings its connects
        each = self._used("shard", self._peak) / max(1, peak - 1)
        coming = min(load.sockets, known.SHARD_SOCKETS) / 60 * known.CONNECT_US / 1e6
        sockets = known.SHARD_SOCKETS * known.SOCKET_BYTES + known.RAY_POD_BYTES
        because = f"{known.SHARD_SOCKETS:,} sockets each, {known.SOCKET_BYTES:,} B a socket"
        return self._pods(
            RAY_CONNECTIONS, "shard", peak, peak, peak, because, sockets, each + coming
        )

    def _senders(self, channel: str) -> int:
        """By the processor, and by calls under way: a provider makes each of them wait."""
        rate = self._peak[channel]
        calls = known.CALLS_AT_ONCE[channel] / known.PROVIDER_SECONDS[channel] * self._cap
        return max(self._needed(f"{channel} sender", self._peak), ceil(rate / calls)) + 1

    def _sender_pods(self, senders: Mapping[str, int]) -> Pods:
        """An actor a pod, of any channel: each as large as the largest needs."""
        channel = max(
            senders, key=lambda c: self._used(f"{c} sender", self._peak) / max(1, senders[c] - 1)
        )
        part = f"{channel} sender"
        each = self._used(part, self._peak) / max(1, senders[channel] - 1)
        count = sum(senders.values())
        named = " + ".join(f"{n} {name}" for name, n in senders.items())
        return self._pods(
            RAY_SENDERS, part, count, count, count, f"{named}: calls under way, and one spare each",
            known.RAY_POD_BYTES, each,
        )  # fmt: skip

    def _otp_lane(self) -> Pods:
        """One actor by design; the second pod is where it goes when its node is lost."""
        return self._pods(
            RAY_OTP, "otp lane", 2, 2, 2, "one actor, and where it goes", known.RAY_POD_BYTES
        )

    def _load_workers(self) -> Pods:
        calls = self._peak["rest"] + self._peak["batch calls"] + sum(
            daily / DAY_SECONDS * self._load.peak for daily in self._load.daily().values()
        )  # fmt: skip
        workers = max(2, ceil(calls / known.LOCUST_CALLS))
        return Pods(
            "tocsin-load-worker", workers, workers, workers, 1.0, memory(512e6), memory(1e9),
            f"{calls:,.0f} calls a second at the peak; only while a load is run",
        )  # fmt: skip

    def _providers(self) -> Providers:
        calls = {c: round(self._peak[c], 1) for c in CHANNELS[:3]}
        calls["sms"] = round(calls["sms"] + self._peak["otp"], 1)
        size = self._costs.provider
        return Providers(calls, {c: round(n * size.get(c, 0), 1) for c, n in calls.items()})

    def _settings(self, senders: Mapping[str, int], shards: int) -> dict[str, str]:
        calls = {c: self._peak[c] for c in CHANNELS[:3]} | {"otp": self._peak["otp"]}
        allowed = Rates()
        # the vendors' limits: raised where the peak needs it, and never lowered
        rates = {c: up_to(n / self._cap, 100) for c, n in calls.items()}
        raised = {c: n for c, n in rates.items() if n > getattr(allowed, c)}
        return {
            "TOCSIN_PARTITIONS": str(self._partitions),
            **{f"TOCSIN_{c.upper()}_SENDERS": str(n) for c, n in senders.items()},
            "TOCSIN_SHARDS": str(shards), "TOCSIN_SHARDS_MAX": str(shards),
            "TOCSIN_SMTP_CONNECTIONS": str(known.CALLS_AT_ONCE["email"]),
            **{f"TOCSIN_RATE_{c.upper()}": str(n) for c, n in raised.items()},
        }  # fmt: skip

    def _warnings(self, cpu: Mapping[str, float]) -> list[str]:
        found = []
        if cpu["valkey"] > self._cap:
            found.append(
                f"Valkey would use {cpu['valkey']:.1f} cores and has one: more batching, a lower "
                "peak, or a cluster"
            )
        most = self._wanted(self._partitions)
        if most > self._partitions or self._partitions >= 960:
            found.append("more partitions are needed than TOCSIN_PARTITIONS allows: split the shop")
        return found
