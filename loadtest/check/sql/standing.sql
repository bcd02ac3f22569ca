-- Deliveries opened and not ended whose next look lies ahead (quiet hours, a later hour, a retry), and
-- everything that waits so, opened or not.
WITH waiting AS
(
    SELECT notification_id, channel
    FROM tocsin.decisions
    WHERE state IN ('deferred', 'retry') AND due_at > now64(3, 'UTC')
        AND (notification_id, channel) NOT IN
            (SELECT notification_id, channel FROM tocsin.deliveries WHERE state != 'acked')
    GROUP BY notification_id, channel
)
SELECT
    countIf((notification_id, channel) IN (SELECT notification_id, channel FROM tocsin.accepted)),
    count()
FROM waiting;
