"""The bench of a shard's sockets: idle ones, pushes, whole deliveries, and everybody coming back."""
