-- Exact at any time: they read through duplicates (FINAL, or a grouping by identity) rather than
-- wait for a merge.

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
)
GROUP BY delivery_id;

-- accepted = delivered + failed + suppressed + expired + cancelled + in_flight + drift, on every
-- line. Drift: ended in two ways, or ended without ever having been asked for.
CREATE OR REPLACE VIEW tocsin.conservation $cluster AS
SELECT
    type,
    channel,
    count() AS accepted,
    countIf(sound AND states = ['delivered']) AS delivered,
    countIf(sound AND states = ['failed']) AS failed,
    countIf(sound AND states = ['suppressed']) AS suppressed,
    countIf(sound AND states = ['expired']) AS expired,
    countIf(sound AND states = ['cancelled']) AS cancelled,
    countIf(empty(states)) AS in_flight,
    countIf(NOT sound) AS drift
FROM
(
    SELECT type, channel, states,
        length(states) < 2
            AND (opened = 1 OR notification_id IN (SELECT notification_id FROM tocsin.requests))
            AS sound
    FROM tocsin.delivery_states
)
GROUP BY type, channel
ORDER BY type, channel;

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
WHERE type = 'OTP' AND state = 'delivered'
GROUP BY hour, channel, provider
ORDER BY hour, channel, provider;

-- One line per notification people did something with; machines (link scanners, mail proxies) are
-- counted apart. An event without a channel counts for whichever channel delivered it.
CREATE OR REPLACE VIEW tocsin.engaged $cluster AS
SELECT
    notification_id,
    channel,
    countIf(kind IN ('open', 'read') AND NOT bot) > 0 AS opened,
    countIf(kind = 'click' AND NOT bot) > 0 AS clicked,
    countIf(kind = 'convert' AND NOT bot) > 0 AS converted,
    countIf(kind = 'click' AND bot) > 0 AS bot_clicked
FROM tocsin.engagement FINAL
GROUP BY notification_id, channel;

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
FROM (SELECT * FROM tocsin.deliveries FINAL WHERE state = 'delivered') AS d
LEFT JOIN tocsin.engaged AS e ON d.notification_id = e.notification_id
    AND (e.channel = d.channel OR e.channel = '')
GROUP BY delivery_id;

CREATE OR REPLACE VIEW tocsin.click_through $cluster AS
SELECT
    type,
    channel,
    template_id,
    count() AS delivered,
    countIf(clicked) AS clicked,
    countIf(bot_clicked) AS bot_clicked,
    round(clicked / delivered, 4) AS click_through_rate
FROM tocsin.engaged_deliveries
GROUP BY type, channel, template_id
ORDER BY type, channel, template_id;

CREATE OR REPLACE VIEW tocsin.delivery_funnel $cluster AS
SELECT
    c.type AS type,
    c.channel AS channel,
    c.accepted AS accepted,
    c.delivered AS delivered,
    e.opened AS opened,
    e.clicked AS clicked,
    e.converted AS converted
FROM tocsin.conservation AS c
LEFT JOIN
(
    SELECT type, channel, countIf(opened) AS opened, countIf(clicked) AS clicked,
        countIf(converted) AS converted
    FROM tocsin.engaged_deliveries
    GROUP BY type, channel
) AS e ON c.type = e.type AND c.channel = e.channel
ORDER BY type, channel;

-- Requests nobody has opened a delivery for, and whose record was not dead-lettered: not routed
-- yet, or lost. A letter about one item of a batch (field requests[n]) says nothing of the others.
CREATE OR REPLACE VIEW tocsin.unrouted $cluster AS
SELECT notification_id, user_id, type, accepted_at, due_at, topic, partition, offset
FROM tocsin.requests FINAL
WHERE notification_id NOT IN (SELECT notification_id FROM tocsin.accepted)
    AND notification_id NOT IN (SELECT notification_id FROM tocsin.deliveries)
    AND (topic, partition, offset) NOT IN
        (SELECT topic, partition, offset FROM tocsin.dead_letters
         WHERE NOT startsWith(field, 'requests['));
