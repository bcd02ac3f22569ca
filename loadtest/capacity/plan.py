"""What a load needs: the model's answer, workload by workload."""

import msgspec

from loadtest.capacity.load import Load

RAY_CONNECTIONS, RAY_SENDERS, RAY_OTP = "connections", "senders", "otp"
"""Ray's worker groups, an actor a pod (k8s/base/ray.yaml)."""


class Pods(msgspec.Struct, frozen=True):
    """Pods of one workload. `cpu` (cores) and `memory` (bytes) are what each asks for."""

    workload: str
    least: int
    """As many as there always are."""
    peak: int
    """Needed at the peak, one that a lost node takes included."""
    most: int
    """What scaling up ends at; without any, `peak`."""
    cpu: float
    memory: int
    memory_limit: int
    because: str

    @property
    def always(self) -> bool:
        """Whether there are always as many."""
        return self.least == self.most


class Kafka(msgspec.Struct, frozen=True):
    """Bytes are of one broker; a second's at the peak."""

    brokers: int
    replication: int
    partitions: int
    a_partition_carries: float
    """Deliveries a second, by the processor of the one process that reads it."""
    per_delivery: float
    """Bytes of log a delivery makes, on all topics, once."""
    disk: int
    received: float
    sent: float
    cpu: float
    memory: int


class Valkey(msgspec.Struct, frozen=True):
    """`holds` bytes by family of keys; `memory` what to ask for."""

    holds: dict[str, int]
    memory: int
    memory_limit: int
    disk: int
    cpu: float


class ClickHouse(msgspec.Struct, frozen=True):
    """Bytes are of one replica."""

    replicas: int
    deliveries: int
    """The table that holds them, alone."""
    tables: int
    """All tables, for so many days as the load says."""
    rollups: int
    """13 months of them."""
    disk: int
    """What to ask for: free space and room for merges included."""
    received: float
    """Bytes a second at the peak, uncompressed."""
    cpu: float
    memory: int


class Providers(msgspec.Struct, frozen=True):
    """At the peak: calls and bytes of body a second, by channel."""

    calls: dict[str, float]
    bytes: dict[str, float]


class Plan(msgspec.Struct, frozen=True):
    """All of it. `cpu` at the peak by part (cores used, not asked for); `settings` are TOCSIN_
    settings that go with it; `warnings` what this system cannot do at that load."""

    load: Load
    cpu: dict[str, float]
    pods: list[Pods]
    kafka: Kafka
    valkey: Valkey
    clickhouse: ClickHouse
    providers: Providers
    settings: dict[str, str]
    warnings: list[str]

    def of(self, workload: str) -> Pods:
        """By name."""
        return next(each for each in self.pods if each.workload == workload)
