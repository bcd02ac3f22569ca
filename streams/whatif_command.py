"""`tocsin whatif`: a stretch of the log judged again under other rules or preferences.

Reads the log and the store, writes nowhere.
"""

import asyncio
import sys
from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streams.route import people, wanted
from streams.rules import Rules, load_rules
from streams.tally import EVERY, Say
from streams.whatif import Asked, Compare, Patch, asked_of
from streams.whatif_ask import moment, people_of, read_patch
from streams.whatif_report import Report, as_json, print_report
from streams.window import Logged, Window
from tocsin import settings as settings_module
from tocsin.clock import SystemClock
from tocsin.errors import ConfigError, Invalid, TocsinError
from tocsin.process import collect_rarely
from tocsin.records import Channel, Profile
from tocsin.settings import Settings
from tocsin.store import Profiles, Templates, connect
from tocsin.templates import Catalogue, Choose, Chosen

BATCH: Final = 500
"""Requests judged with one call each for people and words."""

_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_USAGE: Final = 2


class Ask(NamedTuple):
    """`now` are the rules in force, `then` the others; accepted in [since, until)."""

    now: Rules
    then: Rules
    patch: Patch
    since: datetime
    until: datetime
    examples: int


class Judges:
    """Brings to each request what the router would have: people and words, as they are today."""

    def __init__(self, redis: Redis, catalogue: Catalogue) -> None:
        self._catalogue, self._profiles = catalogue, Profiles(redis)
        self._choose = Choose(catalogue, Templates(redis))

    async def asked(self, logged: Sequence[Logged]) -> list[Asked]:
        """One call for people, and one for words that are news. Raises what Redis raises."""
        requests = [each.request for each in logged]
        profiles = await people(self._profiles, requests)
        chosen = await self._choose.many([wanted(request) for request in requests])
        found = []
        for each, profile, words in zip(logged, profiles, chosen, strict=True):
            request, accepted_at, seen_at = each
            channels = self._channels(words, profile)
            found.append(asked_of(request, accepted_at, profile, words, channels, seen_at))
        return found

    def _channels(self, words: Chosen | Invalid, profile: Profile | None) -> Container[Channel]:
        if isinstance(words, Invalid):
            return ()
        return self._catalogue.channels(words, profile.locale if profile else "")


async def judge(settings: Settings, ask: Ask, say: Say) -> Report:
    """Read, sort, judge twice, and say how far it is. Raises what Kafka and Redis raise."""
    redis = await connect(settings)
    try:
        catalogue = Catalogue()
        for template in await Templates(redis).all():
            catalogue.put(template)
        judges, strangers = Judges(redis, catalogue), people_of(ask.patch)
        dedupe = timedelta(hours=settings.dedupe_hours)
        comparing = Compare(ask.now, ask.then, ask.patch, ask.examples, dedupe)
        with Window(ask.since, ask.until) as window:
            await window.fill(settings, say)
            for batch in window.batches(BATCH):
                for each in await judges.asked(batch):
                    strangers.discard(each.request.user_id)
                    comparing.add(each)
                _progress(comparing.difference.requests, say)
            counts = window.counts
    finally:
        await redis.aclose()
    return Report(
        ask.since, ask.until, ask.now.fingerprint, ask.then.fingerprint, counts,
        comparing.difference, sorted(strangers),
    )  # fmt: skip


def _progress(requests: int, say: Say) -> None:
    if requests % EVERY == 0:
        say(f"{requests:,} requests judged")


def ask_of(
    settings: Settings,
    rules: Path | None,
    preferences: Path | None,
    since: str,
    until: str,
    examples: int,
    now: datetime,
) -> Ask:
    """The options as one. Raises `ConfigError` or `Invalid` naming the file or option."""
    if rules is None and preferences is None:
        raise ConfigError(
            "nothing to compare with: give --rules FILE.toml (laid over the bundled rules, as "
            'TOCSIN_RULES_FILE is), or --preferences FILE.json ({"<user id>" or "*": {…}}), or both'
        )
    in_force = load_rules(settings.rules_file)
    begin = moment("--since", since, now) if since else _EVER
    end = moment("--until", until, now) if until else now
    if begin >= end:
        raise Invalid("--since", f"{begin.isoformat()} is not before {end.isoformat()}")
    return Ask(
        now=in_force,
        then=load_rules(rules) if rules else in_force,
        patch=read_patch(preferences) if preferences else {},
        since=begin,
        until=end,
        examples=examples,
    )


app = typer.Typer(name="tocsin whatif", add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    rules: Annotated[
        Path | None,
        typer.Option(help="Rules to try in place of those in force (TOML)", metavar="FILE"),
    ] = None,
    preferences: Annotated[
        Path | None,
        typer.Option(
            help='Preferences to try (JSON): {"<user id>" or "*": {merge patch}}', metavar="FILE"
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(help="RFC 3339, or an age: 2h; else all there is", metavar="T")
    ] = "",
    until: Annotated[
        str, typer.Option(help="RFC 3339, or an age: 30m; else now", metavar="T")
    ] = "",
    examples: Annotated[
        int, typer.Option(help="Changes shown one by one, with their trace", min=0, max=10_000)
    ] = 10,
    as_json_: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """What other rules or preferences would have made of the requests in the log. Sends nothing.

    Each request is judged twice, in the order in which they were accepted: as it would be decided
    on today, and with the change.
    """
    say = partial(print, file=sys.stderr, flush=True)
    try:
        settings = settings_module.load()
        ask = ask_of(settings, rules, preferences, since, until, examples, SystemClock().now())
        collect_rarely()
        report = asyncio.run(judge(settings, ask, say))
    except (ConfigError, Invalid) as error:
        say(f"tocsin whatif: {error}")
        raise typer.Exit(_USAGE) from None
    except (TocsinError, KafkaError, RedisError, OSError) as error:
        sys.exit(f"tocsin whatif: {error}")
    if as_json_:
        sys.stdout.buffer.write(as_json(report))
    else:
        print_report(report)


if __name__ == "__main__":
    app(prog_name="tocsin whatif")
