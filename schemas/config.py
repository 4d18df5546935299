"""Config: the one TOML file and the BAROGRAPH_* environment, as typed values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from schemas.entity import Entity
from schemas.event import Record
from schemas.times import MINUTE, SECOND, Duration


class InputConfig(Record):
    """One live input of `run`: a file or folder to follow, stdin, or an HTTP listener.

    `source`: name of a source; without it every file is sniffed. `lateness` replaces that of the
    source.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    kind: Literal["follow", "stdin", "http"] = "follow"
    path: str | None = None
    source: str | None = None
    lateness: Duration | None = None
    idle: Duration = 60 * SECOND
    host: str = "127.0.0.1"
    port: int = Field(default=4318, ge=0, le=65535)
    max_body_bytes: int = Field(default=16 * 2**20, gt=0)


class SinkConfig(Record):
    """One sink; `kind` is the name of a module in sinks/.

    `secret` signs deliveries where the kind can.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    kind: str
    path: str | None = None
    url: str | None = None
    secret: SecretStr | None = None
    stages: tuple[Literal["outlook", "watch", "warning"], ...] = ("outlook", "watch", "warning")
    timeout: Duration = 10 * SECOND


def _entity(value: object) -> object:
    if isinstance(value, str):
        kind, _, name = value.partition(":")
        return {"kind": kind, "id": name}
    return value


EntityRef = Annotated[Entity, BeforeValidator(_entity)]  # `kind:id` in TOML


class SystemConfig(Record):
    """An AI system by declaration: its root and what the root uses directly.

    Lineage finds the rest.
    """

    name: str
    root: EntityRef
    members: tuple[EntityRef, ...] = ()


class RulesConfig(Record):
    """Which rules run: files and folders beside the built-in ones."""

    paths: tuple[str, ...] = ()
    builtin: bool = True


class ServerConfig(Record):
    """Where `/healthz`, `/readyz` and `/metrics` listen. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)


class Limits(Record):
    """Bounds of one process; what passes them is rejected or evicted, counted and visible."""

    record_bytes: int = Field(default=8 * 2**20, gt=0)
    document_bytes: int = Field(default=512 * 2**20, gt=0)
    depth: int = Field(default=100, gt=0)
    batch_records: int = Field(default=20_000, gt=0)
    batch_bytes: int = Field(default=32 * 2**20, gt=0)
    future: Duration = 5 * MINUTE
    outbox: int = Field(default=100_000, gt=0)


class Config(Record):
    """The whole configuration. Defaults give a working embedded run without a file."""

    data: str = "barograph-data"
    input: tuple[InputConfig, ...] = ()
    sink: tuple[SinkConfig, ...] = ()
    system: tuple[SystemConfig, ...] = ()
    rules: RulesConfig = RulesConfig()
    server: ServerConfig = ServerConfig()
    limits: Limits = Limits()
