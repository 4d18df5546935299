"""Filed: what the parquet sink is given in tests, and what is read of its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from infra.reading.reader import Reader
from schemas.finding import State
from schemas.rows import Result, ResultKind
from schemas.times import DAY
from sinks.parquet import Parquet

# Event times on three days from 1970-01-02 on.
DAYS = [DAY, 2 * DAY, 3 * DAY]
T = "1970-01-02T00:00:00.000000Z"


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def said(
    kind: ResultKind,
    id_: str,
    day: int = DAY,
    state: State = "final",
    /,
    **body: Any,  # noqa: ANN401 - JSON
) -> Result:
    return Result(kind, id_, day, state, body)


def asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with Reader(folder) as reader:
        return reader.run(query).rows


def killed(sink: Parquet) -> None:
    """As the kernel leaves it: nothing is closed in order, the lock is free."""
    os.close(sink._pending._file)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))
