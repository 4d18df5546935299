"""Config: the one TOML file and the BAROGRAPH_* environment, as typed values."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from schemas.entity import Entity
from schemas.event import Record
from schemas.grafana import GrafanaConfig
from schemas.times import DAY, MINUTE, SECOND, Duration

BROKER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^\s,:\[\]]+):\d{1,5}", re.ASCII)
# What Kafka takes as the name of a topic; 249 characters are its most.
TOPIC_NAME = r"^[A-Za-z0-9._-]{1,249}$"

TOKEN = 16  # characters of a token at least; `openssl rand -hex 32` makes a good one

Encoding = Literal["json", "otlp_traces", "otlp_logs"]


class InputConfig(Record):
    """One live input of `run`: a file or folder to follow, stdin, an HTTP listener, a Kafka topic.

    `source`: name of a source; without it every file is sniffed, and a topic must have it.
    `lateness` replaces that of the source. `encoding`: what a record of the topic is, the text of
    the source or an OTLP request in protobuf.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    kind: Literal["follow", "stdin", "http", "kafka"] = "follow"
    path: str | None = None
    topic: str | None = Field(default=None, pattern=TOPIC_NAME)
    encoding: Encoding = "json"
    source: str | None = None
    lateness: Duration | None = None
    idle: Duration = 60 * SECOND
    host: str = "127.0.0.1"
    port: int = Field(default=4318, ge=0, le=65535)
    max_body_bytes: int = Field(default=16 * 2**20, gt=0)

    @model_validator(mode="after")
    def _of_kafka(self) -> Self:
        if self.kind == "kafka" and (self.topic is None or self.source is None):
            raise ValueError("an input of kind kafka needs topic and source")
        return self


class SinkConfig(Record):
    """One sink; `kind` is the name of a module in sinks/, whose Settings say what else it takes.

    `secret` logs in or signs where the kind has a use for one.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    kind: str
    secret: SecretStr | None = None


class AnySink(SinkConfig):
    """One sink as it is configured; its kind judges the other settings."""

    model_config = ConfigDict(extra="allow")


def _entity(value: object) -> object:
    if isinstance(value, str):
        kind, _, name = value.partition(":")
        return {"kind": kind, "id": name}
    return value


EntityRef = Annotated[Entity, BeforeValidator(_entity)]  # `kind:id` in TOML


class SystemConfig(Record):
    """An AI system by declaration: its root and what the root uses directly.

    Lineage finds the rest. `owner` is who answers for it: sinks can be for the systems of some.
    """

    name: str
    owner: str | None = None
    root: EntityRef
    members: tuple[EntityRef, ...] = ()


class KafkaConfig(Record):
    """The brokers, how to be let in, and what our own topics are made like.

    `prefix` stands before the names of all our topics, groups and transactional ids. `partitions`
    is that of our keyed topics: `topics create` makes them, `run` checks them, and a change needs
    new topics. `replication` -1 takes the broker's default. `retention` is that of rows, history
    and dead letters, `compression` that of all we write. With `username` the client logs in by
    `mechanism`, with `certificate` and `key` (PEM files) by TLS; `ca` is the PEM file of who signed
    the broker's certificate.
    """

    bootstrap: str
    prefix: str = Field(default="barograph.", pattern=r"^[A-Za-z0-9._-]{0,100}$")
    partitions: int = Field(default=4, gt=0, le=1000)
    replication: int = Field(default=-1, ge=-1, le=32767)
    retention: Duration = Field(default=7 * DAY, gt=0)
    message_bytes: int = Field(default=8 * 2**20, ge=2**20, lt=2**31)
    compression: Literal["none", "gzip", "zstd"] = "none"
    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not all(map(BROKER.fullmatch, self.bootstrap.split(","))):
            raise ValueError("bootstrap is host:port, or several with commas between")
        if self.replication == 0:
            raise ValueError("replication is -1 for the broker's default, or 1 and more")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if not self.tls and (self.ca is not None or self.certificate is not None):
            raise ValueError("ca, certificate and key need tls = true")
        return self


class RulesConfig(Record):
    """Which rules run: files and folders beside the built-in ones.

    `pipelines`: files of pySigma's processing pipelines, applied to each rule that is loaded;
    `placeholders`: files with the values of `%name%` in rules. `strict`: one rule that cannot be
    used is a Mistake; else it is told, and the others run.
    `watch`: `run` takes a change of these files by itself, and does not wait to be told.
    """

    paths: tuple[str, ...] = ()
    builtin: bool = True
    pipelines: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    strict: bool = False
    watch: bool = False


class IntelConfig(Record):
    """What the user knows of vulnerable versions: files and folders of advisories.

    They are read when a run starts or its rules are read anew; nothing is ever downloaded.
    """

    feeds: tuple[str, ...] = ()


class InventoryConfig(Record):
    """What is known to be right: `approved` are patterns of `kind:id`, with `*` and `?`.

    AI that is at work, and neither declared nor approved, is shadow AI.
    """

    approved: tuple[str, ...] = ()


class SlaConfig(Record):
    """How long something may stand before it is overdue.

    Open alerts by their stage, open facts (weaknesses, exposures) by their severity.
    """

    warning: Duration = DAY
    watch: Duration = 3 * DAY
    outlook: Duration = 14 * DAY
    critical: Duration = 7 * DAY
    high: Duration = 30 * DAY
    medium: Duration = 90 * DAY
    low: Duration = 180 * DAY


class ServerConfig(Record):
    """Where `/healthz`, `/readyz`, `/metrics` and the read API listen. Port 0 takes a free one.

    `token`: what the read API asks for; several, with white space between, while one takes the
    place of another. Without one it answers this machine alone. `certificate` and `key`: PEM files;
    with them all is served over TLS. `rate`: requests to the read API per second and client,
    `rows`: the most of one answer, `seconds`: the most that one query may take.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)
    token: SecretStr | None = None
    certificate: str | None = None
    key: str | None = None
    rate: float = Field(default=20, gt=0, le=1_000_000)
    rows: int = Field(default=10_000, gt=0, le=1_000_000)
    seconds: float = Field(default=10, gt=0, le=600)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.token is not None:
            tokens = self.token.get_secret_value().split()
            if not tokens or any(len(token) < TOKEN or not token.isascii() for token in tokens):
                raise ValueError(f"a token has {TOKEN} ASCII characters and more, and no space")
        return self


class PrivacyConfig(Record):
    """How content is told that is not kept.

    With `key`, equal secrets and equal prompts have equal fingerprints; whoever knows it can test a
    guess. Without it there are none.
    """

    key: SecretStr | None = Field(default=None, min_length=16)


class Limits(Record):
    """Bounds of one process; what passes them is rejected or evicted, counted and visible.

    `key` is that of `[privacy]`: it goes where the bounds go, to whoever reads records.
    """

    record_bytes: int = Field(default=8 * 2**20, gt=0)
    document_bytes: int = Field(default=512 * 2**20, gt=0)
    depth: int = Field(default=100, gt=0)
    batch_records: int = Field(default=20_000, gt=0)
    batch_bytes: int = Field(default=32 * 2**20, gt=0)
    future: Duration = 5 * MINUTE
    outbox: int = Field(default=100_000, gt=0)
    key: SecretStr | None = Field(default=None, exclude=True)


class Config(Record):
    """The whole configuration. Defaults give a working embedded run without a file."""

    data: str = "barograph-data"
    input: tuple[InputConfig, ...] = ()
    sink: tuple[AnySink, ...] = ()
    system: tuple[SystemConfig, ...] = ()
    rules: RulesConfig = RulesConfig()
    intel: IntelConfig = IntelConfig()
    inventory: InventoryConfig = InventoryConfig()
    sla: SlaConfig = SlaConfig()
    server: ServerConfig = ServerConfig()
    limits: Limits = Limits()
    privacy: PrivacyConfig = PrivacyConfig()
    grafana: GrafanaConfig = GrafanaConfig()
    kafka: KafkaConfig | None = None

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.privacy.key is not None:
            keyed = self.limits.model_copy(update={"key": self.privacy.key})
            object.__setattr__(self, "limits", keyed)  # frozen, and not shown to anybody yet
        return self
