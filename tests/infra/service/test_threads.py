"""The threads of a run: none of them outlives its end."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.service.threads import Carriers
from schemas.rows import Result
from sinks.delivery.courier import Courier
from sinks.delivery.letters import DeadLetters
from sinks.delivery.sink import Delivered
from streams.journal import Journal


class Taker:
    """A sink that takes everything."""

    kinds, local = frozenset(("signal",)), False

    def open(self, bookmark: object) -> None:
        """Nothing to begin."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        return Delivered(len(batch))

    def flush(self) -> None:
        """Nothing to publish."""

    def close(self) -> None:
        """Nothing to give back."""


def test_carriers_stop_though_the_outbox_cannot_be_asked(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    letters = DeadLetters(tmp_path / "letters.jsonl", lambda: 0)
    carriers = Carriers([Courier("one", Taker(), journal, letters, jitter=lambda: 0.0)])
    carriers.start()
    journal.close()  # as if its disk had gone
    with pytest.raises(sqlite3.ProgrammingError):
        carriers.stop()
    assert "sink-one" not in {thread.name for thread in threading.enumerate()}
