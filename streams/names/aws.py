"""AWS: the canonical entities behind the names that AWS uses, so that all sources name alike."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from schemas.entity import Entity, principal
from streams.records.untrusted import entity, text
from streams.source import Json

# Cross-region inference profiles are the model, called through a geography.
_GEOGRAPHY: Final = re.compile(r"(?:us|us-gov|eu|apac|jp|au|ca|sa|global)\.(?=[a-z0-9-]+\.[a-z])")
_PLAIN: Final = frozenset({"foundation-model", "inference-profile"})


def model(name: Json) -> Entity | None:
    """A model by id, inference profile or ARN: the id of the foundation model where it tells.

    `arn:aws:bedrock:eu-west-1::foundation-model/vendor.m-v1:0` and `eu.vendor.m-v1:0` are both
    `vendor.m-v1:0`. What only the account can resolve keeps its type: `custom-model/abc`.
    """
    known = text(name)
    return None if known is None else _model(known)


@lru_cache(maxsize=4_096)  # the same few models are called again and again
def _model(known: str) -> Entity | None:
    kind, _, last = resource(known).rpartition("/")
    short = last if kind in _PLAIN else resource(known)
    abroad = _GEOGRAPHY.match(short)
    return entity("model", short[abroad.end() :] if abroad else short)


def resource(name: str) -> str:
    """What an ARN names inside its account, or the name itself if it is no ARN."""
    parts = name.split(":", 5)
    return parts[5] if len(parts) == 6 and parts[0] == "arn" and parts[5] else name


def tail(name: Json) -> str | None:
    """The id at the end of an ARN, or the name itself: `arn:...:guardrail/gr1` -> `gr1`."""
    known = text(name)
    return None if known is None else resource(known).rpartition("/")[2] or None


def task(cluster: Json, definition: Json) -> Entity | None:
    """The workload of an ECS task definition: `ecs/<cluster>/<family>`, without its revision.

    ECS takes the cluster `default` where a request names none.
    """
    family = (tail(definition) or "").partition(":")[0]
    return entity("workload", f"ecs/{tail(cluster) or 'default'}/{family}") if family else None


def partition(region: Json) -> str:
    """The first part of ARNs in that region: aws, aws-cn, aws-us-gov."""
    name = text(region) or ""
    return next((f"aws-{p}" for p in ("cn", "us-gov") if name.startswith(f"{p}-")), "aws")


def user(region: Json, account: Json, name: Json) -> Entity | None:
    """The IAM user of that name in that account."""
    number, known = text(account, 64), text(name, 128)
    if number is None or known is None or not number.isdecimal():
        return None
    return principal(f"arn:{partition(region)}:iam::{number}:user/{known}")
