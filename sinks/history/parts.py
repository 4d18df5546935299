"""Parts: where the Parquet files of a history lie, and what makes their rows one state per id.

`<table>/day=YYYY-MM-DD/part-<number>.parquet`; the day is that of the row's event time. A row has
the columns of its table and three more: `row_time`, `written` (the number of the publication that
wrote it: of one id the greatest is the newest) and `gone` (the id was withdrawn).

Law: whatever set of files a kill leaves behind, the newest state of an id is in one of them at
least, and no other state of it has as great a number. So who reads one row per id, one of those
with the greatest number, reads what is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# What names a row; the first column is the id of its Result.
KEYS: Final = {
    "events": ("uid",),
    "signals": ("id",),
    "findings": ("id",),
    "alerts": ("id",),
    "scores": ("alert", "revision", "number"),
    "assets": ("entity",),
    "edges": ("id",),
    "facts": ("id",),
    "systems": ("id",),
    "forecasts": ("id",),
    "late": ("id",),
    "rejects": ("id",),
}
# What could not be read says no time of its own: its day is the one on which it came.
ARRIVED: Final = frozenset(("rejects",))
# Of an id here the time never changes, nor its day.
STEADY: Final = frozenset(("events", "signals", "late"))
# What holds stays, however long ago it began.
HOLDS: Final = {
    "alerts": "status = 'open'",
    "assets": "true",
    "edges": "valid_to IS NULL",
    "facts": "state = 'open'",
    "systems": "true",
}
TOMBSTONE: Final = "gone"
DRAFT: Final = ".draft"  # what is not whole yet; hidden, and removed at the next start


def newest(table: str) -> str:
    """The condition (of QUALIFY) under which a row is the newest of its id."""
    key = ", ".join(KEYS[table])
    return f"row_number() OVER (PARTITION BY {key} ORDER BY written DESC) = 1"


def days(folder: Path, table: str) -> list[Path]:
    """The folders of the days of a table, the oldest first."""
    return sorted(folder.glob(f"{table}/day=*"))


def parts(day: Path) -> list[Path]:
    """The files of a day in the order in which they were written."""
    return sorted(day.glob("part-*.parquet"))


def every(folder: Path, table: str) -> Iterator[Path]:
    """All files of a table."""
    for day in days(folder, table):
        yield from parts(day)


def number(part: Path) -> int:
    """The greatest `written` in a file."""
    return int(part.stem.removeprefix("part-"), 16)


def place(folder: Path, table: str, day: str, written: int) -> Path:
    """The file of these rows of one publication."""
    return folder / table / f"day={day}" / f"part-{written:012x}.parquet"


def settle(draft: Path, part: Path) -> None:
    """Put a whole file into its place: on disk, then under its name, in the place of one there."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    part.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(part)
    synced(part.parent)


def synced(folder: Path) -> None:
    """The names in this folder and its own are on disk."""
    for one in (folder, folder.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def quoted(text: str) -> str:
    """A text of SQL."""
    return "'" + text.replace("'", "''") + "'"


def listed(files: list[Path]) -> str:
    """A list of SQL with these paths."""
    return "[" + ", ".join(quoted(str(file)) for file in files) + "]"
