-- Notifications whose id begins so, newest first.
SELECT notification_id, any(user_id) AS whose, any(toString(type)) AS kind,
    min(accepted_at) AS accepted
FROM tocsin.requests
WHERE startsWith(notification_id, {id:String})
GROUP BY notification_id
ORDER BY accepted DESC, notification_id DESC
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 4
