"""Recent: the two days of the demo, moved so that they end just now, as live boards need them."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from infra.demo import scenario
from schemas.times import MINUTE, rfc3339

AGO: Final = 3 * MINUTE  # the newest record lies so far back
_STATED: Final = re.compile(r"2026-03-0\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z")  # the demo's days, as texts
_NANOS: Final = re.compile(r'(?<=")177\d{16}(?=")')  # and as OTLP has them


class Recent(NamedTuple):
    """How many records lie there, broken ones among them, and by how much they were moved."""

    records: int
    by: int


def write(folder: Path, now: int) -> Recent:
    """Write the input of the demo into `folder`; its newest record is AGO before `now`."""
    written = scenario.write(folder)
    for report in (folder / "trivy").iterdir():
        # A followed folder is read in the order of names: the older scan of each thing first.
        name, _, day = report.stem.rpartition("-")
        report.rename(report.with_name(f"{day}-{name}.json"))
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    texts = {path: _read(path) for path in files}
    by = now - AGO - max(max(_times(text), default=0) for text in texts.values())
    for path, text in texts.items():
        _write(path, _moved(text, by))
    return Recent(sum(written.records.values()) + written.broken, by)


def _times(text: str) -> list[int]:
    stated = [_micros(found[0]) for found in _STATED.finditer(text)]
    return stated + [int(found[0]) // 1000 for found in _NANOS.finditer(text)]


def _moved(text: str, by: int) -> str:
    text = _STATED.sub(lambda found: rfc3339(_micros(found[0]) + by), text)
    return _NANOS.sub(lambda found: str(int(found[0]) + by * 1000), text)


def _micros(stated: str) -> int:
    # CreatedAt of Trivy has nanoseconds, which Python 3.11 does not read.
    whole = datetime.fromisoformat(stated[:19]).replace(tzinfo=UTC)
    return (whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _read(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def _write(path: Path, text: str) -> None:
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
