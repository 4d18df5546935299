"""Encoding: the document that the value of a message holds."""

from __future__ import annotations

from typing import Final

from schemas.config import Encoding
from streams.telemetry.otlp import Signal, otlp_json

_SIGNALS: Final[dict[Encoding, Signal]] = {"otlp_traces": "traces", "otlp_logs": "logs"}


def document(value: bytes, encoding: Encoding) -> bytes:
    """The text that a source splits. Raises Unreadable for a value that is no such message."""
    signal = _SIGNALS.get(encoding)
    return value if signal is None else otlp_json(value, signal)
