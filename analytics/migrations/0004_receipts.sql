-- What is heard of a delivery after its end: that a device has acknowledged it, say. A receipt is a
-- row of `deliveries` beside the end it is about, and ends nothing: it may come before that end is
-- on record, and whatever counts ends leaves it out.

ALTER TABLE tocsin.deliveries $cluster
    ADD COLUMN IF NOT EXISTS receipt LowCardinality(String)
        COMMENT 'what was heard after the end; empty for the end itself',
    MODIFY ORDER BY (delivery_id, state, receipt);

CREATE OR REPLACE VIEW tocsin.delivery_states $cluster AS
SELECT
    delivery_id,
    any(notification_id) AS notification_id,
    any(channel) AS channel,
    any(type) AS type,
    min(accepted_at) AS accepted_at,
    max(opened) AS opened,
    arraySort(groupUniqArrayIf(state, state != '')) AS states,
    max(at) AS at
FROM
(
    SELECT delivery_id, notification_id, channel, type, accepted_at, at, 1 AS opened,
        '' AS state
    FROM tocsin.accepted
    UNION ALL
    SELECT delivery_id, notification_id, channel, type, accepted_at, at, 0 AS opened,
        toString(state) AS state
    FROM tocsin.deliveries
    WHERE receipt = ''
)
GROUP BY delivery_id;

CREATE OR REPLACE VIEW tocsin.deliveries_hourly $cluster AS
SELECT
    toStartOfHour(at) AS hour,
    channel,
    type,
    template_id,
    provider,
    state,
    count() AS deliveries,
    sum(attempt) AS attempts
FROM tocsin.deliveries FINAL
WHERE receipt = ''
GROUP BY hour, channel, type, template_id, provider, state
ORDER BY hour, channel, type, template_id, provider, state;

CREATE OR REPLACE VIEW tocsin.otp_latency $cluster AS
SELECT
    toStartOfHour(at) AS hour,
    channel,
    provider,
    count() AS delivered,
    quantileExact(0.5)(dateDiff('millisecond', accepted_at, at)) AS p50_ms,
    quantileExact(0.95)(dateDiff('millisecond', accepted_at, at)) AS p95_ms,
    quantileExact(0.99)(dateDiff('millisecond', accepted_at, at)) AS p99_ms
FROM tocsin.deliveries FINAL
WHERE type = 'OTP' AND state = 'delivered' AND receipt = ''
GROUP BY hour, channel, provider
ORDER BY hour, channel, provider;

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
    SELECT * FROM tocsin.deliveries FINAL WHERE state = 'delivered' AND receipt = ''
) AS d
LEFT JOIN tocsin.engaged AS e ON d.notification_id = e.notification_id
    AND (e.channel = d.channel OR e.channel = '')
GROUP BY delivery_id;
