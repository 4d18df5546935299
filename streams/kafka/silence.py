"""Silence: a broker that does not answer is asked why; aiokafka waits for it without a word."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka.connection import reach

LONG: Final = 5.0  # seconds without an answer, and between two questions


class Silence:
    """`away`: why the broker does not answer; None while it does, or nobody knows."""

    def __init__(self, config: KafkaConfig) -> None:
        self.away: str | None = None
        self._config, self._asked = config, -math.inf

    async def look(self, answered: Sequence[float]) -> None:
        """Look at when fetches were answered last, by the wall clock in seconds."""
        if not answered or abs(time.time() - max(answered)) < LONG:
            self.away = None
        elif time.monotonic() - self._asked > LONG:
            try:
                await reach(self._config)
            except Unavailable as reason:
                self.away = str(reason)
            else:
                self.away = None
            self._asked = time.monotonic()
