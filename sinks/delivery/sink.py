"""What a sink is, and what it says of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from schemas.rows import Result


class Refused(NamedTuple):
    """A result that the receiver will never take, and why: for the dead letters."""

    result: Result
    reason: str


class Delivered(NamedTuple):
    """How far a batch got. What is not taken is given again, in the same order.

    taken: results from the start of the batch that need no further attempt, the refused ones among
    them.
    problem: a sentence if the receiver could not take the rest now; wait: the seconds that it asked
    for. Without a problem the sink gathers: it wants the rest again, and more, when they are over.
    misconfigured: a person has to change something; it is tried again, but seldom.
    bookmark: JSON that is saved with the cursor and given to `open` at the next start.
    """

    taken: int
    refused: tuple[Refused, ...] = ()
    problem: str | None = None
    wait: float = 0.0
    misconfigured: bool = False
    bookmark: Any = None


class Sink(Protocol):
    """Takes results out. One thread calls it.

    Batches come in order of emission and may come again after a kill: a sink upserts by id, or
    undoes what lies behind its bookmark.
    """

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of Result that it wants."""
        ...

    @property
    def local(self) -> bool:
        """True if it writes on this disk: while it cannot, reading waits and nothing is evicted."""
        ...

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Begin behind the last saved bookmark (None: there is none)."""
        ...

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Deliver; an error that will pass is a `problem`, never an exception."""
        ...

    def flush(self) -> Delivered | None:
        """Nothing waits at the moment: a time to publish what was written.

        A Delivered says how that went, where its receiver can be away; it has taken none.
        """
        ...

    def close(self) -> None:
        """Publish, and give everything back."""
        ...
