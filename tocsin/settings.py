"""One frozen Settings, read once at a process's start; nobody else reads the environment.

Names are the environment's, prefix `TOCSIN_`, provider groups nested by their first word
(`TOCSIN_APNS_KEY_FILE` is `settings.apns.key_file`). Unknown names and bad values stop the start.
"""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tocsin import origins
from tocsin.errors import ConfigError

PREFIX = "TOCSIN_"
_TRACKABLE = ("push", "email", "sms", "inapp")
Port = Annotated[int, Field(ge=1, le=65_535)]


def _is(about: str) -> Any:
    """What a setting is for: it goes into docs/reference.md."""
    return Field(description=about)


def _origins(text: str) -> str:
    try:
        origins.parse(text)
    except ValueError as error:
        raise PydanticCustomError("origin", "{why}", {"why": str(error)}) from None
    return text


def _channels(text: str) -> str:
    for name in filter(None, text.split(",")):
        if name.strip() not in _TRACKABLE:
            raise PydanticCustomError("channel", "{n} is none of {all}", {
                "n": repr(name), "all": ", ".join(_TRACKABLE),
            })  # fmt: skip
    return text


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Apns(_Group):
    """Apple Push Notification service: a .p8 key, and the app's bundle id as topic."""

    url: str = "https://api.push.apple.com"
    key_file: Path | None = None
    key_id: str = ""
    team_id: str = ""
    topic: str = ""
    ca_file: Path | None = None


class Fcm(_Group):
    """Firebase Cloud Messaging, HTTP v1: a service account's JSON file."""

    url: str = "https://fcm.googleapis.com"
    credentials_file: Path | None = None
    ca_file: Path | None = None


class Twilio(_Group):
    """Twilio's Messages resource."""

    url: str = "https://api.twilio.com"
    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    sender: str = ""
    ca_file: Path | None = None


class Smtp(_Group):
    """A submission server: `smtp://host:port`, or `smtps://` for TLS from the first byte."""

    url: str = "smtp://127.0.0.1:25"
    user: str = ""
    password: SecretStr = SecretStr("")
    sender: str = "Tocsin Shop <shop@tocsin.example>"
    connections: Annotated[int, Field(ge=1, le=200)] = 8


class Rates(_Group):
    """Token buckets shared by the fleet, in messages per second: the vendors' limits."""

    push: Annotated[float, Field(gt=0)] = 10_000
    sms: Annotated[float, Field(gt=0)] = 1_000
    email: Annotated[float, Field(gt=0)] = 5_000
    otp: Annotated[float, Field(gt=0)] = 500


class Settings(BaseSettings):
    """Everything that can be set. Secrets are masked in `repr`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="forbid",
    )

    kafka_url: Annotated[str, _is("Kafka: kafka://host:port,…")] = "kafka://127.0.0.1:9092"
    redis_url: Annotated[SecretStr, _is("Redis or Valkey")] = SecretStr("redis://127.0.0.1:6379/0")
    clickhouse_url: Annotated[SecretStr, _is("ClickHouse, the writer's account")] = SecretStr(
        "clickhouse://default:@127.0.0.1:8123/tocsin"
    )
    clickhouse_cluster: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_.-]*$"),
        _is("A ClickHouse cluster's name: tables are replicated and distributed"),
    ] = ""
    ray_address: Annotated[str, _is("Ray's head node")] = "127.0.0.1:6380"
    data_dir: Annotated[Path, _is("Embedded engines' files, logs, secrets")] = Path(".tocsin")
    public_url: Annotated[str, _is("Where people reach the API; in links")] = (
        "http://127.0.0.1:8080"
    )
    host: Annotated[str, _is("Address the API and the sockets listen on")] = "127.0.0.1"
    port: Annotated[Port, _is("The API's port")] = 8080
    ws_port: Annotated[Port, _is("The WebSocket shards' port")] = 8081
    ws_url: Annotated[str, _is("Where browsers reach the sockets, if not host and port")] = ""
    origins: Annotated[
        str,
        AfterValidator(_origins),
        _is("Origins of pages that may use API and sockets, https://a,https://b"),
    ] = ""
    sandbox_url: Annotated[str, _is("The provider sandbox's control address; set means demo")] = ""
    log_epoch: Annotated[str, _is("Names one life of an in-memory log; set by the CLI")] = ""
    jwt_secret: Annotated[SecretStr, _is("Signs tokens (HS256), 32 bytes or more")] = SecretStr("")
    jwt_jwks_url: Annotated[str, _is("An identity provider's keys (RS256, ES256)")] = ""
    otp_secret: Annotated[SecretStr, _is("Pepper and encryption key of one-time codes")] = (
        SecretStr("")
    )
    link_secrets_old: Annotated[
        SecretStr, _is("Secrets that sealed links before; theirs still work: a,b")
    ] = SecretStr("")
    link_days: Annotated[float, Field(gt=0, le=3_650), _is("How long links in messages work")] = 90
    track: Annotated[
        str, AfterValidator(_channels), _is("Channels whose links are counted; empty: none")
    ] = "push,email,sms,inapp"
    process_name: Annotated[str, _is("A worker's name where several run; set by the CLI")] = ""
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], _is("How much processes log")
    ] = "INFO"

    log_format: Annotated[
        Literal["text", "json"], _is("Logs for people, or one JSON object a line")
    ] = "text"
    metrics_port: Annotated[
        int,
        Field(ge=0, le=65_535),
        _is("First port tried for /metrics; a host's other processes take the next. 0: any free"),
    ] = 0

    partitions: Annotated[int, Field(ge=1, le=1_000), _is("Partitions of every topic")] = 4
    replication: Annotated[int, Field(ge=1, le=9), _is("Replicas of every topic")] = 1
    push_senders: Annotated[int, Field(ge=1, le=500), _is("Push sender actors")] = 1
    sms_senders: Annotated[int, Field(ge=1, le=500), _is("SMS sender actors")] = 1
    email_senders: Annotated[int, Field(ge=1, le=500), _is("Email sender actors")] = 1
    shards: Annotated[int, Field(ge=1, le=500), _is("Connection shard actors")] = 1
    shards_max: Annotated[
        int, Field(ge=1, le=500), _is("Shards there may be when many are connected")
    ] = 4
    shard_connections: Annotated[
        int, Field(ge=1, le=100_000), _is("Sockets a shard should hold; beyond, one more is made")
    ] = 20_000
    shard_accepts: Annotated[
        float, Field(gt=0), _is("New sockets a shard takes per second; others are sent away")
    ] = 500
    actor_groups: Annotated[
        bool,
        _is("Actors live on the Ray nodes of their group, and outlive the process that makes them"),
    ] = False
    stream_workers: Annotated[int, Field(ge=1, le=100), _is("Bulk Faust workers")] = 1
    rules_file: Annotated[
        Path | None, _is("Rules of types, caps and retries over streams/rules.toml")
    ] = None
    dedupe_hours: Annotated[float, Field(gt=0), _is("How long ids are remembered")] = 24
    sms_countries: Annotated[
        str, _is("Dialling prefixes OTPs may go to, as +44,+49; empty: all")
    ] = ""

    apns: Apns = Apns()
    fcm: Fcm = Fcm()
    twilio: Twilio = Twilio()
    smtp: Smtp = Smtp()
    rate: Rates = Rates()

    def link_secret(self) -> str:
        """What links in messages are sealed with. Every process has one of the two secrets: where
        an identity provider signs the tokens, there is none for those."""
        return self.jwt_secret.get_secret_value() or self.otp_secret.get_secret_value()

    def old_link_secrets(self) -> tuple[str, ...]:
        """What links were sealed with before: `a,b` as ("a", "b")."""
        old = self.link_secrets_old.get_secret_value().split(",")
        return tuple(each.strip() for each in old if each.strip())

    def tracked(self) -> frozenset[str]:
        """`push,email` as a set; without a secret nothing can be told from a forged link."""
        if not self.link_secret():
            return frozenset()
        return frozenset(each.strip() for each in self.track.split(",") if each.strip())

    def otp_prefixes(self) -> tuple[str, ...]:
        """`+44,+49` as ("+44", "+49"); empty: anywhere."""
        return tuple(p.strip() for p in self.sms_countries.split(",") if p.strip())

    def web_origins(self) -> tuple[str, ...]:
        """`origins` as browsers send them: ("https://a.example", "https://b.example:8443")."""
        return origins.parse(self.origins)

    def kafka_servers(self) -> list[str]:
        """`kafka://a:1,b:2` as ["a:1", "b:2"]."""
        return self.kafka_url.removeprefix("kafka://").split(",")


def names() -> frozenset[str]:
    """Every environment name that is understood."""
    found = set()
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, _Group):
            found |= {f"{PREFIX}{name}_{inner}".upper() for inner in kind.model_fields}
        else:
            found.add(f"{PREFIX}{name}".upper())
    return frozenset(found)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The process's settings. Raises `ConfigError`, one line, naming the variable."""
    environ = os.environ if environ is None else environ
    known = names()
    for name in environ:
        if name.startswith(f"{PREFIX}TEST_"):  # the test suite's own, inherited by what it starts
            continue
        if name.startswith(PREFIX) and name.upper() not in known:
            raise ConfigError(f"{name} is not a setting{_closest(name, known)}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(f"{name}: {first['msg']}") from None


def _closest(name: str, known: frozenset[str]) -> str:
    close = get_close_matches(name.upper(), known, n=1)
    return f"; did you mean {close[0]}?" if close else "; `tocsin up --help` lists them"
