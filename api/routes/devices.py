"""Devices: where push goes."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from msgspec.structs import replace

from api.bodies import DeviceBody
from api.call import Call, answer, self_or
from api.people import known
from api.schema import described
from api.services import Services
from tocsin.errors import Invalid
from tocsin.records import Device, Profile

router = APIRouter(tags=["devices"])

MOST: Final = 20
_ID_CHARS: Final = 128

Choice = Callable[[Profile | None], tuple[str, DeviceBody]]
"""Which device, and what it is to be, from the person as stored."""

Caller = Annotated[Call, Depends(self_or("users:write"))]


@router.put(
    "/v1/users/{user_id}/devices/{device_id}",
    **described(DeviceBody, Device, 200, ["users:write"], own=True),
)
async def put_device(user_id: str, device_id: str, call: Caller) -> Response:
    """Add a device or renew its token; the oldest goes when there are more than 20."""
    if not 1 <= len(device_id) <= _ID_CHARS:
        raise Invalid("", f"a device id has 1 to {_ID_CHARS} characters")
    body = await call.body(DeviceBody)
    _, device = await keep(call.services, user_id, lambda _: (device_id, body))
    return answer(device)


async def keep(services: Services, user_id: str, choose: Choice) -> tuple[str, Device]:
    """The device as it is kept, and its id. Raises what `choose` does, and for somebody unknown."""
    now, kept = services.clock.now(), {}

    def step(before: Profile | None) -> Profile:
        device_id, body = choose(before)
        there = known(before, user_id)
        # the step may run again; what it said last is what is stored
        kept["it"] = device_id, Device(body.platform, body.token, now)
        return replace(there, devices=_newest(there.devices | dict([kept["it"]])))

    await services.people.change(user_id, step)
    return kept["it"]


def _newest(devices: dict[str, Device]) -> dict[str, Device]:
    by_age = sorted(devices, key=lambda i: at.timestamp() if (at := devices[i].updated_at) else 0)
    return {device_id: devices[device_id] for device_id in by_age[-MOST:]}


@router.delete(
    "/v1/users/{user_id}/devices/{device_id}",
    **described(None, None, 204, ["users:write"], own=True),
)
async def delete_device(user_id: str, device_id: str, call: Caller) -> Response:
    """Forget a device; one that is not there is forgotten already."""

    def step(before: Profile | None) -> Profile:
        there = known(before, user_id)
        if device_id not in there.devices:
            return there
        left = {i: d for i, d in there.devices.items() if i != device_id}
        return replace(there, devices=left)

    await call.services.people.change(user_id, step)
    return Response(status_code=204)
