"""What tests write into files that are followed, and what comes out."""

from __future__ import annotations

from pathlib import Path

import orjson

from streams.input import Chunk
from streams.inputs.follow import Follow


class Clock:
    """A monotonic clock that only the test moves; a look costs nothing."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def record(n: int) -> bytes:
    return orjson.dumps(
        {
            "eventVersion": "1.11",
            "eventTime": "2026-01-01T12:00:00Z",
            "eventSource": "bedrock.amazonaws.com",
            "eventName": "InvokeModel",
            "eventID": str(n),
        }
    )


def report(*names: str) -> bytes:
    document = {
        "SchemaVersion": 2,
        "CreatedAt": "2026-01-01T12:00:00Z",
        "ArtifactName": "shop",
        "ArtifactType": "container_image",
        "Results": [{"Target": name} for name in names],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def append(path: Path, *data: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(data))


def numbers(chunks: list[Chunk]) -> list[int]:
    return [int(orjson.loads(d)["eventID"]) for chunk in chunks for d in chunk.documents]


def drained(follow: Follow, clock: Clock, records: int = 99, seconds: float = 3.0) -> list[Chunk]:
    """Read until nothing has come for some looks, which take `seconds` together."""
    found = []
    for _ in range(3):
        clock.now += seconds / 3
        while chunk := follow.read(records, 10_000):
            found.append(chunk)
    return found


def lines(*numbers: int) -> bytes:
    return b"".join(record(n) + b"\n" for n in numbers)
