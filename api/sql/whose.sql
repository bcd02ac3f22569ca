-- Whose notifications these deliveries are of, and of which type, by the table's sorting key.
SELECT notification_id, any(user_id) AS user_id, any(type) AS type
FROM tocsin.accepted
WHERE delivery_id IN {deliveries:Array(String)}
GROUP BY notification_id
