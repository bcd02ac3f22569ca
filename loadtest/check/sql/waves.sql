-- Whom restocks told, after the one named, in the table's own order.
SELECT notification_id, sku, toUnixTimestamp64Milli(at) AS at_ms
FROM tocsin.waves
WHERE at >= {since:DateTime64(3, 'UTC')}
    AND (at, sku, notification_id)
        > ({since:DateTime64(3, 'UTC')}, {sku:String}, {notification:String})
ORDER BY at, sku, notification_id
LIMIT {rows:UInt32};
