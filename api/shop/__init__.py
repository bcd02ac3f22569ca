"""The demo shop: its back end for its front end, beside the provider sandbox only."""
