"""Whether ClickHouse, embedded or not, answers. The embedded one is analytics' own process."""

from urllib.error import URLError
from urllib.request import urlopen


def answers(port: int, host: str = "127.0.0.1", secure: bool = False) -> bool:
    """Whether its HTTP interface says ``Ok.`` to a ping."""
    try:
        with urlopen(f"http{'s' * secure}://{host}:{port}/ping", timeout=3) as response:  # noqa: S310
            return bool(response.read().strip() == b"Ok.")
    except (URLError, OSError):
        return False
