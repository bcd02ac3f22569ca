-- Receipts: rows of `deliveries` whose state is `acked`, beside the end they are about: a device of
-- the person's has it. A receipt ends nothing: it may come before that end is on record, and whatever
-- counts ends leaves it out.

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
    WHERE state != 'acked'
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
WHERE state != 'acked'
GROUP BY hour, channel, type, template_id, provider, state
ORDER BY hour, channel, type, template_id, provider, state;
