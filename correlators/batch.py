"""Batch: correlations over a finite run. Only final episodes, so no row is folded twice.

Laws (those of DESIGN 5, held without rows):
1. A hit waits in its group until it is settled. Then the hits of a group are sorted by (time, event
   uid), those of one event are one, and `window.apply` folds them: what Keyed and Correlate do.
2. What a hit rests on (hash, entities, family) is looked up at the end, and only for hits that a
   finding shows. It is looked up earlier where copies of a hit differ in what they count: the
   smallest normal form decides.
3. A group whose hits cannot fulfil the condition, however they lie in time, is not folded.
4. Levels settle one after the other: what a lower one tells lies before the watermark.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from correlators import window
from correlators.accumulator import Hit
from correlators.correlate import (
    finding,
    finding_id,
    group_of,
    hit_row,
    hits_of,
    key_of,
    told,
)
from correlators.evidence import SHOWN
from correlators.sightings import (
    Below,
    Group,
    Sighting,
    Taker,
    Values,
    joined,
    put,
)
from correlators.window import Episode, Window
from schemas.canonical import canonical, digest
from schemas.correlation import STATISTICS, Correlation
from schemas.rows import Row
from schemas.times import END
from schemas.topics import SIGNALS

Match = tuple[int, str]  # the place of a record, and a detection that matched it
About = Mapping[Match, Mapping[str, Any]]
# What matches bring to correlations (claims.hit). All at once: it reads the input again.
Look = Callable[[Iterable[Match]], About]

_ORDER = attrgetter("time", "id")
_EVENT = attrgetter("id")


class Closed(NamedTuple):
    """An episode that can no longer change."""

    rule: Correlation
    key: str
    episode: Episode


class Batch:
    """All correlations of a run: hits are given to takers, `settle` folds, `findings` tells."""

    def __init__(self, correlations: Sequence[Correlation], look: Look) -> None:
        self._rules = sorted(correlations, key=lambda rule: rule.level_number)
        self._groups: dict[str, dict[Values, Group]] = {rule.id: {} for rule in self._rules}
        self._higher = {id_: [r for r in self._rules if id_ in r.rules] for id_ in self._groups}
        self._look = look
        self.closed: list[Closed] = []

    def takers(self, detection: str) -> list[Taker]:
        """What takes the matches of a detection, one for each correlation that counts them."""
        rules = [rule for rule in self._rules if detection in rule.rules]
        return [Taker(rule, detection, self._groups[rule.id]) for rule in rules]

    def waiting(self) -> int:
        """How many hits wait in groups."""
        return sum(len(g.tail) for groups in self._groups.values() for g in groups.values())

    def settle(self, watermark: int) -> None:
        """No hit before `watermark` comes any more."""
        self._settle(watermark, watermark)

    def end(self, clock: int) -> None:
        """No hit comes any more; time passed up to `clock`, which decides what nothing followed."""
        self._settle(END, clock)

    def _settle(self, watermark: int, clock: int) -> None:
        for rule in self._rules:
            groups = self._groups[rule.id]
            ready = list(_ready(rule, groups, watermark))
            rejected = self._rejected(rule, ready)
            while ready:
                values, group, hits = ready.pop()
                self._fold(rule, key_of(rule, _listed(values)), group, hits, rejected)
            self._pass(rule, groups, watermark, clock)

    def findings(self) -> Iterator[dict[str, Any]]:
        """The Findings of the episodes that closed, without `meta`; in no order."""
        shown = (hit for one in self.closed for hit in one.episode.sample.hits)
        about = self._look({match for hit in shown for match in _matches(hit)})
        known: dict[Match, Hit] = {}  # most are shown by several findings
        while self.closed:
            rule, key, episode = self.closed.pop()
            sample = episode.sample
            for hits in (sample.head, sample.tail):
                hits[:] = [_whole(hit, about, known) for hit in hits]
            yield finding(rule, key, episode)

    def _rejected(
        self, rule: Correlation, ready: Iterable[tuple[Values, Group, Sequence[Sighting]]]
    ) -> set[int]:
        """The copies that do not count because a smaller one does, where that matters to the fold.

        By identity of the sighting.
        """
        if not rule.fields:  # copies are alike but for what they rest on
            return set()
        doubtful = [copies for _, _, hits in ready for copies in _differing(hits)]
        if not doubtful:
            return set()
        about = self._look(
            match for copies in doubtful for hit in copies for match in _matches(hit)
        )
        rejected: set[int] = set()
        for copies in doubtful:
            best = min(copies, key=lambda hit: canonical(_row(hit, about, {}).body))
            rejected.update(id(hit) for hit in copies if hit.value != best.value)
        return rejected

    def _fold(
        self,
        rule: Correlation,
        key: str,
        group: Group,
        hits: Sequence[Sighting],
        rejected: set[int],
    ) -> None:
        state = group.window
        if state is None:
            state = group.window = window.empty(rule)
        higher = self._higher[rule.id]
        start, total = 0, len(hits)

        def name(hit: Hit) -> str:
            return finding_id(rule, key, hit)

        while start < total:
            time, end = hits[start].time, start + 1
            while end < total and hits[end].time == time:
                end += 1
            together: Sequence[Sighting] = hits[start:end]
            if end - start > 1:
                together = _events(together, rejected)
            start = end
            if state.episode is not None or state.pending:
                self._fire(rule, key, state, time)
            cut, episode = window.apply(rule, state, time, together, name)
            self._close(rule, key, cut)
            if episode is not None and higher:
                self._tell(rule, key, episode, time, together, onset=episode.onset == time)

    def _fire(self, rule: Correlation, key: str, state: Window, until: int) -> None:
        """Run the deadlines before `until`."""

        def name(hit: Hit) -> str:
            return finding_id(rule, key, hit)

        for step in window.fire(rule, state, until, name):
            self._close(rule, key, step.closed)
            if step.episode is not None:
                self._tell(rule, key, step.episode, step.time, step.hits, onset=step.onset)

    def _close(self, rule: Correlation, key: str, episode: Episode | None) -> None:
        if episode is not None:
            self.closed.append(Closed(rule, key, episode))

    def _tell(
        self,
        rule: Correlation,
        key: str,
        episode: Episode,
        time: int,
        hits: Sequence[Hit],
        *,
        onset: bool,
    ) -> None:
        """As Correlate tells it: temporal rules use all qualifying times, counting ones onsets."""
        below = Below(key, hits[0].id, tuple(episode.sample.hits if onset else hits[:SHOWN]))
        about = told(key, time, hits[0].id, ())
        for one in self._higher[rule.id]:
            counting = not one.type.startswith("temporal")
            if onset or not counting:
                hit = about | {"event": episode.id} if counting else about
                row = hit_row(one, group_of(rule, key), rule.id, hit, "episode")
                put(self._groups[one.id], row, below=below)

    def _pass(
        self, rule: Correlation, groups: dict[Values, Group], watermark: int, clock: int
    ) -> None:
        """Run the deadlines before `clock`, and forget groups that say nothing from then on."""
        oldest = watermark - rule.timespan - rule.cell
        for values, group in list(groups.items()):
            state = group.window
            if state is None:
                group.tail = [hit for hit in group.tail if hit.time >= oldest]
            else:
                key = key_of(rule, _listed(values))
                self._fire(rule, key, state, clock)
                if watermark == END:
                    self._close(rule, key, state.episode)
            if not group.tail and (state is None or window.idle(state)):
                del groups[values]
        if watermark == END:
            groups.clear()


def _ready(
    rule: Correlation, groups: Mapping[Values, Group], watermark: int
) -> Iterator[tuple[Values, Group, list[Sighting]]]:
    """The groups that have something to fold, with their settled hits in order."""
    least = _least(rule)
    for values, group in groups.items():
        hits = group.tail
        if not hits or (group.window is None and _few(rule, hits, least)):
            continue
        hits.sort(key=_ORDER)
        cut = len(hits)
        if hits[-1].time >= watermark:
            cut = bisect_left(hits, watermark, key=attrgetter("time"))
        group.tail = hits[cut:]
        if cut:
            yield values, group, hits[:cut]


def _least(rule: Correlation) -> int:
    """How many hits, values or rules the condition needs at least; of numbers, one."""
    if rule.clauses or rule.type in STATISTICS:
        return 1
    if not rule.condition:
        return len(rule.rules)
    more = {"gte": 0, "eq": 0, "gt": 1}
    asked = (int(number) + more[op] for op, number in rule.condition.items() if op in more)
    return max((1, *asked))


def _few(rule: Correlation, hits: Sequence[Sighting], least: int) -> bool:
    """True if these hits, all together, have fewer than `least` of what the rule counts."""
    if rule.type in STATISTICS:
        return all(hit.value is None for hit in hits)
    if rule.type.startswith("temporal"):
        names = {name for hit in hits for name in hit.names}
        if rule.clauses:
            return not any(names.issuperset(clause.present) for clause in rule.clauses)
        return len(names) < least
    if len(hits) < least or rule.type == "event_count":
        return len(hits) < least
    return len({hit.value for hit in hits if hit.value is not None}) < least


def _events(hits: Sequence[Sighting], rejected: set[int]) -> list[Sighting]:
    """The hits of one time with those of one event joined; in the order of uids."""
    if rejected:
        hits = [hit for hit in hits if id(hit) not in rejected]
    found: list[Sighting] = []
    for _, together in groupby(hits, key=_EVENT):
        parts = tuple(together)
        found.append(parts[0] if len(parts) == 1 else joined(_by_row(parts)))
    return found


def _by_row(parts: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """In the order in which their rows would be folded: by the ids of the signals."""
    return tuple(sorted(parts, key=lambda hit: digest("signal", hit.names[0], hit.id)))


def _differing(hits: Sequence[Sighting]) -> Iterator[list[Sighting]]:
    """Copies of one match that count different values."""
    if not any(one.id == other.id and one.time == other.time for one, other in pairwise(hits)):
        return
    for _, together in groupby(hits, key=_ORDER):
        copies: dict[str, list[Sighting]] = {}
        for hit in together:
            if hit.below is None:
                copies.setdefault(hit.names[0], []).append(hit)
        for same in copies.values():
            if len({hit.value for hit in same}) > 1:
                yield same


def _matches(hit: Hit) -> Iterator[Match]:
    """What a hit rests on in the end."""
    if not isinstance(hit, Sighting):
        return
    if hit.below is not None:
        for lower in hit.below.shown:
            yield from _matches(lower)
    for part in hit.parts or (hit,):
        if part.below is None:
            yield part.place, part.names[0]


def _whole(hit: Hit, about: About, known: dict[Match, Hit]) -> Hit:
    """What the hit rests on, as Correlate would have made it of its rows.

    `known`: those of one match alone, whatever it counts as.
    """
    if not isinstance(hit, Sighting):
        return hit
    if hit.parts or hit.below is not None:
        return _made(hit, about, known)
    match = hit.place, hit.names[0]
    made = known.get(match)
    if made is None:
        made = known[match] = _made(hit, about, known)
    return made


def _made(hit: Sighting, about: About, known: dict[Match, Hit]) -> Hit:
    rows: dict[str, Row] = {}
    for part in hit.parts or (hit,):
        row = _row(part, about, known)
        other = rows.get(row.id)
        if other is None or canonical(row.body) < canonical(other.body):
            rows[row.id] = row
    (whole,) = hits_of([rows[id_] for id_ in sorted(rows)])
    return whole


def _row(hit: Sighting, about: About, known: dict[Match, Hit]) -> Row:
    if hit.below is None:
        told_ = about.get((hit.place, hit.names[0])) or _nothing(hit)
    else:
        key, first, shown = hit.below
        told_ = told(key, hit.time, first, [_whole(lower, about, known) for lower in shown])
    body = {name: value for name, value in told_.items() if name not in ("time", "id")}
    body |= {"event": hit.id, "names": list(hit.names)}
    if hit.value is not None:
        body["value"] = hit.value
    return Row(SIGNALS, 0, "", hit.time, told_["id"], "hit", body)


def _nothing(hit: Sighting) -> dict[str, Any]:
    """What a match rests on whose record turned out to be unreadable."""
    id_ = digest("signal", hit.names[0], hit.id)
    return {"id": id_, "signals": [id_], "evidence": [], "entities": [], "families": []}


def _listed(values: Values) -> Sequence[str]:
    return (values,) if isinstance(values, str) else values
