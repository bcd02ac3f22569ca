"""Figures of the other benches and of the settings' defaults, each with where it comes from."""

from typing import Final

SOCKET_BYTES: Final = 13_080
"""Of a shard's memory a socket takes (loadtest.bench.sockets, 19,900 idle)."""

CONNECT_US: Final = 560.0
"""µs of a shard's CPU that making a connection takes (loadtest.bench.sockets)."""

SHARD_SOCKETS: Final = 20_000
"""TOCSIN_SHARD_CONNECTIONS: sockets a shard should hold."""

DELIVERIES_BYTES: Final = 35.1
"""Of ClickHouse's disk a row of `deliveries` takes, merged (loadtest.bench.storage, 5,000,000)."""

CLICKHOUSE_BYTES: Final = 100.3
"""…and all tables together, per delivery: requests, openings, decisions, receipts too."""

ROLLUP_BYTES: Final = 0.02
"""…of which rollups, which stay for 13 months."""

ROLLUP_DAYS: Final = 396

LOG_DAYS: Final = 7
"""For which Kafka keeps a record (tocsin/topics.py)."""

RECORD_OVERHEAD: Final = 80.0
"""Bytes a record by itself adds to its value: the batch's head (61), its own, and the key."""

INBOX_ITEMS: Final = 200
"""Items of an inbox at most (tocsin/store/inbox.py)."""

CALLS_AT_ONCE: Final = {"push": 128, "sms": 128, "email": 64}
"""Calls a sender has under way at most: 4 portions of 32 tasks (actors/sender.py); of email one for
each of TOCSIN_SMTP_CONNECTIONS, which the plan sets to this (the default is 8)."""

PROVIDER_SECONDS: Final = {"push": 0.1, "sms": 0.3, "email": 0.15}
"""For which a provider across the internet is taken to make a call wait; loopback hides that."""

RAY_POD_BYTES: Final = 370_000_000
"""Ray's own processes in a pod (design/field-notes.md, 2)."""

LOCUST_CALLS: Final = 400.0
"""Calls a second a Locust worker is given, at one core (its FastHttpUser does 500 and more)."""

SEED_BYTES: Final = 548e9
"""The seed documents' estimate of storage for 30 days: 1,027 B a notification and 108 B beside it
(issue 5), 16 million a day: 1,027 × 16 M × 30 = 493 GB, and 55 GB. The documents are not in the
repository; the sum is how we read them."""
SEED_EACH: Final = (1_027, 108)
