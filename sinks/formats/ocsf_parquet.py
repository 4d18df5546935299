"""OCSF in Parquet: Detection Findings as a table of typed, nested columns, sorted by time.

What OCSF leaves open (`data`, `unmapped`) is JSON in a text, as Amazon Security Lake has it.
"""

from __future__ import annotations

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow ships no types.
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

PAGE_BYTES: Final = 2**20  # what Security Lake asks of pages; its limit of row groups is far away

_TEXT, _INT, _LONG, _FLAG = pa.string(), pa.int32(), pa.int64(), pa.bool_()
_TEXTS = pa.list_(_TEXT)
_NAMED = pa.struct({"name": _TEXT, "uid": _TEXT})
_EDGE = pa.struct(
    {
        "data": _TEXT,
        "is_directed": _FLAG,
        "name": _TEXT,
        "relation": _TEXT,
        "source": _TEXT,
        "target": _TEXT,
        "uid": _TEXT,
    }
)
_GRAPH = pa.struct(
    {
        "edges": pa.list_(_EDGE),
        "is_directed": _FLAG,
        "name": _TEXT,
        "nodes": pa.list_(pa.struct({"name": _TEXT, "type": _TEXT, "uid": _TEXT})),
    }
)
_ATTACK = pa.struct(
    {"sub_technique": _NAMED, "tactic": _NAMED, "technique": _NAMED, "version": _TEXT}
)
_FINDING_INFO = pa.struct(
    {
        "analytic": pa.struct(
            {"category": _TEXT, "name": _TEXT, "type": _TEXT, "type_id": _INT, "uid": _TEXT}
        ),
        "attack_graph": _GRAPH,
        "attacks": pa.list_(_ATTACK),
        "created_time": _LONG,
        "desc": _TEXT,
        "first_seen_time": _LONG,
        "last_seen_time": _LONG,
        "modified_time": _LONG,
        "related_events": pa.list_(
            pa.struct({"desc": _TEXT, "first_seen_time": _LONG, "uid": _TEXT})
        ),
        "related_events_count": _INT,
        "tags": pa.list_(pa.struct({"name": _TEXT, "values": _TEXTS})),
        "title": _TEXT,
        "traits": pa.list_(pa.struct({"category": _TEXT, "name": _TEXT, "values": _TEXTS})),
        "types": _TEXTS,
        "uid": _TEXT,
    }
)
_METADATA = pa.struct(
    {
        "correlation_uid": _TEXT,
        "event_code": _TEXT,
        "is_truncated": _FLAG,
        "labels": _TEXTS,
        "log_name": _TEXT,
        "log_provider": _TEXT,
        "log_version": _TEXT,
        "logged_time": _LONG,
        "original_event_uid": _TEXT,
        "original_time": _TEXT,
        "product": pa.struct({"name": _TEXT, "uid": _TEXT, "vendor_name": _TEXT, "version": _TEXT}),
        "sequence": _INT,
        "uid": _TEXT,
        "version": _TEXT,
    }
)
SCHEMA: Final = pa.schema(
    {
        "activity_id": _INT,
        "activity_name": _TEXT,
        "category_name": _TEXT,
        "category_uid": _INT,
        "class_name": _TEXT,
        "class_uid": _INT,
        "confidence": _TEXT,
        "confidence_id": _INT,
        "confidence_score": _INT,
        "end_time": _LONG,
        "evidences": pa.list_(pa.struct({"data": _TEXT, "uid": _TEXT})),
        "finding_info": _FINDING_INFO,
        "is_alert": _FLAG,
        "message": _TEXT,
        "metadata": _METADATA,
        "observables": pa.list_(
            pa.struct({"name": _TEXT, "type": _TEXT, "type_id": _INT, "value": _TEXT})
        ),
        "remediation": pa.struct({"desc": _TEXT, "references": _TEXTS}),
        "resources": pa.list_(
            pa.struct({"name": _TEXT, "role": _TEXT, "role_id": _INT, "type": _TEXT, "uid": _TEXT})
        ),
        "risk_details": _TEXT,
        "risk_level": _TEXT,
        "risk_level_id": _INT,
        "risk_score": _INT,
        "severity": _TEXT,
        "severity_id": _INT,
        "start_time": _LONG,
        "status": _TEXT,
        "status_detail": _TEXT,
        "status_id": _INT,
        "time": _LONG,
        "type_name": _TEXT,
        "type_uid": _LONG,
        "unmapped": pa.map_(_TEXT, _TEXT),
    }
)


def parquet(events: Iterable[dict[str, Any]]) -> bytes:
    """A file of these Detection Findings; those of one time stay in their order."""
    rows = [_row(event) for event in sorted(events, key=lambda event: event["time"])]
    table = pa.Table.from_pylist(rows, SCHEMA)
    file = BytesIO()
    pq.write_table(table, file, compression="zstd", data_page_size=PAGE_BYTES)
    return file.getvalue()


def _row(event: dict[str, Any]) -> dict[str, Any]:
    row = dict(event)
    row["unmapped"] = [(name, _text(value)) for name, value in event["unmapped"].items()]
    row["evidences"] = [_open(one) for one in event.get("evidences", ())]
    graph = event["finding_info"].get("attack_graph")
    if graph is not None:
        drawn = graph | {"edges": [_open(edge) for edge in graph["edges"]]}
        row["finding_info"] = event["finding_info"] | {"attack_graph": drawn}
    return row


def _open(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"data": _text(one["data"])}


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
