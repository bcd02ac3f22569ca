"""The bench of a shard's sockets: idle, pushed to, delivered to, and all coming back at once."""
