"""Carrier: a process that delivers what lies in a journal to one sink, and ends when all is there.

`python -m tests.sinks.carrier FOLDER ENTRY`: ENTRY is the `[[sink]]` as JSON. A second sink, files
in `witness`, shows that a receiver that is away delays only itself.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import orjson

from schemas.config import AnySink
from sinks.delivery.courier import Courier
from sinks.delivery.kinds import connect
from sinks.delivery.letters import DeadLetters
from streams.journal import Journal

NOON = 1_767_268_800_000_000


def carry(folder: Path, entry: AnySink) -> None:
    """Deliver until nothing waits. Nothing is waited for but what a receiver asks."""
    witness = AnySink.model_validate({"name": "witness", "kind": "jsonl", "path": "witness"})
    sinks = {one.name: connect(one, folder) for one in (entry, witness)}
    with Journal(folder / "journal.sqlite") as journal:
        journal.subscribe({name: sink.kinds for name, sink in sinks.items()})
        letters = DeadLetters(folder / "dead-letters.jsonl", lambda: NOON)
        couriers = [
            Courier(name, sink, journal, letters, jitter=lambda: 0.0)
            for name, sink in sinks.items()
        ]
        stop = threading.Event()
        threads = [threading.Thread(target=courier.run, args=(stop,)) for courier in couriers]
        for thread in threads:
            thread.start()
        while any(courier.backlog for courier in couriers):
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    carry(Path(sys.argv[1]), AnySink.model_validate(orjson.loads(sys.argv[2])))
