"""Manifests as tests see them: rendered, against their schemas, against one another."""
