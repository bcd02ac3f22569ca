-- Deliveries by channel and state; `accepted` is every delivery opened. Cheap enough to poll.
SELECT toString(channel) AS channel, 'accepted' AS state, count() AS deliveries
FROM tocsin.accepted FINAL
GROUP BY channel
UNION ALL
SELECT toString(channel) AS channel, toString(state) AS state, count() AS deliveries
FROM tocsin.deliveries FINAL
WHERE state != 'acked'
GROUP BY channel, state;
