"""`locust -f loadtest/load/locustfile.py`: headless, with its page, `--master` or `--worker`.

Users given to Locust are only hands: what is asked, and when, is the shape's business, and each
worker has as many carriers as its part needs, whatever the number of users. One user is enough.
"""

import logging
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from loadtest.load.swarm import options
from loadtest.load.swarm.carrier import Carrier
from loadtest.load.swarm.crew import Crew
from loadtest.load.swarm.producers import ByKafka, InBatches, OneByOne
from loadtest.load.swarm.shop import Analyst, Clicker, Leaver, Login, SignUp, Sleeper, Stocker
from loadtest.load.swarm.shoppers import Returner, Shopper
from tocsin import settings as settings_module
from tocsin.errors import TocsinError

log = logging.getLogger(__name__)

CLASSES = (
    OneByOne, InBatches, ByKafka, Stocker, SignUp, Login, Leaver, Sleeper, Clicker, Analyst,
    Shopper, Returner,
)  # fmt: skip
SETTINGS = settings_module.load()
_DONE = "load_done"
_ended: set[str] = set()

Carrier.host = SETTINGS.public_url


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    options.add(parser)


@events.init.add_listener
def listen(environment: Environment, **_: Any) -> None:
    """The master ends the load when every worker has ended its part."""
    if isinstance(environment.runner, MasterRunner):
        environment.runner.register_message(_DONE, _worker_done)


@events.test_start.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Everywhere: the master settles what is to be done, the others do it."""
    runner = environment.runner
    _ended.clear()
    try:
        if not isinstance(runner, WorkerRunner):
            options.settle(environment, SETTINGS)
        if not isinstance(runner, MasterRunner):
            Carrier.crew = Crew(SETTINGS, options.share(environment))
            gevent.spawn(_work, environment, Carrier.crew)
    except (TocsinError, ValueError) as error:
        log.error("%s", error)
        environment.process_exit_code = 2
        gevent.spawn(runner.quit)


@events.test_stopping.add_listener
def stop(**_: Any) -> None:
    if Carrier.crew:
        Carrier.crew.stop()


@events.test_stop.add_listener
def close(environment: Environment, **_: Any) -> None:
    """The calls still on their way were cut off just now: their outcome is unknown."""
    if Carrier.crew:
        Carrier.crew.close()
    environment.process_exit_code = environment.process_exit_code or 0


def _work(environment: Environment, crew: Crew) -> None:
    runner = environment.runner
    keeping = gevent.spawn(_keep_hands, runner, crew)
    crew.work()
    keeping.kill()
    if isinstance(runner, WorkerRunner):
        runner.send_message(_DONE, runner.client_id)
    else:
        _end(environment)


def _keep_hands(runner: Runner, crew: Crew) -> None:
    """As many carriers as the crew wants, again when Locust has come to another count: a master
    tells its workers how many users of each class it knows of, and what is more is ended."""
    wanted = {each.__name__: crew.carriers(each.stream) for each in CLASSES}
    while True:
        there = runner.user_classes_count
        runner.spawn_users(
            {name: count - there[name] for name, count in wanted.items() if count > there[name]}
        )
        gevent.sleep(0.25)


def _worker_done(environment: Environment, msg: Any, **_: Any) -> None:
    _ended.add(str(msg.data))
    if len(_ended) >= environment.parsed_options.load_workers:
        gevent.spawn(_end, environment)


def _end(environment: Environment) -> None:
    chosen, runner = environment.parsed_options, environment.runner
    quit_now = chosen.quit_when_done or chosen.headless
    gevent.spawn(runner.quit if quit_now else runner.stop)
