"""Addresses: the one id of an endpoint that is known by where it listens, and who asks from where.

https://user:word@chat.example/v1?key=1#top      https://chat.example/v1
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from schemas.entity import Entity
from schemas.event import Client
from streams.records.untrusted import entity, text
from streams.source import Json

_WHO: Final = re.compile(r"//[^/@\s]{0,256}@")


def endpoint(address: Json, name: Json = None) -> Entity | None:
    """The endpoint at that address, without what a caller adds: who it is, and what it asks."""
    known = (text(address, 1024) or "").partition("#")[0].partition("?")[0]
    return entity("endpoint", _WHO.sub("//", known, count=1), name)


def client(address: Json, agent: Json) -> Client | None:
    """Where a request came from; None where the record does not say."""
    ip, program = text(address, 256), text(agent, 512)
    return _client(ip, program) if ip or program else None


@lru_cache(maxsize=4_096)  # the same few ask again and again
def _client(ip: str | None, user_agent: str | None) -> Client:
    return Client(ip=ip, user_agent=user_agent)
