"""The catalogue of metrics: each with its kind, its labels and what it means.

Processes increment through the objects below; `docs` and tests read `CATALOGUE`.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

CONSUMED = Counter("tocsin_consumed_records", "Kafka records consumed and acknowledged", ["topic"])
BATCH_SECONDS = Histogram(
    "tocsin_batch_seconds", "Work on one batch of records, start to durable", ["topic"],
    buckets=_SECONDS,
)  # fmt: skip
QUEUE_DEPTH = Gauge("tocsin_queue_batches", "Batches at work and not yet acknowledged", ["topic"])
DEAD_LETTERS = Counter("tocsin_dead_letters", "Records sent to notification.dead", ["topic"])
ROUTED = Counter("tocsin_routed_deliveries", "Deliveries handed to a channel", ["channel", "type"])
OUTCOMES = Counter("tocsin_outcomes", "Deliveries by how they ended", ["channel", "state"])
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
ROWS = Counter("tocsin_rows_written", "Rows acknowledged by ClickHouse", ["table"])
SKIPPED = Counter(
    "tocsin_skipped_records", "Records the analytics writer could not read", ["topic"]
)
HTTP_REQUESTS = Counter("tocsin_http_requests", "API requests", ["route", "status"])
HTTP_SECONDS = Histogram("tocsin_http_seconds", "API request time", ["route"], buckets=_SECONDS)

CATALOGUE: Final = (
    CONSUMED, BATCH_SECONDS, QUEUE_DEPTH, DEAD_LETTERS, ROUTED, OUTCOMES, RETRIES, AMBIGUOUS,
    SCHEDULE_WOKEN, ENGAGED, ENGAGED_WAITING, LINKS, LINKS_LOST, PROVIDER_SECONDS,
    THROTTLED_SECONDS, CONNECTIONS, SLOW_CLOSED, ACCEPTS_REFUSED, ROWS, SKIPPED, HTTP_REQUESTS,
    HTTP_SECONDS,
)  # fmt: skip
