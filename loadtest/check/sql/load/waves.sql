-- Whom restocks told.

INSERT INTO waves
SELECT cityHash64(notification_id), cityHash64(sku), notification_id
FROM file({waves:String}, 'JSONEachRow', 'notification_id String, sku String');
