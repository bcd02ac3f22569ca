-- The law of the books: whatever was accepted ends once, by type and channel.
-- accepted = delivered + failed + suppressed + expired + cancelled + in_flight + drift. Drift is what
-- ended in two ways, or ended and was never asked for; `tocsin audit` names each.
-- hours: UInt32 = 720; how far back from `until`, by when it was accepted
-- until: DateTime64(3, 'UTC') = now; up to when
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since
SELECT
    kind AS type,
    way AS channel,
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
    SELECT
        delivery,
        any(kinds) AS kind,
        any(ways) AS way,
        arraySort(groupUniqArrayIf(ended, ended != '')) AS states,
        length(states) < 2 AND (max(begun) = 1 OR any(notification) IN
            (SELECT notification_id FROM tocsin.requests WHERE accepted_at < until)) AS sound
    FROM
    (
        SELECT delivery_id AS delivery, notification_id AS notification, toString(type) AS kinds,
            toString(channel) AS ways, 1 AS begun, '' AS ended
        FROM tocsin.accepted
        WHERE accepted_at >= since AND accepted_at < until
        UNION ALL
        SELECT delivery_id AS delivery, notification_id AS notification, toString(type) AS kinds,
            toString(channel) AS ways, 0 AS begun, toString(state) AS ended
        FROM tocsin.deliveries
        WHERE state != 'acked' AND accepted_at >= since AND accepted_at < until
    )
    GROUP BY delivery
)
GROUP BY type, channel
ORDER BY type, channel
