-- Deliveries opened and ended so far, cheap enough for every second: one is a count the parts know,
-- the other the few rows of a rollup. A row that was written twice counts twice until it is merged
-- or counted again, so after a kill both may be a little too high for some minutes.
SELECT
    (SELECT count() FROM tocsin.accepted) AS opened,
    (SELECT sum(deliveries) FROM tocsin.deliveries_by_day) AS ended
