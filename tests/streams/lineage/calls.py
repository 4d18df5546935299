"""A call of the control plane, and what it says of lineage."""

from typing import Any

from schemas.entity import Entity
from streams.lineage.aws_calls import Told, told
from tests.streams.sources.parsed import said

ROLE = "arn:aws:iam::111122223333:role/teams/ml/Trainer"
HOST = "account:111122223333 hosts"


def of(
    service: str, name: str, asked: dict[str, Any], answered: dict[str, Any] | None = None
) -> Told:
    call = {
        "recipientAccountId": "111122223333",
        "awsRegion": "eu-west-1",
        "requestParameters": asked,
        "responseElements": answered,
    }
    return told(f"{service}.amazonaws.com", name, call)


def lineage(
    service: str, name: str, asked: dict[str, Any], answered: dict[str, Any] | None = None
) -> list[str]:
    found = of(service, name, asked, answered)
    assert Entity(kind="account", id="111122223333") not in found.things
    assert all(one.declared for one in found.edges)
    return [said(one) for one in found.edges]
