-- By channel: deliveries that wait for their hour, and for their next try. What is due is on its
-- topic again, and is counted there. A wait whose delivery has ended (cancelled meanwhile) is none.
WITH ahead AS
(
    SELECT notification_id, toString(channel) AS by_channel,
        argMax(toString(state), (at, due_at)) AS station
    FROM tocsin.decisions
    WHERE due_at > now64(3, 'UTC') AND state IN ('deferred', 'retry')
    GROUP BY notification_id, by_channel
)
SELECT
    by_channel AS channel,
    countIf(station = 'deferred') AS deferred,
    countIf(station = 'retry') AS retrying
FROM ahead
WHERE concat(notification_id, ':', by_channel) NOT IN
(
    SELECT delivery_id FROM tocsin.deliveries
    WHERE state != 'acked'
        AND delivery_id IN (SELECT concat(notification_id, ':', by_channel) FROM ahead)
)
GROUP BY by_channel
SETTINGS max_execution_time = 4
