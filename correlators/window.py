"""Window: the state of one correlation for one group, O(condition) past the watermark.

Laws (DESIGN 5; each was shown to be needed by breaking it):
1. Qualification is a property of a *time*: all hits of equal time are folded together, in the order
   of their ids. What a window must keep to decide it stands in `correlators.accumulator`.
2. An episode is a maximal run of qualifying times with gaps of at most one timespan. One that never
   pauses is cut: the next qualifying time after onset + max(24 h, 10 timespans) opens a new one.
3. count = hits from onset to last + the witnesses of the onset (what the state holds from before
   it).
4. Where a condition asks that nothing follows, a time that may qualify waits (`pending`). It keeps
   its own time in the episode; who waits for the rule is told when it is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from correlators.accumulator import Accumulator, Hit
from correlators.accumulator import empty as nothing
from correlators.accumulator.ways import Ways
from correlators.evidence import SHOWN
from correlators.pending import Candidate, candidate, goes_on, undo
from schemas.correlation import Correlation
from schemas.times import BEGINNING


class Sample(msgspec.Struct, array_like=True):
    """The count of a run of hits and its first and last `SHOWN`, in order of (time, id)."""

    count: int = 0
    head: list[Hit] = msgspec.field(default_factory=list)
    tail: list[Hit] = msgspec.field(default_factory=list)

    def append(self, hit: Hit) -> None:
        """Append a hit."""
        self.count += 1
        if len(self.head) < SHOWN:
            self.head.append(hit)
        else:
            tail = self.tail
            tail.append(hit)
            if len(tail) > SHOWN:
                del tail[0]

    def extend(self, hits: Sequence[Hit], count: int | None = None) -> None:
        """Append hits; `count` when they are themselves a sample of more."""
        counted = self.count + (len(hits) if count is None else count)
        for hit in hits if len(hits) <= 2 * SHOWN else (*hits[:SHOWN], *hits[-SHOWN:]):
            self.append(hit)
        self.count = counted

    @property
    def hits(self) -> list[Hit]:
        """The hits that are shown."""
        return self.head + self.tail

    def copy(self) -> Sample:
        """A copy that can be changed; hits are immutable."""
        return Sample(self.count, self.head.copy(), self.tail.copy())


class Episode(msgspec.Struct, array_like=True):
    """A run of qualifying times.

    `pending` are hits since `last`, counted only if a later time qualifies.
    """

    id: str
    onset: int
    last: int
    first: int
    sample: Sample
    pending: Sample

    def copy(self) -> Episode:
        """A copy that can be changed."""
        return Episode(
            self.id, self.onset, self.last, self.first, self.sample.copy(), self.pending.copy()
        )


class Window(msgspec.Struct, array_like=True):
    """Accumulator and the one open episode of a rule in a group: a plain value.

    `latest` is the time of the newest hits.
    """

    accumulator: Accumulator
    episode: Episode | None = None
    pending: list[Candidate] = msgspec.field(default_factory=list)
    latest: int = BEGINNING

    def copy(self) -> Window:
        """A copy that can be changed."""
        return Window(
            self.accumulator.copy(),
            self.episode.copy() if self.episode else None,
            [replace(candidate) for candidate in self.pending],
            self.latest,
        )


class Step(NamedTuple):
    """What a deadline brought: an episode that closed, or one that a candidate now belongs to.

    `time`: when that was. `onset`: it began the episode; `hits` are some of those that it rests on.
    """

    closed: Episode | None
    episode: Episode | None = None
    time: int = 0
    onset: bool = False
    hits: Sequence[Hit] = ()


def empty(rule: Correlation) -> Window:
    """The window in which nothing happened yet."""
    return Window(nothing(rule))


def closes_at(rule: Correlation, window: Window) -> int | None:
    """The next deadline: what is due comes once time has passed this, strictly.

    The open episode closes, a candidate qualifies that may still go on with it, or all hits are out
    of every window that is to come.
    """
    one = _next(rule, window)
    if one is not None:
        return one.due
    if window.episode is not None:
        return window.episode.last + rule.timespan
    return None if window.accumulator.idle() else _stale_at(rule, window)


def close(rule: Correlation, window: Window, until: int) -> Episode | None:
    """Close and return the episode whose deadline lies before `until`; of rules that do not wait.

    `fire` is for all rules.
    """
    episode = window.episode
    if episode is None or episode.last + rule.timespan >= until:
        return None
    window.episode = None
    return episode


def fire(
    rule: Correlation, window: Window, until: int, name: Callable[[Hit], str]
) -> Iterable[Step]:
    """Run the deadlines before `until`, in order, as the steps are asked for; `name` as in `apply`.

    Nearly always there is none, and then this costs next to nothing.
    """
    due = closes_at(rule, window)
    return () if due is None or due >= until else _fired(rule, window, until, name)


def _fired(
    rule: Correlation, window: Window, until: int, name: Callable[[Hit], str]
) -> Iterator[Step]:
    while True:
        one = _next(rule, window)
        if one is None:
            closed = close(rule, window, until)
            if closed is None:
                break
            yield Step(closed)
        elif one.due < until:
            del window.pending[0]
            yield _qualified(rule, window, one, name)
        else:
            break
    if window.episode is None and not window.pending and _stale_at(rule, window) < until:
        window.accumulator = nothing(rule)  # a group of which nothing is heard is forgotten


def apply(
    rule: Correlation, window: Window, time: int, hits: Sequence[Hit], name: Callable[[Hit], str]
) -> tuple[Episode | None, Episode | None]:
    """Fold all hits of one time, in id order.

    Returns (episode cut here, episode if `time` qualifies). `name` makes the id of a new episode
    from the smallest hit at its onset. Call `close` or `fire` for `time` first. Of a rule that
    waits nothing is returned: what comes of it `fire` tells.
    """
    window.latest = time
    held = window.accumulator.fold(rule, time, hits)
    if rule.waits:
        _wait(rule, window, time, hits, held=held)
        return None, None
    episode, cut = window.episode, None
    if not held:
        if episode is not None:
            episode.pending.extend(hits)
        return None, None
    if episode is not None and time > episode.onset + rule.longest:
        cut, episode = episode, None
    if episode is None:
        before, count = window.accumulator.witnesses(rule, hits)
        sample = Sample()
        sample.extend(before, count)
        sample.extend(hits)
        first = before[0].time if before else time
        episode = window.episode = Episode(name(hits[0]), time, time, first, sample, Sample())
    else:
        if episode.pending.count:
            episode.sample.extend(episode.pending.hits, episode.pending.count)
            episode.pending = Sample()
        for hit in hits:
            episode.sample.append(hit)
        episode.last = time
    return cut, episode


def idle(window: Window) -> bool:
    """True if the window says no more than an empty one."""
    return window.episode is None and not window.pending and window.accumulator.idle()


def _stale_at(rule: Correlation, window: Window) -> int:
    """When the newest hits are in no window any more, the old edge of which may be a cell's."""
    return window.latest + rule.timespan + rule.cell


def _next(rule: Correlation, window: Window) -> Candidate | None:
    """The candidate that is decided before the open episode closes."""
    episode, pending = window.episode, window.pending
    if pending and (episode is None or pending[0].time <= episode.last + rule.timespan):
        return pending[0]
    return None


def _wait(rule: Correlation, window: Window, time: int, hits: Sequence[Hit], *, held: bool) -> None:
    """Undo candidates by the hits of `time`, and note these as one if the condition `held`."""
    accumulator, episode, pending = window.accumulator, window.episode, window.pending
    if pending and any(not rule.ending.isdisjoint(hit.names) for hit in hits):
        lost = undo(rule, pending, time, hits)
        if episode is not None:
            episode.pending.count += lost
    if held and isinstance(accumulator, Ways):
        live = accumulator.live
        if not goes_on(rule, pending, time, hits, live):
            before, _ = accumulator.witnesses(rule, hits)
            pending.append(candidate(rule, time, hits, live, before))
    elif pending:
        pending[-1].between += len(hits)
    elif episode is not None:
        episode.pending.extend(hits)


def _qualified(
    rule: Correlation, window: Window, one: Candidate, name: Callable[[Hit], str]
) -> Step:
    """A candidate that nothing can undo any more begins an episode or goes on with it."""
    episode, cut = window.episode, None
    if episode is not None and one.time - one.time % rule.cell > episode.onset + rule.longest:
        cut, episode = episode, None  # a cell is cut as a whole
    onset = episode is None
    if episode is None:
        first = one.before[0].time if one.before else one.time
        episode = Episode(name(one.hit), one.time, one.last, first, Sample(), Sample())
        episode.sample.extend(one.before)
        window.episode = episode
    else:
        episode.sample.extend(episode.pending.hits, episode.pending.count)
        episode.last, episode.pending = one.last, Sample()
    episode.sample.extend((one.hit,), one.count)
    episode.pending.count = one.between
    if window.pending:
        window.pending[0].due = max(window.pending[0].due, one.due)
    return Step(cut, episode, one.due, onset=onset, hits=(one.hit,))
