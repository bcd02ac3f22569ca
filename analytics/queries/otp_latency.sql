-- The view of that name.
SELECT * FROM tocsin.otp_latency;
