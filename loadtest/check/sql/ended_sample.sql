-- Some ids out of all of them.
SELECT groupArraySample({sample:UInt32})(notification_id)
FROM tocsin.deliveries
WHERE accepted_at >= {since:DateTime64(3, 'UTC')};
