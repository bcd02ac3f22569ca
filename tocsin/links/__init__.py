"""Links that prove themselves: sealed by whoever sends a message, opened by the api.

Put into messages as ``/c/{token}`` (a click), ``/o/{token}.gif`` (an open) and ``/u/{token}`` (one
click unsubscribes). What they say is encrypted and authenticated: nobody reads in an address whose
it is, and nobody makes one that leads elsewhere.
"""

from tocsin.links.seals import Link, Purpose, Seals
from tocsin.links.sent import Sent
from tocsin.links.unsubscribe import Unsubscribe

__all__ = ["Link", "Purpose", "Seals", "Sent", "Unsubscribe"]
