"""Data sources of ours: Prometheus, and the read API through the Infinity plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from infra.boards.parts.source import API, PROMETHEUS, Json, Source
from schemas.grafana import GrafanaConfig

SECRET: Final = "bearerToken"  # noqa: S105 - the name of a field


def data_sources(config: GrafanaConfig) -> Iterator[Json]:
    """Those whose address is configured, as Grafana keeps them; without their secrets."""
    if config.prometheus is not None:
        yield _of(PROMETHEUS, config.prometheus) | {
            "jsonData": {"httpMethod": "POST", "timeInterval": "15s"}
        }
    if config.api is not None:
        address = urlsplit(config.api)
        settings: Json = {
            # The plugin sends the token to no other host than these.
            "allowedHosts": [f"{address.scheme}://{address.netloc}"],
            "auth_method": "bearerToken" if config.api_token else "none",
            "timeoutInSeconds": 30,
        }
        yield _of(API, config.api.rstrip("/")) | {"jsonData": settings}


def secrets(config: GrafanaConfig, source: Json) -> dict[str, str]:
    """What Grafana is given and never gives back."""
    if source["uid"] != API.uid or config.api_token is None:
        return {}
    return {SECRET: config.api_token.get_secret_value()}


def chosen(config: GrafanaConfig) -> dict[str, str]:
    """The data source that boards ask at first, by variable."""
    return {
        PROMETHEUS.variable: config.prometheus_uid or PROMETHEUS.uid,
        API.variable: config.api_uid or API.uid,
    }


def _of(source: Source, url: str) -> Json:
    return {
        "uid": source.uid,
        "name": source.name,
        "type": source.plugin,
        "access": "proxy",
        "url": url,
    }
