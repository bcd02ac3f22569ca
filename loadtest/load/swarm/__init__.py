"""The Locust side: one crew a process, one User class a stream. Importing it patches everything
(gevent), so only `locust` itself does, by way of the locustfile."""
