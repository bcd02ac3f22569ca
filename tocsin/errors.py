"""Every error Tocsin raises on purpose. The class is the policy; nothing matches on strings.

TocsinError
├── ConfigError             a setting is wrong; the process does not start
├── EngineUnavailable       an engine does not answer; says which, where, and what to do
│   └── StoreEmptied        Redis answers, but lost its view of the log: wait for a rebuild
├── Invalid                 the input is wrong: 422 at the API, a dead letter on Kafka
│   └── InvalidItem         ...of a batch whose other items are good
├── Refused                 a well-formed request that may not go ahead: 4xx at the API
└── SendError               what a provider said of one message
    ├── Transient           try again, not before retry_after
    │   └── ProviderDown    ...and it is the provider that fails: a 5xx, no connection
    ├── Ambiguous           the bytes left, no answer came: the class of message decides
    └── Permanent           never try again: a failed outcome
        └── AddressGone     ...and forget the address (a device token, a mailbox)
"""


class TocsinError(Exception):
    """The root of the tree; catching it catches nothing that is a bug."""


class ConfigError(TocsinError):
    """A setting is missing, unknown or malformed. The message names it in one line."""


class EngineUnavailable(TocsinError):
    """An engine (Kafka, Redis, ClickHouse, Ray) does not answer."""

    def __init__(self, engine: str, where: str, next_step: str) -> None:
        super().__init__(f"{engine} does not answer at {where}: {next_step}")
        self.engine, self.where, self.next_step = engine, where, next_step

    def __reduce__(self) -> tuple[type["EngineUnavailable"], tuple[str, ...]]:
        # it crosses process boundaries (Ray), and pickle would call it with its message alone
        return type(self), (self.engine, self.where, self.next_step)


class StoreEmptied(EngineUnavailable):
    """Redis was emptied: what it does not have, the log may have. Nothing is decided from that."""

    def __init__(self, next_step: str = "it was emptied; run `tocsin rebuild`") -> None:
        TocsinError.__init__(self, f"Redis does not hold the view of the log: {next_step}")
        self.engine, self.where, self.next_step = "Redis", "its view of the log", next_step

    def __reduce__(self) -> tuple[type["StoreEmptied"], tuple[str, ...]]:
        return type(self), (self.next_step,)


class Invalid(TocsinError):
    """Input that can never become right by waiting.

    `field` is a dotted path into the record (``requests[3].user_id``), empty when the whole
    value is at fault; `reason` is a sentence for the person who sent it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field, self.reason = field, reason


class InvalidItem(Invalid):
    """One wrong item of a batch; `payload` is that item as it came, without the others."""

    def __init__(self, field: str, reason: str, payload: bytes) -> None:
        super().__init__(field, reason)
        self.payload = payload


class Refused(TocsinError):
    """A well-formed request that may not go ahead now; `code` is a stable machine word."""

    def __init__(self, code: str, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.code, self.reason, self.retry_after = code, reason, retry_after


class SendError(TocsinError):
    """What a provider said of one message; `reason` is the provider's own word where it has one."""

    def __init__(self, reason: str, provider: str = "") -> None:
        super().__init__(f"{provider}: {reason}" if provider else reason)
        self.reason, self.provider = reason, provider


class Transient(SendError):
    """Try again; not before `retry_after` seconds (None: the policy's own backoff)."""

    def __init__(self, reason: str, provider: str = "", retry_after: float | None = None) -> None:
        super().__init__(reason, provider)
        self.retry_after = retry_after


class ProviderDown(Transient):
    """The provider itself fails, whatever the message: no connection, or a 5xx of its own."""


class Ambiguous(SendError):
    """The request left and no answer came back: it may or may not have been accepted."""


class Permanent(SendError):
    """Trying again cannot help."""


class AddressGone(Permanent):
    """The address is dead (APNs 410, FCM UNREGISTERED, a hard bounce): forget it."""
