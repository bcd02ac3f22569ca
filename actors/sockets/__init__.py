"""One shard's WebSockets: the protocol, the people connected, and the way to their sockets."""
