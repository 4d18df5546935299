"""OCSF in Parquet: findings of one class as a table of typed, nested columns, sorted by time.

What OCSF leaves open (`data`, `unmapped`) is JSON in a text, as Amazon Security Lake has it.
"""

from __future__ import annotations

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
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
_PRODUCT = pa.struct({"name": _TEXT, "uid": _TEXT, "vendor_name": _TEXT, "version": _TEXT})
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
        "product": _PRODUCT,
        "sequence": _INT,
        "uid": _TEXT,
        "version": _TEXT,
    }
)
_RESOURCES = pa.list_(
    pa.struct({"name": _TEXT, "role": _TEXT, "role_id": _INT, "type": _TEXT, "uid": _TEXT})
)
_OBSERVABLES = pa.list_(pa.struct({"name": _TEXT, "type": _TEXT, "type_id": _INT, "value": _TEXT}))
_FINDING: Final[dict[str, pa.DataType]] = {
    "activity_id": _INT,
    "activity_name": _TEXT,
    "category_name": _TEXT,
    "category_uid": _INT,
    "class_name": _TEXT,
    "class_uid": _INT,
    "confidence": _TEXT,
    "confidence_id": _INT,
    "confidence_score": _INT,
    "message": _TEXT,
    "observables": _OBSERVABLES,
    "resources": _RESOURCES,
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
_OF_FACTS = {
    "finding_info": pa.struct(
        {
            "created_time": _LONG,
            "data_sources": _TEXTS,
            "first_seen_time": _LONG,
            "modified_time": _LONG,
            "related_events": pa.list_(pa.struct({"uid": _TEXT})),
            "related_events_count": _INT,
            "title": _TEXT,
            "types": _TEXTS,
            "uid": _TEXT,
        }
    ),
    "metadata": pa.struct(
        {
            "event_code": _TEXT,
            "log_name": _TEXT,
            "log_provider": _TEXT,
            "log_version": _TEXT,
            "original_event_uid": _TEXT,
            "product": _PRODUCT,
            "uid": _TEXT,
            "version": _TEXT,
        }
    ),
}
_UID = pa.struct({"uid": _TEXT})
_VULNERABILITY = pa.struct(
    {
        "advisory": _UID,
        "cve": _UID,
        "first_seen_time": _LONG,
        "is_fix_available": _FLAG,
        "remediation": pa.struct({"desc": _TEXT}),
        "severity": _TEXT,
        "title": _TEXT,
    }
)
_COMPLIANCE = pa.struct({"control": _TEXT, "desc": _TEXT, "status": _TEXT, "status_id": _INT})
_DETECTION = {
    "end_time": _LONG,
    "evidences": pa.list_(pa.struct({"data": _TEXT, "uid": _TEXT})),
    "finding_info": _FINDING_INFO,
    "is_alert": _FLAG,
    "metadata": _METADATA,
    "remediation": pa.struct({"desc": _TEXT, "references": _TEXTS}),
    "risk_details": _TEXT,
    "risk_level": _TEXT,
    "risk_level_id": _INT,
    "risk_score": _INT,
}


def _columns(*parts: dict[str, pa.DataType]) -> pa.Schema:
    """What all findings have and these, by name."""
    return pa.schema(
        sorted((name, type_) for part in (_FINDING, *parts) for name, type_ in part.items())
    )


# The columns of each class.
SCHEMAS: Final = {
    2002: _columns(_OF_FACTS, {"vulnerabilities": pa.list_(_VULNERABILITY)}),
    2003: _columns(_OF_FACTS, {"compliance": _COMPLIANCE}),
    2004: _columns(_DETECTION),
}


def parquet(events: Iterable[dict[str, Any]], class_uid: int = 2004) -> bytes:
    """A file of these events of one class; those of one time stay in their order."""
    rows = [_row(event) for event in sorted(events, key=lambda event: event["time"])]
    table = pa.Table.from_pylist(rows, SCHEMAS[class_uid])
    file = BytesIO()
    pq.write_table(table, file, compression="zstd", data_page_size=PAGE_BYTES)
    return file.getvalue()


def _row(event: dict[str, Any]) -> dict[str, Any]:
    row = dict(event)
    row["unmapped"] = [(name, _text(value)) for name, value in event["unmapped"].items()]
    if "evidences" in event:
        row["evidences"] = [_open(one) for one in event["evidences"]]
    graph = event["finding_info"].get("attack_graph")
    if graph is not None:
        drawn = graph | {"edges": [_open(edge) for edge in graph["edges"]]}
        row["finding_info"] = event["finding_info"] | {"attack_graph": drawn}
    return row


def _open(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"data": _text(one["data"])}


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
