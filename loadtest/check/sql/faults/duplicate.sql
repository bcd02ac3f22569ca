-- One delivery received twice at one address, or ended in two ways; more restock notifications of a
-- SKU than the person signed up for it.
SELECT length(receipts) - length(arrayDistinct(receipts.address)) AS units,
    arrayMax(receipts.at) AS at,
    concat(name, ': received ', toString(length(receipts)), ' times at ',
        toString(length(arrayDistinct(receipts.address))), ' addresses') AS example
FROM deliveries
WHERE sure >= 2 AND length(receipts) > 1
    AND length(receipts) > length(arrayDistinct(receipts.address))
UNION ALL
SELECT 1, ended_at, concat(name, ': ended as ', arrayStringConcat(arraySort(states), ' and '))
FROM deliveries
WHERE sure >= 2 AND length(states) > 1
UNION ALL
SELECT t.times - s.asked, s.answered,
    concat('sign-up ', s.name, ': ', toString(s.asked), ' of them, told ', toString(t.times), ' times')
FROM (SELECT user, sku, count() AS times FROM told GROUP BY user, sku) AS t
INNER JOIN sign_ups AS s ON t.user = s.user AND t.sku = s.sku
WHERE t.times > s.asked
