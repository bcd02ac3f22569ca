"""The bench: what the system carries on this machine, and what the bare loop would."""
