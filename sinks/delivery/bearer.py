"""Bearer: an access token that is kept until shortly before it ends, and asked for anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from sinks.delivery.wire import Answer

EARLY: Final = 120.0  # seconds before its end: a request on its way must not meet it


class Grant(NamedTuple):
    """A token, and the seconds since 1970 until which it is good."""

    token: str
    until: float


class Bearer:
    """The token of one sink. `ask` gets a new one, or says why there is none. One thread."""

    def __init__(
        self, ask: Callable[[], Grant | Answer], clock: Callable[[], float] = time.time
    ) -> None:
        self._ask, self._clock = ask, clock
        self._grant: Grant | None = None

    def send(self, request: Callable[[str], Answer]) -> Answer:
        """A request with a token; a new one, once, if the receiver no longer takes what we kept."""
        kept = self._grant is not None
        answer = self._sent(request)
        if answer.status == 401:
            self._grant = None
            if kept:
                answer = self._sent(request)
        return answer

    def _sent(self, request: Callable[[str], Answer]) -> Answer:
        if self._grant is None or self._grant.until - EARLY <= self._clock():
            asked = self._ask()
            if isinstance(asked, Answer):
                self._grant = None
                return asked._replace(status=0)  # not of the receiver: no new token helps
            self._grant = asked
        return request(self._grant.token)
