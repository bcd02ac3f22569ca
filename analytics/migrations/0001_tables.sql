-- What the writer fills. Every table collapses a row that was written twice: the sorting key is
-- the row's identity, so a record read again from Kafka, or emitted again after a crash, counts once.
-- Ids made by Tocsin are ordered by time, so sorting by them is sorting by time, and they compress.
-- $replacing is ReplacingMergeTree here and ReplicatedReplacingMergeTree on a cluster; the window
-- makes a resent block with the same insert_deduplication_token disappear before it is written.

CREATE TABLE IF NOT EXISTS tocsin.requests $cluster
(
    notification_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    type LowCardinality(String),
    accepted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    due_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'accepted_at, or the later send_at',
    topic LowCardinality(String),
    partition UInt32 CODEC(ZSTD(1)),
    offset UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = $replacing
ORDER BY notification_id
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS tocsin.accepted $cluster
(
    delivery_id String CODEC(ZSTD(1)),
    notification_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    type LowCardinality(String),
    template_id LowCardinality(String),
    accepted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = $replacing
ORDER BY delivery_id
SETTINGS non_replicated_deduplication_window = 1000;

-- Two different ends of one delivery are two rows: that is drift, and must stay visible.
CREATE TABLE IF NOT EXISTS tocsin.deliveries $cluster
(
    delivery_id String CODEC(ZSTD(1)),
    notification_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    type LowCardinality(String),
    template_id LowCardinality(String),
    state LowCardinality(String),
    reason LowCardinality(String),
    provider LowCardinality(String),
    provider_message_id String CODEC(ZSTD(1)),
    attempt UInt16 CODEC(ZSTD(1)),
    accepted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 4
)
ENGINE = $replacing
ORDER BY (delivery_id, state)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS tocsin.engagement $cluster
(
    event_id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    notification_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    type LowCardinality(String),
    link String CODEC(ZSTD(1)),
    bot Bool,
    bot_reason LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = $replacing
ORDER BY (notification_id, kind, event_id)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS tocsin.inventory $cluster
(
    event_id String CODEC(ZSTD(1)),
    sku String CODEC(ZSTD(1)),
    product_id String CODEC(ZSTD(1)),
    location LowCardinality(String),
    available Nullable(Int64) CODEC(ZSTD(1)) COMMENT 'sellable stock after the change',
    delta Nullable(Int64) CODEC(ZSTD(1)) COMMENT 'or by how much it changed',
    version Nullable(Int64) CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = $replacing
ORDER BY (sku, occurred_at, event_id)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS tocsin.dead_letters $cluster
(
    topic LowCardinality(String),
    partition UInt32 CODEC(ZSTD(1)),
    offset UInt64 CODEC(Delta, ZSTD(1)),
    error LowCardinality(String),
    field String CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    payload_b64 String CODEC(ZSTD(3)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = $replacing
ORDER BY (topic, partition, offset, error, field, reason)
SETTINGS non_replicated_deduplication_window = 1000;

-- Which offsets the writer was about to insert as one block: written before the block is sent, so
-- that after a crash the same block is made again. One row per partition, the latest.
CREATE TABLE IF NOT EXISTS tocsin.writer_plans $cluster
(
    topic LowCardinality(String),
    partition UInt32,
    start UInt64,
    ranges String COMMENT 'every range of the block: partition:start-end,...',
    at DateTime64(6, 'UTC')
)
ENGINE = ${replacing}(at)
ORDER BY (topic, partition)
SETTINGS non_replicated_deduplication_window = 0;
