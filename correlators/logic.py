"""Logic: what one kind of keyed stage folds, and how the fold says what comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.rows import Result, ResultKind, Row

RowKey = tuple[str, int, str, int, str]  # topic, level, key, time, id
ResultKey = tuple[str, str]  # kind, id
State = Any  # a msgspec struct of the stage's own, with `copy`; only its Logic looks inside


def row_key(row: Row) -> RowKey:
    """What a row is an upsert of."""
    return row.topic, row.level, row.key, row.time, row.id


class Emit:
    """Collects what a fold says: rows for the next stages, and results for sinks, newest by id.

    `ahead`: this is the provisional pass; what more rows could undo stays unsaid. `unforeseen`: the
    settled pass came to such a thing, so that what was folded ahead of it has to be folded anew.
    """

    __slots__ = ("ahead", "results", "rows", "unforeseen")

    def __init__(self, *, ahead: bool = False) -> None:
        self.ahead, self.unforeseen = ahead, False
        self.rows: dict[RowKey, Row] = {}
        self.results: dict[ResultKey, Result] = {}

    def row(self, row: Row) -> None:
        """Say a row."""
        self.rows[row_key(row)] = row

    def result(self, kind: ResultKind, id_: str, time: int, body: dict[str, Any]) -> None:
        """Say a result; its state is decided by the part of the fold that it came from."""
        self.results[kind, id_] = Result(kind, id_, time, "provisional", body)


class Logic(ABC):
    """What one kind of stage folds: it holds rules and never changes, all that moves is a State.

    A stage that has no more than `apply` and `idle` has no deadlines and leaves nothing open.
    """

    name: str
    state_type: Any
    most: int | None = None  # keys of one partition; of more the quiet ones are forgotten, counted
    packed = False  # True where keys may be many and most of them are at rest

    def empty(self, _key: str, /) -> State:
        """The state of a key about which nothing was said."""
        return self.state_type()

    def copy(self, state: State, /) -> State:
        """A copy that can be changed."""
        return state.copy()

    def knows(self, _key: str, /) -> bool:
        """False for a key that rules have which are not here: a driver passes its rows over."""
        return True

    @abstractmethod
    def apply(self, key: str, state: State, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        """Fold all rows of one time, sorted by id."""

    def fire(self, key: str, state: State, until: int, emit: Emit, /) -> None:  # noqa: B027 - none
        """Run the deadlines before `until`, in order of time."""

    def due(self, _key: str, _state: State, /) -> int | None:
        """The earliest deadline."""
        return None

    def report(self, key: str, state: State, emit: Emit, /) -> None:  # noqa: B027 - nothing open
        """Say what is open now. Does not change the state."""

    @abstractmethod
    def idle(self, state: State, /) -> bool:
        """True if the state can be forgotten."""

    def provisional(self, _key: str, /) -> bool:
        """False where more rows can undo the condition: it says nothing before it is settled."""
        return True

    def complete(self, results: list[Result], /) -> list[Result]:
        """Finish the bodies of a whole batch at once (scores); a pure function of each body."""
        return results


def in_order(rows: Sequence[Row], rank: Mapping[str, int]) -> Sequence[Row]:
    """Rows of one time by rank of their kind; at equal rank closed before open (open wins), by id.

    A row of a kind that opens and closes says which in `state`.
    """
    if len(rows) == 1:
        return rows
    return sorted(rows, key=lambda row: (rank[row.kind], row.body.get("state") != "closed", row.id))
