-- What the files of a run become. Ids are 64-bit hashes: two of 50 million meet once in 10,000 runs,
-- and everything is joined, sorted and grouped by them. A delivery is (note, channel): its
-- notification and how it goes. Everything large is sorted by that on disk, so that grouping it needs
-- no memory.

CREATE TABLE types (type String, channels Array(String), lifetime Float64, marketing UInt8)
ENGINE = Memory;

CREATE TABLE asked
(
    kind LowCardinality(String),
    cut UInt8 COMMENT 'a line that a kill had cut, or cut the one before',
    foreign UInt8 COMMENT 'no line of a history at all',
    began Float64,
    ended Float64,
    sure UInt8 COMMENT '3 accepted, 2 unknown, 1 refused',
    id String,
    user UInt64,
    type LowCardinality(String),
    channels Array(LowCardinality(String)),
    priority LowCardinality(String),
    sku UInt64,
    expires_at Float64,
    quiet_from Float64,
    quiet_until Float64,
    available Int64
)
ENGINE = MergeTree ORDER BY kind;

-- address: of a way (push, sms, email) and what is written on it; pair: of a user and an address.
CREATE TABLE addresses (user UInt64, way LowCardinality(String), pair UInt64)
ENGINE = MergeTree ORDER BY pair;

-- part 1: asked for. part 2: received. part 3: ended. part 4: received before the run, and no part of
-- it.
CREATE TABLE facts
(
    note UInt64,
    channel LowCardinality(String),
    part UInt8,
    name String,
    sure UInt8,
    sign_up UInt8,
    user UInt64,
    type LowCardinality(String),
    priority LowCardinality(String),
    began Float64,
    at Float64 COMMENT 'answered, received or ended',
    deadline Float64,
    marketing UInt8,
    address UInt64,
    way LowCardinality(String),
    state LowCardinality(String),
    reason LowCardinality(String),
    attempt UInt16
)
ENGINE = MergeTree ORDER BY (note, channel, part);

CREATE TABLE deliveries
(
    note UInt64,
    channel LowCardinality(String),
    name String,
    sure UInt8 COMMENT '0: nobody asked',
    sign_up UInt8,
    user UInt64,
    type LowCardinality(String),
    priority LowCardinality(String),
    began Float64,
    answered Float64 COMMENT '0 unless accepted',
    deadline Float64 COMMENT '0: none that is known',
    marketing UInt8,
    receipts Array(Tuple(at Float64, address UInt64, way LowCardinality(String))),
    states Array(LowCardinality(String)),
    reason LowCardinality(String),
    ended_at Float64,
    attempt UInt16
)
ENGINE = MergeTree ORDER BY (note, channel);

CREATE TABLE waves (note UInt64, sku UInt64, notification String) ENGINE = MergeTree ORDER BY note;

-- Who was told by a restock, once for each notification.
CREATE TABLE told (note UInt64, user UInt64, sku UInt64, notification String) ENGINE = MergeTree ORDER BY (user, sku);

CREATE TABLE sign_ups
(
    user UInt64,
    sku UInt64,
    asked UInt32,
    sure UInt8,
    answered Float64 COMMENT 'the first that was accepted',
    expires_at Float64,
    channels Array(LowCardinality(String)) COMMENT 'of any of them',
    certain Array(LowCardinality(String)) COMMENT 'of every one',
    name String
)
ENGINE = MergeTree ORDER BY (user, sku);

CREATE TABLE opt_outs (user UInt64, channel LowCardinality(String), at Float64)
ENGINE = MergeTree ORDER BY user;

-- Everybody who asked for quiet hours, and while each wish held.
CREATE TABLE quiet (user UInt64, sure UInt8, held_from Float64, held_until Float64,
    quiet_from Float64, length Float64)
ENGINE = MergeTree ORDER BY user;

CREATE TABLE strangers (note UInt64, name String, at Float64, receipts UInt32,
    states Array(LowCardinality(String)), sure UInt8, elsewhere UInt8)
ENGINE = MergeTree ORDER BY note;
