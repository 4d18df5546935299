"""Digest: what is not urgent waits on disk and is told together, once in a span of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from schemas.alert import Stage
from schemas.canonical import digest
from schemas.rows import Result
from schemas.times import SECOND
from sinks.delivery.memory import Memory
from sinks.delivery.news import LOUD, News, Said, closed
from sinks.formats.words import ending, words

MOST: Final = 20  # alerts in a digest; the others are counted
_WAITS: Final = "wait:"
_ISSUE: Final = "issue"


class Entry(NamedTuple):
    """One alert of a digest as it is told; all texts are inert."""

    id: str
    revision: int
    priority: int
    news: News
    headline: str
    action: str
    command: str
    link: str | None
    said: Sequence[Any]


class Issue(NamedTuple):
    """One digest. `key` tells it from others: a copy after a kill has the same.

    `open`: the newest state of each alert that has news, by priority; `more` of them are not shown.
    `ended`: the headlines of what is over, `faded` more not shown. `past`: how many were passed
    over, as `note` explains.
    """

    key: str
    open: tuple[Entry, ...]
    more: int
    ended: tuple[str, ...]
    faded: int
    past: int = 0
    note: str = ""

    @property
    def title(self) -> str:
        """`3 alerts with news, 1 over`."""
        alerts, over = len(self.open) + self.more, len(self.ended) + self.faded
        count = f"{alerts} alert{'' if alerts == 1 else 's'} with news" if alerts else ""
        passed = (
            f"{self.past} alert{'' if self.past == 1 else 's'} of the past" if self.past else ""
        )
        return ", ".join(part for part in (count, f"{over} over" if over else "", passed) if part)

    def fitted(self, size: Callable[[Issue], int], most: int) -> Issue:
        """As much of it as has at most that size; the rest is counted."""
        shown, fits = max(len(self.open), len(self.ended)), self
        while size(fits) > most and shown > 1:
            shown //= 2
            fits = self._replace(
                open=self.open[:shown],
                more=self.more + len(self.open[shown:]),
                ended=self.ended[:shown],
                faded=self.faded + len(self.ended[shown:]),
            )
        return fits


class Digest:
    """What waits for one sink. Without `every` nothing ever does."""

    def __init__(
        self, memory: Memory, every: int | None, urgent: Sequence[Stage], link: str | None
    ) -> None:
        self._memory, self._every, self._link = memory, every, link
        self._urgent = frozenset(urgent)
        self._oldest: float | None = None  # since when the one waits that has waited longest

    def open(self) -> None:
        """Find what waited when it was last closed, or killed."""
        waiting = self._memory.beginning(_WAITS).values()
        self._oldest = min((waits["since"] for waits in waiting), default=None)
        if self._memory.get(_ISSUE) is not None:
            self._oldest = 0.0

    def takes(self, result: Result) -> bool:
        """True if this alert is not to be told at once."""
        return self._every is not None and result.body["peak_stage"] not in self._urgent

    def keep(self, result: Result, before: Said | None, what: News | None, now: float) -> None:
        """Let it wait in place of what waits of the same alert; what is no news any more goes."""
        key = f"{_WAITS}{result.id}"
        if what is None and closed(result) and result.state != "withdrawn":
            what = "ended" if self._memory.get(key) is not None else None
        if what not in LOUD:
            self.drop(result.id)
            return
        told = words(result.body, result.state, self._link)
        entry = Entry(
            result.id,
            result.body["meta"]["revision"],
            result.body["priority"],
            what,
            told.headline,
            ending(result.body, result.state) or "".join(told.actions[:1]),
            told.commands[0],
            told.link,
            tuple(Said.of(result, before)),
        )
        self._memory.put({key: {"since": now, "entry": tuple(entry)}})
        self._oldest = now if self._oldest is None else min(now, self._oldest)

    def drop(self, id_: str) -> None:
        """It need not be told here."""
        if self._oldest is not None:
            self._memory.forget([f"{_WAITS}{id_}"])

    def due(self, now: float) -> Issue | None:
        """What is to be told now, the same until `done`; None if nothing waits or it is early."""
        # Another span, not a later one: a clock that was ahead for a while would keep it back.
        if self._oldest is None or self._span(self._oldest) == self._span(now):
            return None
        frozen = self._memory.get(_ISSUE)
        if frozen is not None and not all(self._told(*one) for one in frozen["said"].items()):
            return _thawed(frozen["issue"])
        waiting = [Entry(*waits["entry"]) for waits in self._memory.beginning(_WAITS).values()]
        fresh = [entry for entry in waiting if not self._told(entry.id, entry.said)]
        self._memory.forget(f"{_WAITS}{e.id}" for e in waiting if e not in fresh)
        if not fresh:
            self._oldest = None
            return None
        issue = _issue(fresh)
        said = {entry.id: entry.said for entry in fresh}
        self._memory.put({_ISSUE: {"issue": _frozen(issue), "said": said}})
        return issue

    def done(self) -> None:
        """It was told."""
        said = self._memory.get(_ISSUE)["said"]
        self._memory.put({f"said:{id_}": one for id_, one in said.items()})
        self._memory.forget([_ISSUE, *(f"{_WAITS}{id_}" for id_ in said)])
        self._oldest = None

    def _told(self, id_: str, wanted: Sequence[Any]) -> bool:
        said = self._memory.get(f"said:{id_}")
        return said is not None and Said(*said).revision >= Said(*wanted).revision

    def _span(self, time: float) -> int:
        """The number of the span; without a digest each moment is one: what waited is due."""
        return int(time * SECOND) // (self._every or 1)


def _issue(entries: Sequence[Entry]) -> Issue:
    ranked = sorted(entries, key=lambda entry: (-entry.priority, entry.id))
    is_open = [entry for entry in ranked if entry.news not in ("ended", "withdrawn")]
    over = [entry.headline for entry in ranked if entry.news in ("ended", "withdrawn")]
    return Issue(
        digest("digest", [(entry.id, entry.revision) for entry in ranked]),
        tuple(is_open[:MOST]),
        max(0, len(is_open) - MOST),
        tuple(over[:MOST]),
        max(0, len(over) - MOST),
    )


def _frozen(issue: Issue) -> dict[str, Any]:
    return issue._asdict() | {"open": [tuple(entry) for entry in issue.open]}


def _thawed(frozen: dict[str, Any]) -> Issue:
    is_open = tuple(Entry(*entry) for entry in frozen["open"])
    ended = tuple(frozen["ended"])
    return Issue(frozen["key"], is_open, frozen["more"], ended, frozen["faded"])
