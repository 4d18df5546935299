"""Routing: which alerts a sink gets, and what of them; the sink itself knows nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from pydantic import Field

from schemas.alert import STAGES, Stage
from schemas.config import Config, SinkConfig
from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.memory import Memory
from sinks.delivery.redaction import Omitted, Redacted, Redaction
from sinks.delivery.sink import Delivered, Sink


class AlertSettings(SinkConfig):
    """What every sink of alerts understands.

    An alert is sent from the time that it reached one of `stages` with a confidence of at least
    `min_confidence`, and from then on to its end. `systems` are patterns of AI systems (`*` and
    `?`; case does not matter): of the root, `application:claims`, of its id alone, or of the name
    in `[[system]]`. `owners` are those of `[[system]]`. With either, only the alerts of these
    systems. `redact`: kinds of entities, and `address`, whose names do not leave; `omit`: lists of
    the alert that do not.
    """

    stages: tuple[Stage, ...] = STAGES
    min_confidence: float = Field(default=0.0, ge=0, le=1)
    systems: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    redact: tuple[Redacted, ...] = ()
    omit: tuple[Omitted, ...] = ()


class Routed:
    """A sink that is given its alerts only."""

    def __init__(self, sink: Sink, settings: AlertSettings, config: Config, memory: Memory) -> None:
        """`config` knows who owns which system; `memory` is for ids that were sent."""
        self._sink, self._memory = sink, memory
        self._stages, self._least = frozenset(settings.stages), settings.min_confidence
        self._systems = tuple(pattern.casefold() for pattern in settings.systems)
        self._owned = _owned(settings, config)
        self._names = _names(config)
        key = config.privacy.key
        secret = None if key is None else key.get_secret_value().encode()
        self._redaction = Redaction(settings.redact, settings.omit, secret)

    @property
    def kinds(self) -> frozenset[str]:
        """As of the sink."""
        return self._sink.kinds

    @property
    def local(self) -> bool:
        """As of the sink."""
        return self._sink.local

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Open the sink."""
        self._sink.open(bookmark)

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Deliver what is for this sink; the rest counts as taken."""
        places = self._chosen(batch)
        delivered = self._sink.write([self._shown(batch[place]) for place in places])
        if delivered.taken == len(places):
            return delivered._replace(taken=len(batch))
        return delivered._replace(taken=places[delivered.taken])

    def flush(self) -> Delivered | None:
        """Flush the sink."""
        return self._sink.flush()

    def close(self) -> None:
        """Close the sink."""
        try:
            self._sink.close()
        finally:
            self._memory.close()

    def _chosen(self, batch: Sequence[Result]) -> list[int]:
        """The places of the results that are for this sink."""
        places = [
            place
            for place, result in enumerate(batch)
            if result.kind != "alert"
            or (result.body["peak_stage"] in self._stages and self._ours(result.body["system"]))
        ]
        if self._least == 0:
            return places
        sent = self._memory.known({batch[place].id for place in places})
        new: dict[str, int] = {}
        chosen: list[int] = []
        for place in places:
            result = batch[place]
            if result.id not in sent and result.id not in new:
                if result.body["confidence"] < self._least:
                    continue
                new[result.id] = 1
            chosen.append(place)
        self._memory.put(new)
        return chosen

    def _ours(self, system: str) -> bool:
        if not self._systems and not self._owned:
            return True
        names = (system, system.partition(":")[2], *self._names.get(system, ()))
        return system in self._owned or any(
            fnmatchcase(name.casefold(), pattern) for pattern in self._systems for name in names
        )

    def _shown(self, result: Result) -> Result:
        if not self._redaction:
            return result
        return replace(result, body=self._redaction(result.body))


def routed(sink: Sink, settings: AlertSettings, config: Config, folder: Path) -> Routed:
    """The sink behind its routing; `folder` is for what it has to remember."""
    return Routed(sink, settings, config, Memory(folder / f"sink-{settings.name}.routing.sqlite"))


def _owned(settings: AlertSettings, config: Config) -> frozenset[str]:
    """The roots of the systems of `owners`."""
    strangers = set(settings.owners) - {system.owner for system in config.system}
    if strangers:
        raise Mistake(
            f"sink {settings.name!r} is for the systems of {', '.join(sorted(strangers))}, who own"
            " none; give a [[system]] its `owner`"
        )
    return frozenset(one.root.key for one in config.system if one.owner in settings.owners)


def _names(config: Config) -> dict[str, list[str]]:
    """What `[[system]]` calls each root."""
    names: dict[str, list[str]] = {}
    for system in config.system:
        names.setdefault(system.root.key, []).append(system.name)
    return names
