-- The conservation law, watched: by channel, how many of the deliveries opened between three hours
-- and one hour ago have neither ended nor wait for a time that is still to come. (`tocsin audit`
-- reads all the books; this reads two hours of them.)
SELECT channel, uniqExact(delivery_id) AS deliveries
FROM tocsin.accepted
WHERE at >= now64(3) - INTERVAL 3 HOUR AND at < now64(3) - INTERVAL 1 HOUR
    AND delivery_id NOT IN
    (
        SELECT delivery_id FROM tocsin.deliveries
        WHERE at >= now64(3) - INTERVAL 4 HOUR AND state != 'acked'
    )
    AND (notification_id, toString(channel)) NOT IN
    (
        SELECT notification_id, toString(channel) FROM tocsin.decisions
        WHERE at >= now64(3) - INTERVAL 4 HOUR AND due_at > now64(3)
    )
GROUP BY channel
ORDER BY channel
