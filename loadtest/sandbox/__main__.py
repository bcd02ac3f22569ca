"""`python -m loadtest.sandbox`: the provider sandbox as one process."""

import argparse
import asyncio
from functools import partial
from pathlib import Path

from loadtest.sandbox.credentials import Ports
from loadtest.sandbox.process import serve
from tocsin.observability.exporter import exporting
from tocsin.process import run
from tocsin.settings import Settings


async def main(options: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> None:
    """Serve until stopped."""
    if options.data_dir is not None:
        settings = settings.model_copy(update={"data_dir": options.data_dir})
    ports = Ports(options.tls_port, options.http_port, options.smtp_port)
    with exporting(settings, settings.process_name or "sandbox"):
        await serve(settings, stop, ports)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m loadtest.sandbox", description=__doc__)
    for name, what in (
        ("tls", "APNs, FCM and Twilio over TLS, HTTP/2 or HTTP/1.1"),
        ("http", "the control routes; FCM and Twilio too, in plain"),
        ("smtp", "SMTP"),
    ):
        made.add_argument(
            f"--{name}-port", type=_port, default=0,
            help=f"{what} (0: the port used last in this data directory if free, else a free one)",
        )  # fmt: skip
    made.add_argument("--data-dir", type=Path, help="overrides TOCSIN_DATA_DIR")
    return made


if __name__ == "__main__":
    # its metrics are announced in the data directory that the command line may name
    run("sandbox", partial(main, parser().parse_args()), metrics=False)
