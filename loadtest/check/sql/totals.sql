-- Notifications and codes accepted and perhaps accepted, deliveries expected, receipts, expected ones
-- without an end, ends, sign-ups accepted.
SELECT
    (SELECT count() FROM (SELECT note FROM deliveries WHERE sure = 3 AND NOT sign_up GROUP BY note)),
    (SELECT count() FROM (SELECT note FROM deliveries WHERE sure = 2 AND NOT sign_up GROUP BY note))
        + (SELECT count() FROM asked WHERE kind = 'otp' AND sure = 2 AND id = ''),
    countIf(sure = 3),
    sum(length(receipts)),
    countIf(sure = 3 AND empty(states)),
    sum(length(states)),
    (SELECT count() FROM asked WHERE kind = 'sign_up' AND sure = 3)
FROM deliveries
SETTINGS optimize_aggregation_in_order = 1;
