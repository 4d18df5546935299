"""Grafana: where `boards push` writes, and where what it writes asks."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from schemas.event import Record
from schemas.times import SECOND, Duration

Address = Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$")]
Uid = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class GrafanaConfig(Record):
    """The server with its service account token, and the data sources of the boards.

    `prometheus` and `api` are addresses as Grafana reaches them: each makes a data source. With
    `prometheus_uid` or `api_uid` one that is there is taken, and none is made. `api_token` is what
    `[server] token` says there. `ca`: the PEM file of who signed the server's certificate.
    """

    url: Address | None = None
    token: SecretStr | None = None
    ca: str | None = None
    timeout: Duration = Field(default=10 * SECOND, gt=0)
    folder: str = Field(default="Barograph", min_length=1, max_length=100)
    prometheus: Address | None = None
    prometheus_uid: Uid | None = None
    api: Address | None = None
    api_uid: Uid | None = None
    api_token: SecretStr | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if None not in (self.prometheus, self.prometheus_uid):
            raise ValueError("prometheus makes a data source, prometheus_uid takes one: say one")
        if None not in (self.api, self.api_uid):
            raise ValueError("api makes a data source, api_uid takes one: say one")
        return self
