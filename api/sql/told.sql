-- How these deliveries ended, as far as they have, by the table's sorting key.
SELECT delivery_id, state, reason
FROM tocsin.deliveries FINAL
WHERE delivery_id IN {deliveries:Array(String)} AND state != 'acked'
