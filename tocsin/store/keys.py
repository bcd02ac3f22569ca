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
    return f"dedupe:{{{user_id}}}:{kind}:{key}"


def collapse(user_id: str, kind: str, key: str) -> str:
    """string: notification id that holds this (user, type, collapse key) for its type's window."""
    return f"collapse:{{{user_id}}}:{kind}:{key}"


def claim(delivery_id: str) -> str:
    """string: where a delivery is: claimed, to be retried, or ended (store/claims.py)."""
    return f"sent:{delivery_id}"


def cancelled(notification_id: str) -> str:
    """string: there when a notification or broadcast was taken back (store/cancellations.py)."""
    return f"cancelled:{notification_id}"


def chosen(notification_id: str) -> str:
    """string: there since the API accepted a notification whose id is the caller's own."""
    return f"chosen:{notification_id}"


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
    return f"subs:{user_id}"


PEOPLE = "people"
"""sorted set: every user id, score 0, so that they are read in order from any one of them on."""


def followers(topic: str) -> str:
    """sorted set: the ids of those who follow a topic, score 0. Of '' the prefix of all such."""
    return f"topic:{topic}"


def broadcast(broadcast_id: str) -> str:
    """hash: place (of the record that brought it), page and page_place (the newest page begun),
    state, looked_at, told, people, started_at and ended_at (ms)."""
    return f"broadcast:{broadcast_id}"


def inbox(user_id: str) -> str:
    """sorted set: notification ids by offset, half an offset more once read, a quarter more if
    they ended unread."""
    return f"inbox:{{{user_id}}}"


def inbox_items(user_id: str) -> str:
    """hash: notification id to the item as JSON; empty once the person deleted it, or it ended."""
    return f"inbox:{{{user_id}}}:items"


def inbox_meta(user_id: str) -> str:
    """hash: epoch, next (newest offset), floor (newest offset dropped), unread, acked (offset),
    expires (ms; nothing ends before)."""
    return f"inbox:{{{user_id}}}:meta"


def inbox_expiry(user_id: str) -> str:
    """sorted set: the ids of those items that end, by when (ms)."""
    return f"inbox:{{{user_id}}}:expiry"


INBOX_CHANGED = "inbox:changed"
"""pub/sub channel: `{op, user_id, ids, unread}` whenever items became read, unread or deleted."""

ENGAGED = "engaged"
"""stream: what people read, dismissed and acknowledged and no topic has yet (lua/engaged.lua)."""

STOCK_CHANGED = "stock:changed"
"""pub/sub channel: `[[sku, available], …]` after a batch of stock changes, each SKU once."""

TEMPLATES = "{templates}"
"""hash: template id to the Template as JSON."""

TEMPLATE_REVISIONS = "{templates}:revisions"
"""hash: template id to its revision."""


def idempotency(caller: str, key: str) -> str:
    """string: the fingerprint of the request this Idempotency-Key came with, then its answer."""
    return f"idempotency:{caller}:{key}"


def bucket(name: str) -> str:
    """hash: tokens, last (token bucket)."""
    return f"bucket:{name}"


def provider_token(provider: str, key_id: str) -> str:
    """string: a provider's bearer token, minted once for the whole fleet."""
    return f"provider:{provider}:{key_id}"


OPS_PROVIDERS = "ops:providers"
"""hash: ``provider/process`` to how that process finds the provider now, as JSON."""


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


def cap(user_id: str, name: str) -> str:
    """sorted set: notification ids a person was told of under this cap, by when (ms)."""
    return f"cap:{{{user_id}}}:{name}"


def schedule(lane: str) -> str:
    """sorted set: schedule ids, and ``digest|`` + bucket for collected ones, by due time (ms)."""
    return f"{{schedule}}:due:{lane}"


def schedule_leased(lane: str) -> str:
    """sorted set: those a scheduler has taken, by when it is taken to have died (ms)."""
    return f"{{schedule}}:leased:{lane}"


SCHEDULE_ITEMS = "{schedule}:items"
"""hash: schedule id to the Deferred as JSON."""

SCHEDULE_BUCKETS = "{schedule}:buckets"
"""hash: schedule id to the digest bucket it was collected in."""


def digest_bucket(bucket: str) -> str:
    """hash: schedule id to the Deferred as JSON; under '' the key of `digest_open` it was under."""
    return f"{{schedule}}:digest:{bucket}"


def digest_open(user_id: str, category: str, channel: str) -> str:
    """string: the bucket that still collects for this person, category and channel."""
    return f"{{schedule}}:open:{user_id}:{category}:{channel}"


def user_scheduled(user_id: str) -> str:
    """set: a person's schedule ids."""
    return f"scheduled:{user_id}"


def otp_of(account: str) -> str:
    """pattern: every key of an account's one-time codes."""
    return f"otp:{{{account}}}:*"


def personal(user_id: str) -> tuple[str, ...]:
    """Patterns of keys that name a person and that nothing lists: only a scan finds them."""
    name = _literal(user_id)
    return f"dedupe:{{{name}}}:*", f"collapse:{{{name}}}:*", f"cap:{{{name}}}:*"


def _literal(text: str) -> str:
    """`text` in a pattern, where some characters would stand for others."""
    return "".join(f"\\{c}" if c in "*?[]\\" else c for c in text)
