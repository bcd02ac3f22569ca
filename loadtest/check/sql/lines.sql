-- Lines that were cut, lines of something else, and how many lines each other file had.
SELECT
    (SELECT sum(cut) FROM asked),
    (SELECT countIf(foreign OR (kind != '' AND sure = 0)) FROM asked),
    (SELECT countIf(part IN (2, 4)) FROM facts),
    (SELECT countIf(part = 3) FROM facts),
    (SELECT count() FROM waves),
    (SELECT count() FROM addresses);
