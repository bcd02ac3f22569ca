-- What was asked for about a person, newest first, from before a place in that order.
SELECT notification_id, toString(type) AS kind, accepted_at
FROM tocsin.requests
WHERE user_id = {user:String}
    AND (toUnixTimestamp64Milli(accepted_at), notification_id) < ({at:Int64}, {id:String})
ORDER BY accepted_at DESC, notification_id DESC
LIMIT 1 BY notification_id
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 4
