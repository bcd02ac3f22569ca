"""Taking back what is not sent yet."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.call import Call, answer, service
from api.cancel import Cancelled
from api.schema import described

router = APIRouter(tags=["notifications"])

_WRITE = ["notifications:write"]
Writer = Annotated[Call, Depends(service(*_WRITE))]


@router.delete("/v1/notifications/{notification_id}", **described(None, Cancelled, 200, _WRITE))
async def cancel_notification(notification_id: str, call: Writer) -> Response:
    """Cancel what is not sent yet, also what waits for its hour or its next attempt; again, it
    changes nothing. 404 for an id nobody has heard of, 409 when on every channel it is too late."""
    by = call.identity.subject
    return answer(await call.services.cancel.take_back(notification_id, by))
