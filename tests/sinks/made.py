"""Sinks that a test makes: open, and closed with the test."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from schemas.config import AnySink
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Sink


class Sinks(ExitStack):
    """As a fixture: `with Sinks(tmp_path) as sinks: yield sinks`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def made(self, entry: Mapping[str, Any]) -> Sink:
        """The sink of this `[[sink]]`."""
        return self.kept(connect(AnySink.model_validate(dict(entry)), self.folder))

    def kept(self, sink: Sink) -> Sink:
        """The same sink, open."""
        sink.open(None)
        self.callback(sink.close)
        return sink
