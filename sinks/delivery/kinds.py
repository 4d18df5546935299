"""The kinds of sinks: every module directly in sinks/ is one."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import ValidationError

import sinks
from schemas.config import Config, SinkConfig
from schemas.errors import Mistake
from sinks.delivery.routing import AlertSettings, routed
from sinks.delivery.sink import Sink


class Kind(Protocol):
    """A module in sinks/."""

    Settings: type[SinkConfig]
    """What may stand in its `[[sink]]`; one for alerts is an AlertSettings."""

    def connect(self, settings: Any, folder: Path) -> Sink:  # noqa: ANN401 - its own Settings
        """The sink that `settings` describe; relative paths lie below `folder`.

        Raises Mistake, opens nothing yet.
        """
        ...


def kinds() -> tuple[str, ...]:
    """The names that `kind` of a sink's configuration may have."""
    return tuple(
        sorted(name for _, name, package in pkgutil.iter_modules(sinks.__path__) if not package)
    )


def settings(kind: str) -> type[SinkConfig]:
    """What may stand in a `[[sink]]` of this kind."""
    return _module(kind).Settings


def connect(entry: SinkConfig, folder: Path, config: Config | None = None) -> Sink:
    """The sink of this entry of the configuration. A Mistake names the sink and the setting."""
    if entry.kind not in kinds():
        raise Mistake(
            f"sink {entry.name!r} has the kind {entry.kind!r}; name one of {', '.join(kinds())}"
        )
    judged = _judged(entry, settings(entry.kind))
    sink = _module(entry.kind).connect(judged, folder)
    if isinstance(judged, AlertSettings):
        return routed(sink, judged, config or Config(), folder)
    return sink


def _module(kind: str) -> Kind:
    return cast("Kind", import_module(f"{sinks.__name__}.{kind}"))


def _judged(entry: SinkConfig, model: type[SinkConfig]) -> SinkConfig:
    try:
        return model.model_validate(dict(entry))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    match first["type"]:
        case "missing":
            why = f"needs {field!r}"
        case "extra_forbidden":
            known = ", ".join(sorted(model.model_fields))
            why = f"knows no setting {field!r}; a {entry.kind} has {known}"
        case _:
            said = first["msg"].removeprefix("Value error, ")
            why = f"has a wrong {field!r}: {said}" if field else said
    raise Mistake(f"sink {entry.name!r} {why}")
