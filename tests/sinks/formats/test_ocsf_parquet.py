"""OCSF in Parquet: whatever reads it, the events come back as they were."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars as pl
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.formats.ocsf import detection_finding
from sinks.formats.ocsf_parquet import SCHEMA, parquet
from tests.sinks.alerts import HOSTILE, alert, body
from tests.sinks.formats.bodies import bodies


def events() -> list[dict[str, Any]]:
    return [
        detection_finding(one)
        for one in (
            body("a"),
            body("b", 2, "withdrawn", title=HOSTILE, summary=HOSTILE, system=HOSTILE),
            body("c", 3, "final", status="resolved", path=[], actions=[], next=[], tags=[]),
        )
    ]


def stored(event: dict[str, Any]) -> dict[str, Any]:
    """An event as it lies in the file: what is open in OCSF is a text, nothing is left out."""

    def text(value: object) -> str:
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    def walked(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, list):
            return [walked(one) for one in value]
        if isinstance(value, dict):
            told = {k: text(v) if k == "data" else walked(v) for k, v in value.items()}
            return {k: v for k, v in told.items() if v not in (None, [], {})}
        return value

    told: dict[str, Any] = walked(event | {"unmapped": {}})
    return told | {"unmapped": {name: text(value) for name, value in event["unmapped"].items()}}


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a reader has it, without the columns that are empty."""
    said: dict[str, Any] = _full(row | {"unmapped": None})
    return said | {"unmapped": dict(row["unmapped"])}


def _full(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        told = {name: _full(inner) for name, inner in value.items()}
        return {name: inner for name, inner in told.items() if inner not in (None, [], {})}
    return [_full(inner) for inner in value] if isinstance(value, list) else value


def test_duckdb_reads_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(parquet(events()))
    with duckdb.connect() as db:
        found = db.execute("FROM read_parquet($1)", [str(path)])
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert [plain(row) for row in rows] == [stored(event) for event in events()]


def test_polars_reads_what_was_written() -> None:
    kept = [name for name in SCHEMA.names if name != "unmapped"]  # a map is its own type there
    rows = pl.read_parquet(BytesIO(parquet(events())), columns=kept).to_dicts()
    wanted = [stored(event) for event in events()]
    assert [plain(row | {"unmapped": {}}) for row in rows] == [
        one | {"unmapped": {}} for one in wanted
    ]


@given(st.lists(bodies(), min_size=1, max_size=4))
@settings(max_examples=30)
def test_every_alert_fits_the_columns(some: list[dict[str, Any]]) -> None:
    said = [detection_finding(one) for one in some]
    rows = pq.read_table(BytesIO(parquet(said))).to_pylist(maps_as_pydicts="strict")
    assert [plain(row) for row in rows] == [
        stored(event) for event in sorted(said, key=lambda event: event["time"])
    ]


def test_the_file_is_sorted_packed_and_of_one_class() -> None:
    times = [f"2026-01-01T00:00:0{n}.000000Z" for n in (3, 1, 2, 1)]
    some = [alert(str(n)).body for n in range(4)]
    for one, time in zip(some, times, strict=True):
        one["meta"]["emitted"] = time
    file = pq.ParquetFile(BytesIO(parquet(map(detection_finding, some))))
    rows = file.read().to_pylist()
    assert [row["finding_info"]["uid"] for row in rows] == ["1", "3", "2", "0"]
    assert {row["class_uid"] for row in rows} == {2004}
    group = file.metadata.row_group(0)
    assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}
