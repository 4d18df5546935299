"""Addresses: the one id of an endpoint that is known by where it listens.

https://user:word@chat.example/v1?key=1#top      https://chat.example/v1
"""

from __future__ import annotations

import re
from typing import Final

from schemas.entity import Entity
from streams.records.untrusted import entity, text
from streams.source import Json

_WHO: Final = re.compile(r"//[^/@\s]{0,256}@")


def endpoint(address: Json, name: Json = None) -> Entity | None:
    """The endpoint at that address, without what a caller adds: who it is, and what it asks."""
    known = (text(address, 1024) or "").partition("#")[0].partition("?")[0]
    return entity("endpoint", _WHO.sub("//", known, count=1), name)
