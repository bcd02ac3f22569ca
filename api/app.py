"""The application: routes, errors, metrics and its own description."""

from fastapi import FastAPI

from api import cors, problems, schema
from api.metered import Metered
from api.pages import router as pages
from api.routes import (
    broadcasts,
    cancellations,
    devices,
    inbox,
    inventory,
    notifications,
    ops,
    ops_books,
    ops_letters,
    ops_people,
    ops_watch,
    otp,
    preferences,
    presence,
    seed,
    shop,
    stats,
    subscriptions,
    templates,
    tickets,
    topics,
    unsubscribe,
    users,
)
from api.services import Services
from tocsin import __version__

_ABOUT = """\
Register people, tell them things, sign them up for what is out of stock. Requests are answered when
they are safe in Kafka; every error is problem details (RFC 9457) that name the field.
"""


def create_app(services: Services | None = None) -> FastAPI:
    """The ASGI application. Without `services` it can only describe itself."""
    app = FastAPI(
        title="Tocsin",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    for module in (
        # the busiest first: routes are tried in order, and each try costs some microseconds
        notifications, otp, inventory, users, subscriptions, preferences, devices, inbox, tickets,
        cancellations, topics, broadcasts, presence, stats, templates, unsubscribe, ops, seed,
        ops_watch, ops_books, ops_letters, ops_people,
    ):  # fmt: skip
        app.include_router(module.router)
    app.include_router(pages)
    shop.install(app, services)
    app.add_middleware(Metered)
    problems.install(app)
    schema.install(app)
    if services and (origins := services.settings.web_origins()):
        # around everything, the answers to our own faults too; `add_middleware` would be inside
        app.middleware_stack = cors.allow(app.build_middleware_stack(), origins)
    return app
