-- Deliveries that ended, by channel and state: what `tocsin up` shows once a second.
SELECT channel, state, count() AS deliveries
FROM deliveries
WHERE state != 'acked'
GROUP BY channel, state
ORDER BY channel, state
