"""The catalogue of metrics: each with its kind, its labels and what it means.

Processes increment through the objects below; `docs` and tests read `CATALOGUE`.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter, Gauge, Histogram


class BatchHistogram(Histogram):
    """A histogram that takes a batch of values for about the price of one."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """As `observe` of each. A lock is taken per bucket, not per value."""
        counts = [0] * len(self._upper_bounds)
        for amount in amounts:
            counts[bisect_left(self._upper_bounds, amount)] += 1
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(sum(amounts))


_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LIVES: Final = (
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400,
)  # fmt: skip

CONSUMED = Counter("tocsin_consumed_records", "Kafka records consumed and acknowledged", ["topic"])
BATCH_SECONDS = Histogram(
    "tocsin_batch_seconds", "Work on one batch of records, start to durable", ["topic"],
    buckets=_SECONDS,
)  # fmt: skip
QUEUE_DEPTH = Gauge("tocsin_queue_batches", "Batches at work and not yet acknowledged", ["topic"])
DEAD_LETTERS = Counter("tocsin_dead_letters", "Records sent to notification.dead", ["topic"])
ROUTED = Counter("tocsin_routed_deliveries", "Deliveries handed to a channel", ["channel", "type"])
OUTCOMES = Counter("tocsin_outcomes", "Deliveries by how they ended", ["channel", "state"])
DELIVERY_SECONDS = BatchHistogram(
    "tocsin_delivery_seconds",
    "From acceptance to the end of what was given to a sender; the lane is otp, high, normal, low",
    ["channel", "lane"], buckets=_LIVES,
)  # fmt: skip
RETRIES = Counter("tocsin_retries", "Deliveries put off to a retry topic", ["channel"])
AMBIGUOUS = Counter("tocsin_ambiguous_sends", "Sends whose answer was lost", ["channel"])
SCHEDULE_WOKEN = Counter("tocsin_schedule_woken", "Scheduled entries handed on when due")
ENGAGED = Counter(
    "tocsin_engaged_items", "Reads, dismissals and acknowledgements put on record", ["kind"]
)
ENGAGED_WAITING = Gauge(
    "tocsin_engaged_waiting", "Entries on their way to the books; at 100,000 the oldest are dropped"
)
LINKS = Counter(
    "tocsin_link_events", "Clicks, opens and unsubscriptions; why, if by a machine",
    ["kind", "bot_reason"],
)  # fmt: skip
LINKS_LOST = Counter(
    "tocsin_link_events_lost",
    "Such events that Kafka did not take: the person was served",
    ["kind"],
)
PROVIDER_SECONDS = Histogram(
    "tocsin_provider_seconds", "One provider call", ["provider"], buckets=_SECONDS
)
PROVIDER_RESULTS = Counter(
    "tocsin_provider_results",
    "Attempts by what came of them: delivered, failed, retry",
    ["provider", "state"],
)
BREAKER_OPEN = Gauge(
    "tocsin_breaker_open", "1 while the breaker before this provider is not closed", ["provider"]
)
THROTTLED_SECONDS = Counter(
    "tocsin_throttled_seconds", "Time senders waited for the token bucket", ["channel"]
)
CONNECTIONS = Gauge("tocsin_ws_connections", "Open WebSockets on this shard", ["shard"])
SLOW_CLOSED = Counter(
    "tocsin_ws_slow_closed", "Sockets closed because they read too slowly", ["shard"]
)
ACCEPTS_REFUSED = Counter(
    "tocsin_ws_accepts_refused", "New sockets sent away because too many came at once", ["shard"]
)
CONNECTIONS_BOUND = Gauge(
    "tocsin_ws_connections_bound",
    "Sockets all shards there may be should hold, told by the process that makes them",
)
LAG = Gauge(
    "tocsin_lag_records", "Records a group has not finished, seen from outside", ["group", "topic"]
)
DONE = Gauge(
    "tocsin_group_position", "Sum of a group's committed offsets over partitions",
    ["group", "topic"],
)  # fmt: skip
ROWS = Counter("tocsin_rows_written", "Rows acknowledged by ClickHouse", ["table"])
SKIPPED = Counter(
    "tocsin_skipped_records", "Records the analytics writer could not read", ["topic"]
)
CLICKHOUSE_AWAY = Gauge(
    "tocsin_clickhouse_away", "1 while ClickHouse takes no rows and they wait in Kafka"
)
UNFINISHED = Gauge(
    "tocsin_unfinished_deliveries",
    "Deliveries accepted 1 to 3 hours ago that neither ended nor wait for a known time",
    ["channel"],
)
HTTP_REQUESTS = Counter("tocsin_http_requests", "API requests", ["route", "status"])
HTTP_SECONDS = Histogram("tocsin_http_seconds", "API request time", ["route"], buckets=_SECONDS)

CATALOGUE: Final = (
    CONSUMED, BATCH_SECONDS, QUEUE_DEPTH, DEAD_LETTERS, LAG, DONE, ROUTED, OUTCOMES,
    DELIVERY_SECONDS, RETRIES, AMBIGUOUS, SCHEDULE_WOKEN, ENGAGED, ENGAGED_WAITING,
    PROVIDER_SECONDS, PROVIDER_RESULTS, BREAKER_OPEN, THROTTLED_SECONDS, CONNECTIONS,
    CONNECTIONS_BOUND, SLOW_CLOSED, ACCEPTS_REFUSED, LINKS, LINKS_LOST, ROWS,
    SKIPPED, CLICKHOUSE_AWAY, UNFINISHED, HTTP_REQUESTS, HTTP_SECONDS,
)  # fmt: skip
