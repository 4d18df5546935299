"""Records of CloudTrail at seconds from one noon, and a rule over them."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.times import SECOND, parse, rfc3339

NOON = parse("2026-03-02T12:00:00Z")
DELETED = """\
title: deleted
name: deleted
level: high
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
"""


def call(at: int, name: str = "GetObject", uid: object = None, **more: Any) -> bytes:  # noqa: ANN401
    """One call by Ann of one account; its uid is its time where none is given."""
    record = {
        "eventID": str(at if uid is None else uid),
        "eventTime": rfc3339(NOON + at * SECOND),
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "userIdentity": {
            "type": "IAMUser",
            "accountId": "111122223333",
            "arn": "arn:aws:iam::111122223333:user/ann",
        },
    }
    return orjson.dumps(record | more)


def envelope(*calls: bytes) -> bytes:
    """A file of a trail."""
    return b'{"Records":[%b]}' % b",".join(calls)
