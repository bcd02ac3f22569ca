"""The one pooled HTTP client of an actor process, and what its failures mean for a message."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    DetailedPyreqwestError,
    PoolTimeoutError,
    PyreqwestError,
)
from pyreqwest.response import Response

from tocsin.errors import Ambiguous, Permanent, ProviderDown

TIMEOUT: Final = timedelta(seconds=10)
"""Of one request, connection included."""

_CONNECT_TIMEOUT: Final = timedelta(seconds=5)
_CONNECTING: Final = "client error (Connect)"


def make_client(ca_files: Iterable[Path | None] = (), timeout: timedelta = TIMEOUT) -> Client:
    """HTTP/2 where the server offers it, else HTTP/1.1; connections are kept and shared.

    Trusts the system's authorities and those in `ca_files`. No redirects: a provider's address is
    configuration, and a message must not wander.
    """
    builder = (
        ClientBuilder()
        .http2(True)
        .follow_redirects(False)
        .referer(False)
        .timeout(timeout)
        .connect_timeout(min(_CONNECT_TIMEOUT, timeout))
        # a peer that went away without a word is noticed by a ping, not by every message's time-out
        .http2_keep_alive_interval(timedelta(seconds=15))
        .http2_keep_alive_timeout(timedelta(seconds=5))
    )
    for path in {path for path in ca_files if path}:
        builder = builder.add_root_certificate_pem(path.read_bytes())
    return builder.build()


async def post(
    client: Client, provider: str, url: str, headers: Mapping[str, str], body: bytes
) -> Response:
    """POST and read the whole answer, whatever its status.

    Raises `ProviderDown` when no connection was had, `Ambiguous` when one was and the answer was
    lost, `Permanent` when no request can be made of this. Names the class of the failure only: the
    client's own message holds the URL, and a URL may hold a device token.
    """
    try:
        return await client.post(url).headers(headers).body_bytes(body).build().send()
    except (BuilderError, ValueError) as error:
        raise Permanent(f"unsendable request: {type(error).__name__}", provider) from None
    except PyreqwestError as error:
        if never_left(error):
            raise ProviderDown("no connection", provider) from None
        raise Ambiguous("connection lost or too slow", provider) from None


def never_left(error: PyreqwestError) -> bool:
    """Whether a request failed before a byte of it could leave.

    The class does not tell: pyreqwest 0.15 calls everything up to the first byte of the answer a
    ConnectError or ConnectTimeoutError, a connection cut after the request too. What hyper says in
    the chain of causes does. When in doubt the request left; tests hold this against real cuts.
    """
    if isinstance(error, PoolTimeoutError):
        return True
    causes = error.details.get("causes") if isinstance(error, DetailedPyreqwestError) else None
    return any(cause["message"] == _CONNECTING for cause in causes or ())
