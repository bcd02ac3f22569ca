-- Where a delivery went and what it said, without an address or a word of it, and what a conversion
-- was worth.

ALTER TABLE tocsin.deliveries $cluster
    ADD COLUMN IF NOT EXISTS destination LowCardinality(String)
        COMMENT 'a mailbox''s domain, a number''s first digits, a device''s platform',
    ADD COLUMN IF NOT EXISTS content_hash UInt32 CODEC(ZSTD(1)) COMMENT 'of the rendered text',
    ADD COLUMN IF NOT EXISTS data_hash UInt32 CODEC(ZSTD(1)) COMMENT 'of the variables';

ALTER TABLE tocsin.engagement $cluster
    ADD COLUMN IF NOT EXISTS reference String CODEC(ZSTD(1)) COMMENT 'an order, for instance',
    ADD COLUMN IF NOT EXISTS value Float64 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS currency LowCardinality(String);
