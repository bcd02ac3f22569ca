-- How many of a class, and the first twenty.
SELECT toUInt64(sum(units)), arrayMap(each -> each.2, groupArraySorted(20)((at, example)))
FROM
(
    $faults
);
