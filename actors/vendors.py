"""Which provider serves which kind of address, by the settings. Adding a vendor is a file in
providers/ and a line here."""

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from pyreqwest.client import Client
from redis.asyncio import Redis

from actors.providers import Provider
from actors.providers.apns_token import ApnsToken
from actors.providers.email_smtp import EmailSmtp
from actors.providers.fcm_token import service_credentials
from actors.providers.http import make_client
from actors.providers.push_apns import PushApns
from actors.providers.push_fcm import PushFcm
from actors.providers.sms_twilio import SmsTwilio
from tocsin.errors import ConfigError
from tocsin.records import Channel
from tocsin.settings import Settings

log = logging.getLogger(__name__)

Vendors = Mapping[str, Provider]
"""Kind of address (ios, android, web, sms, email) to provider; without a kind, no provider."""

MakeVendors = Callable[[Settings, Collection[Channel], Redis], Vendors]


def make_vendors(settings: Settings, channels: Collection[Channel], redis: Redis) -> Vendors:
    """The providers of these channels that are configured, all over one HTTP client.

    Raises `ConfigError` for one that is configured wrongly; warns of one that is not at all.
    """
    client = make_client((settings.apns.ca_file, settings.fcm.ca_file, settings.twilio.ca_file))
    found: dict[str, Provider] = {}
    if Channel.PUSH in channels:
        found |= _push(settings, client, redis)
    if Channel.SMS in channels:
        if settings.twilio.account_sid:
            found["sms"] = SmsTwilio(settings.twilio, settings.public_url, client)
        else:
            log.warning("no SMS: TOCSIN_TWILIO_ACCOUNT_SID is not set")
    if Channel.EMAIL in channels:
        found["email"] = EmailSmtp(settings.smtp)
    return found


def _push(settings: Settings, client: Client, redis: Redis) -> dict[str, Provider]:
    found: dict[str, Provider] = {}
    apns, fcm = settings.apns, settings.fcm
    if apns.key_file:
        key = _read("TOCSIN_APNS_KEY_FILE", apns.key_file)
        found["ios"] = PushApns(apns, client, ApnsToken(redis, key, apns.key_id, apns.team_id))
    else:
        log.warning("no push to Apple devices: TOCSIN_APNS_KEY_FILE is not set")
    if fcm.credentials_file:
        try:
            credentials = service_credentials(fcm.credentials_file)
        except (OSError, ValueError) as error:
            raise ConfigError(f"TOCSIN_FCM_CREDENTIALS_FILE: {error}") from None
        found["android"] = found["web"] = PushFcm(fcm, client, credentials)
    else:
        log.warning("no push to Android: TOCSIN_FCM_CREDENTIALS_FILE is not set")
    return found


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise ConfigError(f"{name}: {error}") from None
