"""The sandbox as a process: credentials, ports, listeners, readiness, a clean end."""

import asyncio
import logging
from typing import NamedTuple

from loadtest.sandbox.apns import Apns
from loadtest.sandbox.control import Control
from loadtest.sandbox.credentials import (
    PROJECT,
    TOPIC,
    Credentials,
    Ports,
    ensure_credentials,
    last_ports,
    publish,
    sandbox_folder,
    token_uris,
)  # fmt: skip
from loadtest.sandbox.faults import FaultBoard
from loadtest.sandbox.fcm import Fcm
from loadtest.sandbox.journal import Journal
from loadtest.sandbox.keeping import lock
from loadtest.sandbox.listeners import HttpListener, port_of, reserve
from loadtest.sandbox.oauth import OAuth
from loadtest.sandbox.phones import Phones
from loadtest.sandbox.provider_token import ProviderTokens
from loadtest.sandbox.smtp import PostOffice
from loadtest.sandbox.smtp_server import serve_smtp
from loadtest.sandbox.twilio import Twilio
from loadtest.sandbox.web import Sandbox, sides
from tocsin.process import ready
from tocsin.settings import Settings

_log = logging.getLogger("sandbox")


class Books(NamedTuple):
    """What every listener writes into."""

    journal: Journal
    faults: FaultBoard
    phones: Phones


async def serve(settings: Settings, stop: asyncio.Event, wanted: Ports) -> None:
    """Serve until `stop`. A wanted port of 0 means last time's, or a free one.

    The journal is memory: it ends with the process. Raises `ConfigError` for a port that is taken
    for a file that is broken and for a data directory that another sandbox uses.
    """
    with lock(sandbox_folder(settings.data_dir) / "lock"):
        await _serve(settings, stop, wanted)


async def _serve(settings: Settings, stop: asyncio.Event, wanted: Ports) -> None:
    credentials = ensure_credentials(settings.data_dir)
    last = last_ports(credentials.folder)
    tls_sock = reserve("--tls-port", wanted.tls, last.tls)
    http_sock = reserve("--http-port", wanted.http, last.http)
    smtp_sock = reserve("--smtp-port", wanted.smtp, last.smtp)
    ports = Ports(port_of(tls_sock), port_of(http_sock), port_of(smtp_sock))
    books = Books(journal := Journal(), FaultBoard(), Phones(journal))
    sandbox = _sandbox(credentials, ports, books)
    tls = HttpListener(sandbox.listener(True), tls_sock, credentials.cert, credentials.key)
    plain = HttpListener(sandbox.listener(False), http_sock)
    accounts = credentials.accounts
    office = PostOffice(journal, books.faults, accounts.smtp_user, accounts.smtp_password)
    mail = await serve_smtp(smtp_sock, office)
    await asyncio.gather(tls.start(), plain.start())
    publish(credentials, ports)
    _log.info("control at http://127.0.0.1:%d/sandbox/journal", ports.http)
    ready(settings, "sandbox", http=ports.http, tls=ports.tls, smtp=ports.smtp)
    await stop.wait()
    books.phones.close()
    mail.stop()
    await asyncio.gather(tls.stop(), plain.stop())


def _sandbox(credentials: Credentials, ports: Ports, books: Books) -> Sandbox:
    accounts = credentials.accounts
    tokens = ProviderTokens(
        credentials.apns_key.public_key(), accounts.apns_key_id, accounts.apns_team_id
    )
    secret = bytes.fromhex(accounts.oauth_secret)
    oauth = OAuth(
        credentials.fcm_key.public_key(), credentials.client_email, token_uris(ports), secret
    )
    judges = {
        "apns": Apns(tokens, TOPIC).judge,
        "fcm": Fcm(oauth, PROJECT).judge,
        "twilio": Twilio(accounts.twilio_sid, accounts.twilio_token).judge,
    }
    control = Control(books.journal, books.faults, books.phones, tokens)
    return Sandbox(books.journal, books.faults, books.phones, control, oauth, sides(judges))
