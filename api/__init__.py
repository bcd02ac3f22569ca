"""The HTTP face: REST in, Kafka out, and the web pages. Reads the store and analytics."""
