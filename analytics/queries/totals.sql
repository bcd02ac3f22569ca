-- Deliveries by channel and state; `accepted` is every delivery opened. Cheap enough to poll. Of the
-- last 30 days: what is older goes table by table, and would look as if it were on its way.
SELECT toString(channel) AS channel, 'accepted' AS state, count() AS deliveries
FROM tocsin.accepted FINAL
WHERE accepted_at >= toStartOfDay(now('UTC')) - INTERVAL 30 DAY
GROUP BY channel
UNION ALL
SELECT toString(channel) AS channel, toString(state) AS state, count() AS deliveries
FROM tocsin.deliveries FINAL
WHERE state != 'acked' AND accepted_at >= toStartOfDay(now('UTC')) - INTERVAL 30 DAY
GROUP BY channel, state
-- a delivery's rows are all in the partition of its day, and a day that is merged is only counted
SETTINGS do_not_merge_across_partitions_select_final = 1;
