-- Half the bytes, and an end to them. Each large table is made again beside itself, filled, exchanged
-- with the old one and that one dropped: whatever dies between two statements, all of it may run
-- again from the top.
--
-- A delivery's id is nearly always notification_id:channel, and SMTP's message id a function of that:
-- both are said by other columns, kept only where they are not, and read under their old names.
-- Partitions are days of acceptance, so that old rows go by whole parts; of 64 there is always one
-- for today, and no record's absurd time can make more. Rows last 30 to 31 days from acceptance;
-- longer where the end, or the hour it waits for, came more than a day after. Cancellations last 13
-- months: what was cancelled may have been due within a year. README: what that means to the audit.

DROP TABLE IF EXISTS tocsin.requests_made_again $cluster;

CREATE TABLE IF NOT EXISTS tocsin.requests_made_again $cluster
(
    notification_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    accepted_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    due_at DateTime64(3, 'UTC') CODEC(ZSTD(1)) COMMENT 'accepted_at, or the later send_at',
    topic LowCardinality(String) CODEC(ZSTD(1)),
    partition UInt32 CODEC(ZSTD(1)),
    offset UInt64 CODEC(ZSTD(1))
)
ENGINE = $replacing
PARTITION BY positiveModulo(intDiv(toUnixTimestamp64Milli(accepted_at), 86400000), 64)
ORDER BY notification_id
TTL toStartOfDay(toDateTime(least(greatest(accepted_at, due_at, toDateTime64(0, 3, 'UTC')),
    toDateTime64('2100-01-01', 3, 'UTC')), 'UTC')) + INTERVAL 31 DAY
SETTINGS non_replicated_deduplication_window = 1000;

INSERT INTO tocsin.requests_made_again
    (notification_id, user_id, type, accepted_at, due_at, topic, partition, offset)
SELECT notification_id, user_id, type, accepted_at, due_at, topic, partition, offset
FROM tocsin.requests;

EXCHANGE TABLES tocsin.requests AND tocsin.requests_made_again $cluster;

DROP TABLE IF EXISTS tocsin.requests_made_again $cluster;

DROP TABLE IF EXISTS tocsin.accepted_made_again $cluster;

CREATE TABLE IF NOT EXISTS tocsin.accepted_made_again $cluster
(
    notification_id String CODEC(ZSTD(1)),
    channel LowCardinality(String) CODEC(ZSTD(1)),
    other_id String CODEC(ZSTD(1)) COMMENT 'the delivery''s id, unless notification_id:channel',
    delivery_id String ALIAS if(other_id = '', concat(notification_id, ':', channel), other_id),
    user_id String CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    template_id LowCardinality(String) CODEC(ZSTD(1)),
    template_version UInt32 CODEC(ZSTD(1)),
    accepted_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(ZSTD(1))
)
ENGINE = $replacing
PARTITION BY positiveModulo(intDiv(toUnixTimestamp64Milli(accepted_at), 86400000), 64)
ORDER BY (notification_id, channel, other_id)
TTL toStartOfDay(toDateTime(least(greatest(accepted_at, toDateTime64(0, 3, 'UTC')),
    toDateTime64('2100-01-01', 3, 'UTC')), 'UTC')) + INTERVAL 31 DAY
SETTINGS non_replicated_deduplication_window = 1000;

INSERT INTO tocsin.accepted_made_again
    (notification_id, channel, other_id, user_id, type, template_id, template_version, accepted_at, at)
SELECT notification_id, channel,
    if(delivery_id = concat(notification_id, ':', channel), '', delivery_id), user_id, type,
    template_id, template_version, accepted_at, at
FROM tocsin.accepted;

EXCHANGE TABLES tocsin.accepted AND tocsin.accepted_made_again $cluster;

DROP TABLE IF EXISTS tocsin.accepted_made_again $cluster;

DROP TABLE IF EXISTS tocsin.deliveries_made_again $cluster;

-- Two different ends of one delivery are two rows: that is drift, and must stay visible. Of two rows
-- with the same end the one with the earlier hour stays, so that a repetition can only ever move what
-- the rollups say of its own hour.
CREATE TABLE IF NOT EXISTS tocsin.deliveries_made_again $cluster
(
    notification_id String CODEC(ZSTD(1)),
    channel LowCardinality(String) CODEC(ZSTD(1)),
    other_id String CODEC(ZSTD(1)) COMMENT 'the delivery''s id, unless notification_id:channel',
    delivery_id String ALIAS if(other_id = '', concat(notification_id, ':', channel), other_id),
    user_id String CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    template_id LowCardinality(String) CODEC(ZSTD(1)),
    template_version UInt32 CODEC(ZSTD(1)),
    state LowCardinality(String) CODEC(ZSTD(1)),
    reason LowCardinality(String) CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    message_id String CODEC(ZSTD(1)) COMMENT 'the provider''s, unless made of the delivery''s',
    mail_domain LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'then of <delivery_id as Base64@this>',
    provider_message_id String ALIAS if(mail_domain = '', message_id,
        concat('<', base64URLEncode(delivery_id), '@', mail_domain, '>')),
    attempt UInt16 CODEC(ZSTD(1)),
    accepted_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    destination LowCardinality(String) CODEC(ZSTD(1))
        COMMENT 'a mailbox''s domain, a number''s first digits, a device''s platform',
    content_hash UInt32 CODEC(ZSTD(1)) COMMENT 'of the rendered text',
    data_hash UInt32 CODEC(ZSTD(1)) COMMENT 'of the variables',
    earliness UInt32 MATERIALIZED 1000000000 - intDiv(toUnixTimestamp64Milli(at), 3600000)
        CODEC(ZSTD(1)) COMMENT 'in hours: the greatest of a row''s versions stays',
    INDEX by_time at TYPE minmax GRANULARITY 4
)
ENGINE = ${replacing}(earliness)
PARTITION BY positiveModulo(intDiv(toUnixTimestamp64Milli(accepted_at), 86400000), 64)
ORDER BY (notification_id, channel, state, other_id)
TTL toStartOfDay(toDateTime(least(greatest(
    if(state = 'cancelled' OR at > accepted_at + INTERVAL 1 DAY, at, accepted_at),
    toDateTime64(0, 3, 'UTC')), toDateTime64('2100-01-01', 3, 'UTC')), 'UTC'))
    + if(state = 'cancelled', INTERVAL 396 DAY, INTERVAL 31 DAY)
SETTINGS non_replicated_deduplication_window = 1000;

INSERT INTO tocsin.deliveries_made_again
    (notification_id, channel, other_id, user_id, type, template_id, template_version, state, reason,
     provider, message_id, mail_domain, attempt, accepted_at, at, destination, content_hash, data_hash)
WITH concat('<', base64URLEncode(delivery_id), '@') AS made,
    startsWith(provider_message_id, made) AND endsWith(provider_message_id, '>') AS is_made
SELECT notification_id, channel,
    if(delivery_id = concat(notification_id, ':', channel), '', delivery_id), user_id, type,
    template_id, template_version, state, reason, provider, if(is_made, '', provider_message_id),
    if(is_made, substring(provider_message_id, length(made) + 1,
        length(provider_message_id) - length(made) - 1), ''),
    attempt, accepted_at, at, destination, content_hash, data_hash
FROM tocsin.deliveries;

EXCHANGE TABLES tocsin.deliveries AND tocsin.deliveries_made_again $cluster;

DROP TABLE IF EXISTS tocsin.deliveries_made_again $cluster;

DROP TABLE IF EXISTS tocsin.decisions_made_again $cluster;

-- Plain strings for the traces: where they repeat, ZSTD takes them to 1.5 B each, as a dictionary
-- would; where they name instants and counts it takes them to 5 B, and a dictionary to 16.
CREATE TABLE IF NOT EXISTS tocsin.decisions_made_again $cluster
(
    notification_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String) CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    state LowCardinality(String) CODEC(ZSTD(1)),
    attempt UInt16 CODEC(ZSTD(1)),
    reason LowCardinality(String) CODEC(ZSTD(1)),
    trace String CODEC(ZSTD(1)) COMMENT 'step=result;step=result',
    due_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)) COMMENT 'when it is looked at again',
    template_id LowCardinality(String) CODEC(ZSTD(1)),
    template_version UInt32 CODEC(ZSTD(1))
)
ENGINE = $replacing
PARTITION BY positiveModulo(intDiv(toUnixTimestamp64Milli(at), 86400000), 64)
ORDER BY (notification_id, channel, at, state)
TTL toStartOfDay(toDateTime(least(greatest(at, coalesce(due_at, at), toDateTime64(0, 3, 'UTC')),
    toDateTime64('2100-01-01', 3, 'UTC')), 'UTC')) + INTERVAL 31 DAY
SETTINGS non_replicated_deduplication_window = 1000;

INSERT INTO tocsin.decisions_made_again
    (notification_id, user_id, channel, at, state, attempt, reason, trace, due_at, template_id,
     template_version)
SELECT notification_id, user_id, channel, at, state, attempt, reason, trace, due_at, template_id,
    template_version
FROM tocsin.decisions;

EXCHANGE TABLES tocsin.decisions AND tocsin.decisions_made_again $cluster;

DROP TABLE IF EXISTS tocsin.decisions_made_again $cluster;

ALTER TABLE tocsin.engagement $cluster
    MODIFY TTL toStartOfDay(toDateTime(least(greatest(at, toDateTime64(0, 3, 'UTC')),
        toDateTime64('2100-01-01', 3, 'UTC')), 'UTC')) + INTERVAL 31 DAY;

-- By when it was written: a replay's changes happened in the year of its file.
ALTER TABLE tocsin.inventory $cluster
    ADD COLUMN IF NOT EXISTS written_at DateTime('UTC') MATERIALIZED now('UTC')
        CODEC(Delta, ZSTD(1));

ALTER TABLE tocsin.inventory $cluster
    MODIFY TTL toStartOfDay(written_at) + INTERVAL 31 DAY;

ALTER TABLE tocsin.dead_letters $cluster
    MODIFY TTL toStartOfDay(toDateTime(least(greatest(at, toDateTime64(0, 3, 'UTC')),
        toDateTime64('2100-01-01', 3, 'UTC')), 'UTC')) + INTERVAL 31 DAY;

ALTER TABLE tocsin.erasures $cluster
    MODIFY TTL toDateTime(least(greatest(at, toDateTime64(0, 3, 'UTC')),
        toDateTime64('2100-01-01', 3, 'UTC')), 'UTC') + INTERVAL 30 DAY;

-- Of a delivery older than 30 days one half may be gone already, table by table: it is counted while
-- both are there, and judged no more.
CREATE OR REPLACE VIEW tocsin.delivery_states $cluster AS
SELECT
    if(other_id = '', concat(notification_id, ':', channel), other_id) AS delivery_id,
    notification_id,
    channel,
    any(kind) AS type,
    min(begun_at) AS accepted_at,
    max(begun) AS opened,
    arraySort(groupUniqArrayIf(state, state != '')) AS states,
    max(seen_at) AS at
FROM
(
    SELECT notification_id, toString(channel) AS channel, other_id, toString(type) AS kind,
        accepted_at AS begun_at, at AS seen_at, 1 AS begun, '' AS state
    FROM tocsin.accepted
    UNION ALL
    SELECT notification_id, toString(channel) AS channel, other_id, toString(type) AS kind,
        accepted_at AS begun_at, at AS seen_at, 0 AS begun, toString(state) AS state
    FROM tocsin.deliveries
    WHERE state != 'acked'
)
GROUP BY notification_id, channel, other_id
HAVING accepted_at >= toStartOfDay(now('UTC')) - INTERVAL 30 DAY
    OR (opened = 1 AND notEmpty(states));

CREATE OR REPLACE VIEW tocsin.engaged_deliveries $cluster AS
SELECT
    d.delivery_id AS delivery_id,
    any(d.type) AS type,
    any(d.channel) AS channel,
    any(d.template_id) AS template_id,
    max(e.opened) AS opened,
    max(e.clicked) AS clicked,
    max(e.converted) AS converted,
    max(e.bot_clicked) AS bot_clicked
FROM
(
    SELECT delivery_id, notification_id, channel, type, template_id
    FROM tocsin.deliveries FINAL
    WHERE state = 'delivered'
) AS d
LEFT JOIN tocsin.engaged AS e ON d.notification_id = e.notification_id
    AND (e.channel = d.channel OR e.channel = '')
GROUP BY delivery_id;

-- Requests nobody has opened a delivery for, and the letter about each that was dead-lettered. A
-- letter names its notification, or speaks of all its record held (a letter about an item that
-- nobody could read, field requests[n], says nothing of the others). Offsets begin again with the
-- embedded log: a letter older than the request, by more than clocks differ, is about another.
-- One accepted more than 30 days ago is judged only if it is on record that it was to wait so long.
CREATE OR REPLACE VIEW tocsin.unopened $cluster AS
SELECT
    r.notification_id AS notification_id,
    r.user_id AS user_id,
    r.type AS type,
    r.accepted_at AS accepted_at,
    r.due_at AS due_at,
    r.topic AS topic,
    r.partition AS partition,
    r.offset AS offset,
    named.letters > 0 AS by_name,
    by_name OR (whole.letters > 0 AND r.accepted_at <= whole.at + INTERVAL 10 MINUTE) AS dead,
    if(by_name, named.at, whole.at) AS buried_at,
    if(by_name, named.error, whole.error) AS error,
    if(by_name, named.field, whole.field) AS field,
    if(by_name, named.reason, whole.reason) AS reason
FROM
(
    SELECT notification_id, user_id, type, accepted_at, due_at, topic, partition, offset
    FROM tocsin.requests FINAL
    WHERE notification_id NOT IN (SELECT notification_id FROM tocsin.accepted)
        AND notification_id NOT IN (SELECT notification_id FROM tocsin.deliveries)
        AND (accepted_at >= toStartOfDay(now('UTC')) - INTERVAL 30 DAY
            OR notification_id IN
                (SELECT notification_id FROM tocsin.decisions
                 WHERE state = 'deferred'
                    AND at < toStartOfDay(now('UTC')) - INTERVAL 30 DAY
                    AND due_at >= toStartOfDay(now('UTC')) - INTERVAL 30 DAY))
) AS r
LEFT JOIN
(
    SELECT notification_id, count() AS letters, max(d.at) AS at,
        argMax(toString(d.error), d.at) AS error, argMax(d.field, d.at) AS field,
        argMax(d.reason, d.at) AS reason
    FROM tocsin.dead_letters AS d
    WHERE notification_id != ''
    GROUP BY notification_id
) AS named ON r.notification_id = named.notification_id
LEFT JOIN
(
    SELECT topic, partition, offset, count() AS letters, max(d.at) AS at,
        argMax(toString(d.error), d.at) AS error, argMax(d.field, d.at) AS field,
        argMax(d.reason, d.at) AS reason
    FROM tocsin.dead_letters AS d
    WHERE notification_id = '' AND NOT startsWith(d.field, 'requests[')
    GROUP BY topic, partition, offset
) AS whole ON r.topic = whole.topic AND r.partition = whole.partition AND r.offset = whole.offset;
