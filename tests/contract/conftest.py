"""The engines of the integration tests serve the contract suites too."""

from tests.integration.conftest import redis, redis_url, sandbox_env, store_settings

__all__ = ["redis", "redis_url", "sandbox_env", "store_settings"]
