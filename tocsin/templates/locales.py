"""Which locales are tried for a person, in order. Pure."""

from collections.abc import Iterator


def plain(locale: str) -> str:
    """`de_AT` and `de-at` are the same."""
    return locale.replace("_", "-").lower()


def chain(locale: str, default: str) -> Iterator[str]:
    """`zh-Hant-TW`, `zh-Hant`, `zh`, and last the default, all `plain`."""
    wanted = plain(locale)
    while wanted:
        yield wanted
        wanted = wanted.rpartition("-")[0]
    yield plain(default)
