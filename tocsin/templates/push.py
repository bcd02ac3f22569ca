"""What a push is on the wire, as far as its words decide its size."""

from typing import Any, Final

from tocsin.templates.content import Content

MOST_BYTES: Final = 4_096
"""Apple's and Google's bound on a payload."""


def apns_payload(delivery_id: str, kind: str, content: Content) -> dict[str, Any]:
    """The JSON Apple hands to the app; our own names stand beside `aps`. FCM's is no larger."""
    alert = {"title": content.title, "body": content.body}
    return {
        "aps": {"alert": alert, "sound": "default"},
        "delivery_id": delivery_id,
        "type": kind,
        "link": content.link,
    }
