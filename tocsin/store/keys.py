"""Every key there is, in one place. `{...}` in a key is a cluster hash tag: those share a slot."""

STORE_READY = "store:ready"
"""string: since when this store holds the view of the log, whole. Not there: it was emptied."""

STORE_REBUILD = "store:rebuild"
"""string: the token of the rebuild at work, a lease."""

STORE_ERASED = "store:erased"
"""set: who was erased while a rebuild was at work; it may have read of them before."""


def profile(user_id: str) -> str:
    """string: the Profile as JSON."""
    return f"user:{user_id}"


def seen(notification_id: str) -> str:
    """string: topic position that first brought this notification (dedupe)."""
    return f"seen:{notification_id}"


def dedupe(user_id: str, kind: str, key: str) -> str:
    """string: notification id that holds this (user, type, dedupe key) for the window."""
    return f"dedupe:{user_id}:{kind}:{key}"


def claim(delivery_id: str) -> str:
    """string: where a delivery is: claimed, to be retried, or ended (store/claims.py)."""
    return f"sent:{delivery_id}"


def stock(sku: str) -> str:
    """hash: available, version, at (ms), sequence (events so far); restored, if by a rebuild."""
    return f"stock:{{{sku}}}"


def stock_events(sku: str) -> str:
    """sorted set: recent event ids by arrival, so that a repeated delta counts once."""
    return f"stock:{{{sku}}}:events"


def shadow_stock(token: str, sku: str) -> str:
    """hash: as `stock`, worked out by a rebuild; `:events`, `:waiting` and `:firing` go with it."""
    return f"rebuild:{token}:{{{sku}}}"


SHADOWS = "rebuild:*"
"""pattern: what rebuilds work on, and one that died left behind."""


def waiting(sku: str) -> str:
    """sorted set: subscription ids by sign-up time (ms), first come first told."""
    return f"waiting:{{{sku}}}"


def firing(sku: str) -> str:
    """hash: subscription id to the event that fires it, until the request is in Kafka."""
    return f"firing:{{{sku}}}"


def subscription(subscription_id: str) -> str:
    """string: the Subscription as JSON."""
    return f"sub:{subscription_id}"


def user_subscriptions(user_id: str) -> str:
    """set: a person's subscription ids."""
    return f"user:{user_id}:subs"


def inbox(user_id: str) -> str:
    """sorted set: notification ids by offset, half an offset more once read."""
    return f"inbox:{{{user_id}}}"


def inbox_items(user_id: str) -> str:
    """hash: notification id to the item as JSON; empty once the person deleted it."""
    return f"inbox:{{{user_id}}}:items"


def inbox_meta(user_id: str) -> str:
    """hash: epoch, next (newest offset), floor (newest offset dropped), unread."""
    return f"inbox:{{{user_id}}}:meta"


INBOX_READ = "inbox:read"
"""pub/sub channel: `{user_id, ids, unread}` whenever a person's items became read."""


def idempotency(caller: str, key: str) -> str:
    """string: the fingerprint of the request this Idempotency-Key came with, then its answer."""
    return f"idempotency:{caller}:{key}"


def bucket(name: str) -> str:
    """hash: tokens, last (token bucket)."""
    return f"bucket:{name}"


def provider_token(provider: str, key_id: str) -> str:
    """string: a provider's bearer token, minted once for the whole fleet."""
    return f"provider:{provider}:{key_id}"


def ticket(ticket_id: str) -> str:
    """string: the user a WebSocket ticket admits; read once."""
    return f"ticket:{ticket_id}"


def otp_code(account: str, purpose: str) -> str:
    """hash: the one live OTP code of an account and purpose, both as MACs (store/otp.py)."""
    return f"otp:{{{account}}}:{purpose}"


def otp_sends(account: str, purpose: str) -> str:
    """list: when codes were made (ms) since the last successful verification."""
    return f"otp:{{{account}}}:{purpose}:sends"


def otp_failures(account: str) -> str:
    """string: wrong codes in a row, over all purposes; at the limit the account is locked."""
    return f"otp:{{{account}}}:failures"


SHARDS = "shards"
"""sorted set: shard id by lease end (ms)."""


def shard_users(shard: str) -> str:
    """set: users with a socket on this shard."""
    return f"shard:{shard}:users"


def otp_of(account: str) -> str:
    """pattern: every key of an account's one-time codes."""
    return f"otp:{{{account}}}:*"


def personal(user_id: str) -> tuple[str, ...]:
    """Patterns of keys that name a person and that nothing lists: only a scan finds them."""
    name = _literal(user_id)
    return f"dedupe:{name}:*", f"cap:{{{name}}}:*"


def _literal(text: str) -> str:
    """`text` in a pattern, where some characters would stand for others."""
    return "".join(f"\\{c}" if c in "*?[]\\" else c for c in text)
