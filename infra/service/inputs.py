"""The live inputs of a configuration, opened where they stopped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from schemas.config import Config, InputConfig
from schemas.errors import Mistake
from streams.embedded import Declared
from streams.input import Input
from streams.inputs.follow import Follow
from streams.inputs.http import Http
from streams.inputs.spool import Spool
from streams.inputs.stdin import Stdin
from streams.source import named, sources


class Live(NamedTuple):
    """An input with what fills it."""

    config: InputConfig
    input: Input
    feeder: Http | Stdin | None

    @property
    def problem(self) -> str | None:
        """Why nothing can be read, in a sentence; None if all is well."""
        return getattr(self.feeder, "problem", None) or getattr(self.input, "problem", None)

    @property
    def blocked(self) -> bool:
        """True while what has arrived cannot be read, as where a disk fails."""
        return isinstance(self.input, Spool) and self.input.unread > 0

    @property
    def unfinished(self) -> bool:
        """True while more is sure to come: a pipe is open, or a file is not whole yet."""
        if isinstance(self.feeder, Stdin):
            return not self.feeder.ended
        return isinstance(self.input, Follow) and self.input.waits


def declared(config: Config) -> list[Declared]:
    """The inputs as the engine has to know them before the first record.

    None at all, and two of one name, are Mistakes.
    """
    if not config.input:
        raise Mistake(
            "the configuration has no [[input]]; add one, for example name = 'logs',"
            " path = 'logs/', or look at `barograph replay` for files that are complete"
        )
    names = [entry.name for entry in config.input]
    if len(set(names)) < len(names):
        raise Mistake(
            "two inputs of the configuration have the same name; their positions would mix:"
            " rename one"
        )
    return [
        Declared(lane, (source,), entry.lateness)
        for entry in config.input
        for source, lane in lanes(entry).items()
    ]


def lanes(entry: InputConfig) -> dict[str, str]:
    """By source, the lane that its records take: what the engine knows as an input of its own.

    Time passes in each lane by its own records, so that a day of spans behind a day of audit logs
    in one folder is not late. Without a `source` (and over HTTP, where a sender may name any) there
    is a lane for every source.
    """
    if entry.source is not None and entry.kind != "http":
        return {named(entry.source).NAME: entry.name}
    return {source: f"{entry.name}/{source}" for source in sources()}


def lateness(entry: InputConfig, source: str) -> int:
    """How long after the newest record an older one may come, in microseconds."""
    return named(source).LATENESS if entry.lateness is None else entry.lateness


def opened(config: Config, data: Path, positions: Mapping[str, Any]) -> dict[str, Live]:
    """All inputs by name."""
    return {
        entry.name: _opened(entry, config, data, positions.get(entry.name))
        for entry in config.input
    }


def _opened(entry: InputConfig, config: Config, data: Path, position: Any) -> Live:  # noqa: ANN401 - JSON
    source = named(entry.source) if entry.source else None
    if entry.kind == "follow":
        if entry.path is None:
            raise Mistake(f"input {entry.name!r} follows nothing; give it a `path`")
        follow = Follow(entry.name, Path(entry.path), position, limits=config.limits, source=source)
        return Live(entry, follow, None)
    spool = Spool(entry.name, data / "spool" / entry.name, position)
    feeder = Http(entry, spool) if entry.kind == "http" else Stdin(spool, config.limits, source)
    return Live(entry, spool, feeder)
