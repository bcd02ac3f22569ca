-- Deliveries counted by minute, hour and day, as they are written. A row is a part of a count: add
-- up `deliveries`. What was written twice is counted twice by a view, which sees only what is being
-- inserted; the writer counts the hours that were touched again from the raw table, and adds the
-- difference, which may be negative (writer/recount.py). Receipts are not counted.

CREATE TABLE IF NOT EXISTS tocsin.deliveries_by_minute $cluster
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'start of the bucket in which it ended',
    channel LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    template_id LowCardinality(String) CODEC(ZSTD(1)),
    template_version UInt32 CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    state LowCardinality(String) CODEC(ZSTD(1)),
    deliveries Int64 CODEC(ZSTD(1))
)
ENGINE = ${summing}(deliveries)
ORDER BY (at, channel, type, template_id, template_version, provider, state)
TTL at + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS tocsin.deliveries_by_hour $cluster
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'start of the bucket in which it ended',
    channel LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    template_id LowCardinality(String) CODEC(ZSTD(1)),
    template_version UInt32 CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    state LowCardinality(String) CODEC(ZSTD(1)),
    deliveries Int64 CODEC(ZSTD(1))
)
ENGINE = ${summing}(deliveries)
ORDER BY (at, channel, type, template_id, template_version, provider, state)
TTL at + INTERVAL 13 MONTH
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS tocsin.deliveries_by_day $cluster
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'start of the bucket in which it ended',
    channel LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    template_id LowCardinality(String) CODEC(ZSTD(1)),
    template_version UInt32 CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    state LowCardinality(String) CODEC(ZSTD(1)),
    deliveries Int64 CODEC(ZSTD(1))
)
ENGINE = ${summing}(deliveries)
ORDER BY (at, channel, type, template_id, template_version, provider, state)
TTL at + INTERVAL 13 MONTH
SETTINGS non_replicated_deduplication_window = 1000;

-- Hours whose count may be wrong since: those of rows that were written, and the hour next to one
-- whose row is within five minutes of it (clocks differ, and the earlier of two rows stays).
CREATE TABLE IF NOT EXISTS tocsin.rollup_touches $cluster
(
    hour DateTime('UTC'),
    touched_at DateTime64(3, 'UTC')
)
ENGINE = ${replacing}(touched_at)
ORDER BY hour
TTL hour + INTERVAL 31 DAY
SETTINGS non_replicated_deduplication_window = 1000;

-- When an hour was last counted again, by the engine's clock as it began to.
CREATE TABLE IF NOT EXISTS tocsin.rollup_looks $cluster
(
    hour DateTime('UTC'),
    looked_at DateTime64(3, 'UTC')
)
ENGINE = ${replacing}(looked_at)
ORDER BY hour
TTL hour + INTERVAL 31 DAY
SETTINGS non_replicated_deduplication_window = 0;

DROP VIEW IF EXISTS tocsin.deliveries_into_minutes $cluster;

CREATE MATERIALIZED VIEW IF NOT EXISTS tocsin.deliveries_into_minutes $cluster
TO tocsin.deliveries_by_minute AS
SELECT toStartOfMinute(ended_at) AS at, channel, type, template_id, template_version, provider, state,
    count() AS deliveries
FROM
(
    SELECT channel, type, template_id, template_version, provider, state,
        toDateTime(least(greatest(at, toDateTime64(0, 3, 'UTC')),
            toDateTime64('2100-01-01', 3, 'UTC')), 'UTC') AS ended_at
    FROM tocsin.deliveries
    WHERE state != 'acked'
)
GROUP BY at, channel, type, template_id, template_version, provider, state;

DROP VIEW IF EXISTS tocsin.deliveries_into_hours $cluster;

CREATE MATERIALIZED VIEW IF NOT EXISTS tocsin.deliveries_into_hours $cluster
TO tocsin.deliveries_by_hour AS
SELECT toStartOfHour(ended_at) AS at, channel, type, template_id, template_version, provider, state,
    count() AS deliveries
FROM
(
    SELECT channel, type, template_id, template_version, provider, state,
        toDateTime(least(greatest(at, toDateTime64(0, 3, 'UTC')),
            toDateTime64('2100-01-01', 3, 'UTC')), 'UTC') AS ended_at
    FROM tocsin.deliveries
    WHERE state != 'acked'
)
GROUP BY at, channel, type, template_id, template_version, provider, state;

DROP VIEW IF EXISTS tocsin.deliveries_into_days $cluster;

CREATE MATERIALIZED VIEW IF NOT EXISTS tocsin.deliveries_into_days $cluster
TO tocsin.deliveries_by_day AS
SELECT toStartOfDay(ended_at) AS at, channel, type, template_id, template_version, provider, state,
    count() AS deliveries
FROM
(
    SELECT channel, type, template_id, template_version, provider, state,
        toDateTime(least(greatest(at, toDateTime64(0, 3, 'UTC')),
            toDateTime64('2100-01-01', 3, 'UTC')), 'UTC') AS ended_at
    FROM tocsin.deliveries
    WHERE state != 'acked'
)
GROUP BY at, channel, type, template_id, template_version, provider, state;

DROP VIEW IF EXISTS tocsin.deliveries_touch_hours $cluster;

CREATE MATERIALIZED VIEW IF NOT EXISTS tocsin.deliveries_touch_hours $cluster
TO tocsin.rollup_touches AS
SELECT hour, now64(3, 'UTC') AS touched_at
FROM
(
    SELECT toStartOfHour(toDateTime(near, 'UTC')) AS hour
    FROM tocsin.deliveries
    ARRAY JOIN [at - INTERVAL 5 MINUTE, at + INTERVAL 5 MINUTE] AS near
    WHERE state != 'acked' AND at >= now('UTC') - INTERVAL 30 DAY AND at < now('UTC') + INTERVAL 1 DAY
)
GROUP BY hour;

-- What is there already is counted by the writer's first looks.
INSERT INTO tocsin.rollup_touches (hour, touched_at)
SELECT DISTINCT toStartOfHour(toDateTime(at, 'UTC')), now64(3, 'UTC')
FROM tocsin.deliveries
WHERE state != 'acked' AND at >= now('UTC') - INTERVAL 30 DAY AND at < now('UTC') + INTERVAL 1 DAY;
