"""What an input of the embedded driver is: documents from a position on, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from streams.records.documents import Fault


class Arrivals(NamedTuple):
    """Where each message lies in its log, and when it arrived: milliseconds as Kafka has them.

    A stamp of 0 or less says nothing.
    """

    offsets: Sequence[int]
    stamps: Sequence[int]


class Chunk(NamedTuple):
    """A run of documents of one file, in order.

    source: the name of their format. origin: `file:<path>`. received: when they arrived
    (microseconds), where somebody stamped that. position: where to go on behind them (JSON). first:
    the file starts here.
    before: how many documents of the file lie before these. fault: behind them lies a part that
    gives no document. numbers: how many records of the file lie before each document and before the
    fault, where these do not follow one another. messages: the documents are those of a log, each
    numbered by itself, and `origin` is `kafka:<topic>/<partition>`.
    """

    source: str
    origin: str
    documents: Sequence[bytes]
    received: int | None
    position: Any
    first: bool = False
    before: int = 0
    fault: Fault | None = None
    numbers: Sequence[int] | None = None
    messages: Arrivals | None = None


class Input(Protocol):
    """Read by one thread.

    Guarantee: started at a saved position it gives what lies behind that, in the order of each
    file; nothing twice, nothing left out.
    """

    @property
    def name(self) -> str:
        """The name of the input in the configuration."""
        ...

    @property
    def position(self) -> Any:  # noqa: ANN401 - JSON
        """Behind the last chunk that was read."""
        ...

    @property
    def ended(self) -> bool:
        """No chunk will come any more; an input that cannot end never says so."""
        ...

    def read(self, limit_records: int, limit_bytes: int) -> Chunk | None:
        """The next documents, within the limits but at least one; None: nothing is there now."""
        ...

    def trim(self, position: Any) -> None:  # noqa: ANN401 - JSON
        """What lies before `position` is saved for good: an input may drop files of its own."""
        ...
