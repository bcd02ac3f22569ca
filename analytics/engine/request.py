"""One HTTP request to ClickHouse, taken apart. Pure."""

import base64
import binascii
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from analytics.engine.problem import NOT_IMPLEMENTED, Problem

_OURS: Final = frozenset(
    {
        "query", "user", "password", "database", "default_format", "query_id", "quota_key", "role",
        "session_id", "session_timeout", "session_check", "session_close", "buffer_size",
        "wait_end_of_query", "client_protocol_version", "stacktrace", "compress", "decompress",
        "send_progress_in_http_headers", "http_headers_progress_interval_ms",
        "enable_http_compression", "http_zlib_compression_level", "http_response_buffer_size",
    }
)  # fmt: skip
"""What the transport itself consumes; every other name is a setting. Sessions are not kept."""


@dataclass(frozen=True)
class Request:
    """What is asked, by whom, in which database, and how the answer shall look."""

    query: bytes
    data: bytes
    user: str
    password: str
    database: str
    format: str
    query_id: str
    accepts: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    changes_nothing: bool

    @property
    def sql(self) -> bytes:
        """The query, wherever it came: in the URL, in the body, or begun in one and ended in the
        other."""
        return b"\n".join(part for part in (self.query, self.data) if part)


def take_apart(
    method: str, fields: Iterable[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> Request:
    """`fields` are the URL's and the form's; `headers` is case-insensitive; `body` is decoded.

    Raises `Problem` for what is not offered here.
    """
    said = dict(fields)
    if said.get("compress", "0") not in ("0", "") or said.get("decompress", "0") not in ("0", ""):
        reason = "compress=1 (ClickHouse's own framing); use enable_http_compression=1"
        raise Problem(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", reason)
    user, password = _credentials(said, headers)
    return Request(
        query=said.get("query", "").encode(),
        data=body,
        user=user,
        password=password,
        database=said.get("database", "") or headers.get("X-ClickHouse-Database", ""),
        format=said.get("default_format", "") or headers.get("X-ClickHouse-Format", ""),
        query_id=said.get("query_id", "") or str(uuid.uuid4()),
        accepts=_accepts(said, headers),
        parameters={k.removeprefix("param_"): v for k, v in said.items() if k.startswith("param_")},
        settings={k: v for k, v in said.items() if k not in _OURS and not k.startswith("param_")},
        changes_nothing=method in ("GET", "HEAD"),
    )


def _accepts(said: Mapping[str, str], headers: Mapping[str, str]) -> str:
    wanted = said.get("enable_http_compression", "0") in ("1", "true")
    return headers.get("Accept-Encoding", "") if wanted else ""


def _credentials(said: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """From the URL, ClickHouse's own headers, or HTTP Basic; without any, `default`."""
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Problem(516, "AUTHENTICATION_FAILED", "Invalid HTTP Basic credentials") from None
        return user or "default", password
    user = said.get("user", "") or headers.get("X-ClickHouse-User", "")
    return user or "default", said.get("password", "") or headers.get("X-ClickHouse-Key", "")
