"""Content identity: one canonical JSON text for equal values, and the ids hashed from it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

ID_DIGITS = 32  # 128 bits: no collision to expect below 10^18 ids


def canonical(value: Any) -> bytes:  # noqa: ANN401 - JSON
    """JSON with sorted keys and no spaces; equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(*parts: Any) -> str:  # noqa: ANN401 - JSON
    """The id of a thing that is made of `parts`."""
    return sha256(canonical(parts)).hexdigest()[:ID_DIGITS]


def body_sha256(body: dict[str, Any]) -> str:
    """sha256 over all but `meta` and the hash itself: equal means the same finding or alert."""
    hashed = {k: v for k, v in body.items() if k not in ("meta", "body_sha256")}
    return sha256(canonical(hashed)).hexdigest()
