SELECT state, if(state = 'delivered', '', reason) AS why, count()
FROM deliveries
ARRAY JOIN states AS state
GROUP BY state, why
ORDER BY state, why;
