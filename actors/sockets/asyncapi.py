"""The AsyncAPI 3 document of the sockets, from the frames: `python -m actors.sockets.asyncapi`."""

import json
from typing import Any, Final, get_args

import msgspec

from actors.sockets import close_codes
from actors.sockets.frames import ClientFrame, Pong, ServerFrame
from actors.sockets.item import Item
from tocsin import __version__

_ABOUT: Final = (
    "JSON text frames with `op`. The first is the client's hello, within 10 s; the ticket is "
    "GET /v1/ws-ticket's. How a connection ends is in x-close-codes."
)
_NOTIFICATION: Final = "Notification"


def document() -> dict[str, Any]:
    """Every frame either side may send with its JSON Schema, and every close code."""
    said, heard = get_args(ClientFrame), (*get_args(ServerFrame), Pong)
    _, schemas = msgspec.json.schema_components(
        (*said, *heard, Item), ref_template="#/components/schemas/{name}"
    )
    schemas[_NOTIFICATION] = _notification()
    hears = [*(kind.__name__ for kind in heard), _NOTIFICATION]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Tocsin sockets", "version": __version__, "description": _ABOUT},
        "channels": {
            "socket": {
                "address": "/",
                "messages": {name: _message(name) for name in (*map(_name, said), *hears)},
                "bindings": {"ws": {"method": "GET"}},
            }
        },
        "operations": {
            "say": _operation("receive", [kind.__name__ for kind in said]),
            "hear": _operation("send", hears),
        },
        "components": {"schemas": schemas},
        "x-close-codes": [_ending(code) for code in close_codes.TABLE],
    }


def _notification() -> dict[str, Any]:
    """The inbox item as stored, behind what is the frame's own (frames.notification)."""
    own = {
        "op": {"enum": ["notification"]},
        "offset": {"type": "integer", "minimum": 1},
        "unread": {"type": "integer", "minimum": 0},
        "read": {"type": "boolean", "description": "Read elsewhere before it came here"},
    }
    frame = {"type": "object", "required": ["op", "offset"], "properties": own}
    return {"allOf": [frame, {"$ref": "#/components/schemas/Item"}]}


def _name(kind: type[Any]) -> str:
    return kind.__name__


def _message(name: str) -> dict[str, Any]:
    return {
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _operation(action: str, names: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"} for name in names],
    }


def _ending(code: close_codes.CloseCode) -> dict[str, Any]:
    return {
        "code": code.code,
        "reason": code.name,
        "when": code.meaning,
        "reconnect": code.reconnect.value,
        "how": code.how,
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=2))
