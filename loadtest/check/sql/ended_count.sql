SELECT count()
FROM tocsin.deliveries
WHERE accepted_at >= {since:DateTime64(3, 'UTC')};
