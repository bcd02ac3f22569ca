-- Stock changes.
SELECT count() FROM tocsin.inventory FINAL;
