"""The lines that `collect` writes, beside the contract of a run's files (load/run_dir.py)."""

import msgspec


class Received(msgspec.Struct, frozen=True):
    """A line of `received.jsonl`: a receipt as the sandbox's journal has it (more fields come)."""

    sequence: int
    received_at: float
    provider: str
    recipient: str
    delivery_id: str
    type: str


class Ended(msgspec.Struct, frozen=True):
    """A line of `ended.jsonl`: how a delivery ended, as ClickHouse has it."""

    delivery_id: str
    user_id: str
    type: str
    state: str
    reason: str
    attempt: int
    at: float


class Wave(msgspec.Struct, frozen=True):
    """A line of `waves.jsonl`: whom a restock of which SKU told."""

    notification_id: str
    sku: str


class Collected(msgspec.Struct, frozen=True):
    """`collected.json`, written last: how many lines the three files have. `missed` receipts were
    dropped by the sandbox's full journal before they could be read."""

    received: int
    ended: int
    waves: int
    missed: int = 0
