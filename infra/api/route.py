"""Route: one thing that can be asked over HTTP; its code says all that the document tells of it."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_type_hints

import infra.api.routes
from infra.reading.reader import Reader
from schemas.event import Record


class Asked(NamedTuple):
    """What a route works with: the newest snapshot for one thread, when it was made, and bounds.

    `path` is where the newest snapshot lies, for who reads it in another process.
    `now` is the time of the request; both times are in microseconds. `approved`: patterns of
    what is no shadow AI.
    """

    reader: Reader
    path: Path
    taken: int
    now: int
    rows: int
    seconds: float
    approved: tuple[str, ...]

    def limit(self, wanted: int | None) -> int:
        """How many rows are answered at most."""
        return self.rows if wanted is None else min(wanted, self.rows)


@dataclass(frozen=True)
class Route:
    """`ask` is called in a thread with what was given, judged; it returns the answer.

    Its annotations are what is given (path, query and body together) and what is answered, the
    first line of its docstring is what it tells. `body`: what is given comes as JSON.
    """

    method: Literal["get", "post"]
    path: str
    ask: Callable[[Asked, Any], Record | dict[str, Any]]
    told: type[Record] | None = None  # where `ask` returns the body of a record as it is stored

    @property
    def given(self) -> type[Record]:
        """The model of what can be given."""
        model: type[Record] = next(
            hint for name, hint in _hints(self.ask).items() if name not in ("asked", "return")
        )
        return model

    @property
    def answer(self) -> type[Record]:
        """The model of what is answered."""
        model: type[Record] = self.told or _hints(self.ask)["return"]
        return model

    @property
    def tells(self) -> str:
        """What is answered, in a line."""
        return (self.ask.__doc__ or "").strip().partition("\n")[0]

    @property
    def name(self) -> str:
        """The name of the operation."""
        return self.ask.__name__


def routes() -> Sequence[Route]:
    """All of them: ROUTES of every module in routes/."""
    found: list[Route] = []
    for module in pkgutil.iter_modules(infra.api.routes.__path__):
        found += import_module(f"{infra.api.routes.__name__}.{module.name}").ROUTES
    return found


def _hints(ask: Callable[..., object]) -> dict[str, Any]:
    return get_type_hints(ask)
