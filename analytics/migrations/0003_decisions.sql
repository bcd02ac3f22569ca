-- Why a notification went where it went, what became of those that could not be used, and who is
-- to be forgotten.

-- One row per look that the router or a sender took at a delivery. Plain strings for the traces:
-- where they repeat, ZSTD takes them to 1.5 B each, as a dictionary would; where they name instants
-- and counts it takes them to 5 B, and a dictionary to 16.
CREATE TABLE IF NOT EXISTS tocsin.decisions $cluster
(
    notification_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    state LowCardinality(String),
    attempt UInt16 CODEC(ZSTD(1)),
    reason LowCardinality(String),
    trace String CODEC(ZSTD(1)) COMMENT 'step=result;step=result',
    due_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)) COMMENT 'when it is looked at again',
    template_id LowCardinality(String),
    template_version UInt32 CODEC(ZSTD(1))
)
ENGINE = $replacing
ORDER BY (notification_id, channel, at, state)
SETTINGS non_replicated_deduplication_window = 1000;

ALTER TABLE tocsin.accepted $cluster
    ADD COLUMN IF NOT EXISTS template_version UInt32 CODEC(ZSTD(1)) AFTER template_id;

ALTER TABLE tocsin.deliveries $cluster
    ADD COLUMN IF NOT EXISTS template_version UInt32 CODEC(ZSTD(1)) AFTER template_id;

-- Two requests of one batch may be wrong in the same way: they are two letters.
ALTER TABLE tocsin.dead_letters $cluster
    ADD COLUMN IF NOT EXISTS notification_id String CODEC(ZSTD(1)) AFTER offset,
    MODIFY ORDER BY (topic, partition, offset, error, field, reason, notification_id);

-- Who was erased, by the tombstones of the topic `profiles`, and who has registered since: for as
-- long as rows about them may still arrive, then forgotten here too.
CREATE TABLE IF NOT EXISTS tocsin.erasures $cluster
(
    user_id String CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    back Bool COMMENT 'registered then, rather than erased'
)
ENGINE = $replacing
ORDER BY (user_id, at, back)
TTL toDateTime(at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 1000;

-- Whose rows before `until` are to be nobody's.
CREATE OR REPLACE VIEW tocsin.erased $cluster AS
SELECT
    user_id,
    if(back_at > erased_at, back_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')) AS until
FROM
(
    SELECT user_id, countIf(NOT back) AS times, maxIf(at, NOT back) AS erased_at,
        maxIf(at, back) AS back_at
    FROM tocsin.erasures
    WHERE at > now64(3, 'UTC') - INTERVAL 30 DAY
    GROUP BY user_id
)
WHERE times > 0;

-- What waits, or waited, for its hour or its next try: the newest such look at each delivery.
CREATE OR REPLACE VIEW tocsin.waits $cluster AS
SELECT
    notification_id,
    channel,
    argMax(station, (looked_at, next_at)) AS state,
    argMax(why, (looked_at, next_at)) AS reason,
    max(looked_at) AS since,
    argMax(next_at, (looked_at, next_at)) AS due_at
FROM
(
    SELECT notification_id, channel, toString(state) AS station, toString(reason) AS why,
        at AS looked_at, coalesce(due_at, at) AS next_at
    FROM tocsin.decisions
    WHERE state IN ('deferred', 'retry')
)
GROUP BY notification_id, channel;

-- Requests nobody has opened a delivery for, and the letter about each that was dead-lettered. A
-- letter names its notification, or speaks of all its record held (a letter about an item that
-- nobody could read, field requests[n], says nothing of the others). Offsets begin again with the
-- embedded log: a letter older than the request, by more than clocks differ, is about another.
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

CREATE OR REPLACE VIEW tocsin.dead_requests $cluster AS
SELECT notification_id, user_id, type, accepted_at, topic, partition, offset, error, field, reason,
    buried_at
FROM tocsin.unopened
WHERE dead;

-- Not routed yet, or lost.
CREATE OR REPLACE VIEW tocsin.unrouted $cluster AS
SELECT notification_id, user_id, type, accepted_at, due_at, topic, partition, offset
FROM tocsin.unopened
WHERE NOT dead;

-- Everything that is not exactly one end of one asked-for delivery. `awaited` is the last instant
-- at which something was to happen to it: what is long past that is lost.
CREATE OR REPLACE VIEW tocsin.unbalanced $cluster AS
SELECT
    multiIf(length(s.states) > 1, 'conflict', notEmpty(s.states), 'unasked', 'unended') AS shape,
    if(shape = 'unended', s.accepted_at, s.at) AS since,
    greatest(since, w.due_at) AS awaited,
    s.delivery_id AS id,
    multiIf(
        shape != 'unended', arrayStringConcat(s.states, ', '),
        w.state = '', concat(s.type, ' by ', s.channel),
        concat(s.type, ' by ', s.channel, ', ', w.state, ' until ', toString(w.due_at),
            if(w.reason = '', '', concat(': ', w.reason)))
    ) AS detail
FROM
(
    SELECT delivery_id, notification_id, type, channel, accepted_at, states, at
    FROM tocsin.delivery_states
    WHERE length(states) != 1
        OR (opened = 0 AND notification_id NOT IN (SELECT notification_id FROM tocsin.requests))
) AS s
LEFT JOIN tocsin.waits AS w ON s.notification_id = w.notification_id AND s.channel = w.channel
UNION ALL
SELECT
    if(u.dead, 'dead', 'unopened') AS shape,
    if(u.dead, u.buried_at, u.due_at) AS since,
    greatest(since, w.due_at) AS awaited,
    u.notification_id AS id,
    concat(u.type, ' at ', u.topic, ':', toString(u.partition), ':', toString(u.offset),
        multiIf(
            u.dead, concat(', ', u.error, ': ', if(u.field = '', '', concat(u.field, ': ')), u.reason),
            w.due_at > u.due_at, concat(', waits until ', toString(w.due_at)),
            ''
        )) AS detail
FROM tocsin.unopened AS u
LEFT JOIN
(
    SELECT notification_id, max(waits.due_at) AS due_at FROM tocsin.waits GROUP BY notification_id
) AS w ON u.notification_id = w.notification_id;
