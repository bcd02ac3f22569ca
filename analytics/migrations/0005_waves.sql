-- Who was told by which restock: a row per person of a wave. `at` is when the restock agent asked for
-- it, the same for everyone of a wave; (at, sku) names the wave.
CREATE TABLE IF NOT EXISTS tocsin.waves $cluster
(
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sku String CODEC(ZSTD(1)),
    notification_id String CODEC(ZSTD(1)),
    available Int64 CODEC(ZSTD(1)) COMMENT 'sellable stock that they were told of'
)
ENGINE = $replacing
ORDER BY (at, sku, notification_id)
TTL toDateTime(at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 1000;

-- The requests about one person, without reading everybody's.
ALTER TABLE tocsin.requests $cluster
    ADD INDEX IF NOT EXISTS by_user user_id TYPE bloom_filter(0.01) GRANULARITY 4;
