"""For operators: alive, ready, metrics."""

import asyncio
from typing import Final

import msgspec
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from api.call import answer, services_of
from api.schema import described
from api.services import Services
from tocsin.store import View

router = APIRouter(tags=["operations"])

_PATIENCE: Final = 2.0


class Health(msgspec.Struct):
    """`ok`, and of each engine whether it answered within 2 s."""

    ok: bool
    engines: dict[str, bool] = {}


@router.get("/healthz", **described(None, Health, scopes=None))
async def healthz() -> Response:
    """This process answers."""
    return answer(Health(True))


@router.get("/readyz", **described(None, Health, scopes=None, also=[503]))
async def readyz(request: Request) -> Response:
    """Whether requests can be kept: Kafka and the store answer, and the store was not emptied (then
    `tocsin rebuild` restores it). 503 if not."""
    services = services_of(request)
    kafka, redis = await asyncio.gather(_kafka(services), _redis(services))
    return answer(
        Health(kafka and redis, {"kafka": kafka, "redis": redis}), 200 if kafka and redis else 503
    )


async def _kafka(services: Services) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            await services.producer.client.fetch_all_metadata()
    except (KafkaError, TimeoutError):
        return False
    return True


async def _redis(services: Services) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await View(services.redis).is_whole()
    except (RedisError, TimeoutError):
        return False


@router.get("/metrics", response_class=Response, include_in_schema=True)
async def metrics() -> Response:
    """Prometheus text."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
