"""Whether ClickHouse, embedded or not, answers. The embedded one is analytics' own process."""

from urllib.error import URLError
from urllib.request import urlopen


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether its HTTP interface says ``Ok.`` to a ping."""
    try:
        with urlopen(f"http://{host}:{port}/ping", timeout=1) as response:
            return bool(response.read().strip() == b"Ok.")
    except (URLError, OSError):
        return False
