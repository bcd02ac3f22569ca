-- The view of that name.
SELECT * FROM tocsin.delivery_funnel;
