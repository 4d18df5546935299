"""Window: the state of one correlation for one group, O(condition) past the watermark.

Laws (DESIGN 5; each was shown to be needed by breaking it):
1. Qualification is a property of a *time*: all hits of equal time are folded together, in the order
   of their ids. What a window must keep to decide it stands in `correlators.accumulator`.
2. An episode is a maximal run of qualifying times with gaps of at most one timespan. One that never
   pauses is cut: the next qualifying time after onset + max(24 h, 10 timespans) opens a new one.
3. count = hits from onset to last + the witnesses of the onset (what the state holds from before
   it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from correlators.accumulator import KINDS, Accumulator, Hit
from correlators.evidence import SHOWN
from schemas.correlation import Correlation
from schemas.times import DAY


class Sample(msgspec.Struct, array_like=True):
    """The count of a run of hits and its first and last `SHOWN`, in order of (time, id)."""

    count: int = 0
    head: list[Hit] = msgspec.field(default_factory=list)
    tail: list[Hit] = msgspec.field(default_factory=list)

    def extend(self, hits: Sequence[Hit], count: int | None = None) -> None:
        """Append hits; `count` when they are themselves a sample of more."""
        self.count += len(hits) if count is None else count
        room = SHOWN - len(self.head)
        if room > 0:
            self.head.extend(hits[:room])
            hits = hits[room:]
        if hits:
            self.tail.extend(hits)
            del self.tail[:-SHOWN]

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
    """Accumulator and the one open episode of a rule in a group: a plain value."""

    accumulator: Accumulator
    episode: Episode | None = None

    def copy(self) -> Window:
        """A copy that can be changed."""
        return Window(self.accumulator.copy(), self.episode.copy() if self.episode else None)


def empty(rule: Correlation) -> Window:
    """The window in which nothing happened yet."""
    return Window(KINDS[rule.type]())


def closes_at(rule: Correlation, window: Window) -> int | None:
    """The deadline of the open episode: it closes once time has passed this, strictly."""
    return window.episode.last + rule.timespan if window.episode else None


def close(rule: Correlation, window: Window, until: int) -> Episode | None:
    """Close and return the episode whose deadline lies before `until`."""
    deadline = closes_at(rule, window)
    if deadline is None or deadline >= until:
        return None
    closed, window.episode = window.episode, None
    return closed


def apply(
    rule: Correlation, window: Window, time: int, hits: Sequence[Hit], name: Callable[[Hit], str]
) -> tuple[Episode | None, Episode | None]:
    """Fold all hits of one time, in id order.

    Returns (episode cut here, episode if `time` qualifies). `name` makes the id of a new episode
    from the smallest hit at its onset. Call `close` for `time` first.
    """
    accumulator = window.accumulator
    accumulator.prune(rule, time)
    accumulator.add(rule, hits)
    episode, cut = window.episode, None
    if not accumulator.holds(rule):
        if episode is not None:
            episode.pending.extend(hits)
        return None, None
    if episode is not None and time > episode.onset + max(DAY, 10 * rule.timespan):
        cut, episode = episode, None
    if episode is None:
        before = accumulator.witnesses(time)
        sample = Sample()
        sample.extend([*before, *hits])
        first = before[0].time if before else time
        episode = window.episode = Episode(name(hits[0]), time, time, first, sample, Sample())
    else:
        episode.sample.extend(episode.pending.hits, episode.pending.count)
        episode.sample.extend(hits)
        episode.last, episode.pending = time, Sample()
    return cut, episode


def idle(window: Window) -> bool:
    """True if the window says no more than an empty one."""
    return window.episode is None and window.accumulator.idle()
