"""What tests post to a live run: records of just now that open alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson


def ago(seconds: float) -> datetime:
    return datetime.now(tz=UTC) - timedelta(seconds=seconds)


def call(uid: str, name: str = "DeleteEnforcedGuardrailConfiguration", seconds: float = 5) -> bytes:
    record = {
        "eventID": uid,
        "eventTime": ago(seconds).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "bedrock.amazonaws.com",
        "eventName": name,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"},
    }
    return orjson.dumps(record)


def export(*numbers: int) -> bytes:
    """An OTLP/JSON export of one answer of a model for each number."""
    nanos = str(int(ago(5).timestamp() * 1e9))
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.agent.id": "desk"}
    spans = [
        {
            "traceId": "0" * 31 + "1",
            "spanId": f"{number:016x}",
            "name": "chat",
            "startTimeUnixNano": nanos,
            "endTimeUnixNano": nanos,
            "attributes": _attributes(attributes),
        }
        for number in numbers
    ]
    resource_ = {"attributes": _attributes({"service.name": "shop"})}
    return orjson.dumps(
        {"resourceSpans": [{"resource": resource_, "scopeSpans": [{"spans": spans}]}]}
    )


def _attributes(stated: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in stated.items()]
