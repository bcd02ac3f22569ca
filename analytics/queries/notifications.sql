-- Notifications that have come to an end on at least one channel, by type.
SELECT toString(type) AS type, uniqExact(notification_id) AS notifications
FROM tocsin.deliveries
WHERE state != 'acked'
GROUP BY type
ORDER BY type;
