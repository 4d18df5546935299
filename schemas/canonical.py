"""Content identity: one canonical JSON text for equal values, and the ids that are hashed from it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

ID_DIGITS = 32  # 128 bits: no collision to expect below 10^18 ids


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces; equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(*parts: Any) -> str:
    """The id of a thing that is made of `parts` (JSON values)."""
    return sha256(canonical(parts)).hexdigest()[:ID_DIGITS]


def body_sha256(body: dict[str, Any]) -> str:
    """sha256 over everything but `meta` and the hash itself: equal means the same finding or alert."""
    return sha256(
        canonical({k: v for k, v in body.items() if k not in ("meta", "body_sha256")})
    ).hexdigest()
