-- The view of that name.
SELECT * FROM tocsin.click_through;
