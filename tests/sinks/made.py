"""Sinks that a test makes: open, and closed with the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from schemas.config import AnySink
from schemas.rows import Result
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from tests.sinks.receiving import Receiver, Reply, Request


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


def sink(entry: Mapping[str, Any]) -> Sink:
    """The sink of this `[[sink]]`, which keeps no files."""
    return connect(AnySink.model_validate(dict(entry)), Path())


def written(
    answer: Callable[[Request], Reply],
    entry: Callable[..., Mapping[str, Any]],
    *batch: Result,
    **more: Any,  # noqa: ANN401 - settings
) -> Delivered:
    """What became of a batch; `answer` judges each request, `entry(url)` is the `[[sink]]`."""
    with Receiver(answer) as receiver:
        one = sink(entry(receiver.url, **more))
        delivered = one.write(batch)
        one.close()
    return delivered


def verdict(delivered: Delivered) -> Literal["ok", "retry", "reject", "config"]:
    """What became of a batch of one."""
    if delivered.misconfigured:
        return "config"
    if delivered.refused:
        return "reject"
    return "ok" if delivered == Delivered(1) else "retry"
