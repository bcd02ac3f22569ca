"""Tiny programs in place of the real ones, for tests of how processes are kept."""
