"""Batch: correlations over a finite run. Only final episodes, so no row is folded twice.

Laws (those of DESIGN 5, held without rows):
1. A hit waits in its group until it is settled. Then the hits of a group are sorted by (time, event
   uid), those of one event are one, and `window.apply` folds them: what Keyed and Correlate do. For
   the types that `correlators.runs` has it says the same, and hits are made only for episodes.
2. What a hit rests on (hash, entities, family) is looked up at the end, and only for hits that a
   finding shows. It is looked up earlier where copies of a hit differ in what they count: the
   smallest normal form decides.
3. Rules that count the same share the hits. One whose condition the hits of a group cannot fulfil,
   however they lie in time, does not fold them.
4. Levels settle one after the other: what a lower one tells lies before the watermark.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, count, groupby, islice
from operator import eq, itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from correlators import window
from correlators.accumulator import Hit
from correlators.correlate import (
    finding,
    finding_id,
    group_of,
    hit_row,
    key_of,
    told,
)
from correlators.evidence import SHOWN
from correlators.pool import Group, Pool, State, Taker, Values, pools
from correlators.resting import About, Look, Match, matches, row, shown_matches, whole
from correlators.runs import Run, least, run_of
from correlators.sightings import Below, Plain, Sighting, joined, sighted
from correlators.window import Episode, Sample, Window
from schemas.canonical import canonical, digest
from schemas.correlation import STATISTICS, Correlation
from schemas.times import BEGINNING, END


class Ready(NamedTuple):
    """A group and its settled hits, in order: too `few` for the conditions of these rules."""

    values: Values
    group: Group
    hits: list[Plain]
    few: Collection[str]


_ORDER = itemgetter(0, 1)  # time and uid
_NOTHING: Final[Mapping[str, State]] = MappingProxyType({})


class Closed(NamedTuple):
    """An episode that can no longer change."""

    rule: Correlation
    key: str
    episode: Episode


class Batch:
    """All correlations of a run: hits are given to takers, `settle` folds, `findings` tells."""

    def __init__(self, correlations: Sequence[Correlation], look: Look) -> None:
        self._pools = pools(correlations)
        self._higher = {
            rule.id: [
                (pool, one) for pool in self._pools for one in pool.rules if rule.id in one.rules
            ]
            for rule in correlations
        }
        self._look = look
        self.closed: list[Closed] = []

    def takers(self, detection: str) -> list[Taker]:
        """What takes the matches of a detection, one for each pool of rules that count them."""
        return [taker for pool in self._pools for taker in pool.takers(detection)]

    def waiting(self) -> int:
        """How many hits wait in groups."""
        return sum(len(g.tail) for pool in self._pools for g in pool.groups.values())

    def settle(self, watermark: int) -> None:
        """No hit before `watermark` comes any more."""
        self._settle(watermark, watermark)

    def end(self, clock: int) -> None:
        """No hit comes any more; time passed up to `clock`, which decides what nothing followed."""
        self._settle(END, clock)

    def _settle(self, watermark: int, clock: int) -> None:
        for pool in self._pools:
            pool.tails.clear()
            ready = list(self._single(pool, list(_ready(pool, watermark))))
            while ready:
                values, group, hits, few = ready.pop()
                for rule in pool.rules:
                    key, known = key_of(rule, _listed(values)), group.state(rule)
                    run = run_of(rule)
                    if rule.id in few:
                        known.kept = [hit for hit in hits if hit[0] >= watermark - rule.timespan]
                    elif run is None:
                        self._fold(rule, key, known, sighted(hits))
                    else:
                        self._run(rule, key, known, hits, run)
            if watermark == END:
                self._close_all(pool, clock)
            else:
                self._pass(pool, watermark)

    def findings(self) -> Iterator[dict[str, Any]]:
        """The Findings of the episodes that closed, without `meta`; in no order."""
        shown = (hit for one in self.closed for hit in one.episode.sample.hits)
        about = self._look({match for hit in shown for match in shown_matches(hit)})
        known: dict[Match, Hit] = {}  # most are shown by several findings
        while self.closed:
            rule, key, episode = self.closed.pop()
            sample = episode.sample
            for hits in (sample.head, sample.tail):
                hits[:] = [whole(hit, about, known) for hit in hits]
            yield finding(rule, key, episode)

    def _single(self, pool: Pool, ready: Sequence[Ready]) -> Iterator[Ready]:
        """With one hit for each event.

        Of copies of a match that differ in what they count the smallest normal form counts.
        """
        doubled = {id(one): list(_differing(one.hits)) for one in ready if _repeats(one.hits)}
        counting = any(rule.fields for rule in pool.rules)
        doubtful = [copies for found in doubled.values() for copies in found if counting]
        about: About = {}
        if doubtful:
            every = (hit for copies in doubtful for hit in copies)
            about = self._look(match for hit in every for match in matches(hit))
        rejected: set[int] = set()
        for copies in doubtful:
            best = min(copies, key=lambda hit: canonical(row(hit, about, {}).body))
            rejected.update(id(hit) for hit in copies if hit[4] != best[4])
        for one in ready:
            yield one._replace(hits=_events(one.hits, rejected)) if id(one) in doubled else one

    def _fold(self, rule: Correlation, key: str, known: State, hits: Sequence[Sighting]) -> None:
        state = known.window
        if state is None:
            state = known.window = window.empty(rule)
        start, total = 0, len(hits)

        def name(hit: Hit) -> str:
            return finding_id(rule, key, hit)

        while start < total:
            time, end = hits[start].time, start + 1
            while end < total and hits[end].time == time:
                end += 1
            together = hits[start:end]
            start = end
            if state.episode is not None or state.pending:
                self._fire(rule, key, state, time)
            cut, episode = window.apply(rule, state, time, together, name)
            self._close(rule, key, cut)
            if episode is not None and self._higher[rule.id]:
                self._tell(rule, key, episode, time, together, onset=episode.onset == time)

    def _run(
        self, rule: Correlation, key: str, known: State, hits: Sequence[Plain], kind: type[Run]
    ) -> None:
        """As `_fold`: of types that tell which times qualify before anything is made of hits."""
        run = kind(rule, known.kept, hits)
        timespan, longest, times, all_ = rule.timespan, rule.longest, run.times, run.hits
        told_ = bool(self._higher[rule.id])
        every = any(one.type.startswith("temporal") for _, one in self._higher[rule.id])
        episode, taken, end = known.episode, run.begun, run.begun
        last = cut = BEGINNING
        if episode is not None:
            last, cut = episode.last, episode.onset + longest
        for start, behind in run.qualifying():
            time = times[start]
            onset = episode is None or time > last + timespan or time > cut
            if onset:
                if episode is not None:
                    self._close(rule, key, _grown(episode, all_[taken:end], last))
                before = sighted(run.witnesses(start))
                first = before[0].time if before else time
                sample = Sample()
                sample.extend(before)
                (smallest,) = sighted(all_[start : start + 1])
                id_ = finding_id(rule, key, smallest)
                episode = Episode(id_, time, time, first, sample, Sample())
                cut, taken = time + longest, start
            elif episode is not None and episode.pending.count:
                episode.sample.extend(episode.pending.hits, episode.pending.count)
                episode.pending = Sample()
            last, end = time, behind
            if episode is not None and (every or (onset and told_)):
                _grown(episode, all_[taken:end], last)
                taken = end
                self._tell(rule, key, episode, time, sighted(all_[start:end][:SHOWN]), onset=onset)
        if episode is not None:
            _grown(episode, all_[taken:end], max(last, episode.last))
            _extend(episode.pending, all_[end:])
        known.episode, known.kept = episode, run.kept()

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
        for pool, one in self._higher[rule.id]:
            counting = not one.type.startswith("temporal")
            if onset or not counting:
                hit = about | {"event": episode.id} if counting else about
                row = hit_row(one, group_of(rule, key), rule.id, hit, "episode")
                pool.put(row, below=below)

    def _close_all(self, pool: Pool, clock: int) -> None:
        """Run the deadlines before `clock`, and say what is open then; nothing more comes."""
        for rule, values, known in _known(pool):
            key, episode = key_of(rule, _listed(values)), known.episode
            if known.window is not None:
                self._fire(rule, key, known.window, clock)
                episode = known.window.episode
            self._close(rule, key, episode)
        pool.groups.clear()

    def _pass(self, pool: Pool, watermark: int) -> None:
        """Run the deadlines before `watermark`, and forget groups that say nothing from it on."""
        for rule, values, known in _known(pool):
            state, episode = known.window, known.episode
            if state is not None:
                self._fire(rule, key_of(rule, _listed(values)), state, watermark)
                if window.idle(state):
                    known.window = None
                continue
            if episode is not None and episode.last + rule.timespan < watermark:
                self._close(rule, key_of(rule, _listed(values)), episode)
                known.episode = None
            if known.kept and known.kept[-1][0] < watermark - rule.timespan - rule.cell:
                known.kept = ()
        oldest = watermark - max(rule.timespan + rule.cell for rule in pool.rules)
        for values, group in list(pool.groups.items()):
            if group.states is None:
                group.tail = [hit for hit in group.tail if hit[0] >= oldest]
            else:
                group.forget()
            if not group.tail and group.states is None:
                del pool.groups[values]


def _known(pool: Pool) -> Iterator[tuple[Correlation, Values, State]]:
    """What each rule knows of each group."""
    rules = {rule.id: rule for rule in pool.rules}
    for values, group in pool.groups.items():
        for id_, known in (group.states or {}).items():
            yield rules[id_], values, known


def _extend(sample: Sample, hits: Sequence[Plain]) -> None:
    """Take hits into a sample, of which the others are only counted."""
    count = len(hits)
    if count > 2 * SHOWN:
        hits = [*hits[:SHOWN], *hits[-SHOWN:]]
    sample.extend(sighted(hits), count)


def _grown(episode: Episode, hits: Sequence[Plain], last: int) -> Episode:
    """The episode with further hits, the last of which qualified."""
    _extend(episode.sample, hits)
    episode.last = last
    return episode


def _ready(pool: Pool, watermark: int) -> Iterator[Ready]:
    """The groups that have something to fold, with their settled hits in order."""
    enough = [(rule, least(rule)) for rule in pool.rules]
    fewest = min(_fewest(rule) for rule in pool.rules)
    for values, group in pool.groups.items():
        hits, states = group.tail, group.states or _NOTHING
        if len(hits) < fewest and not (hits and states):  # most groups
            continue
        few = [rule.id for rule, n in enough if rule.id not in states and _few(rule, hits, n)]
        if len(few) == len(enough):
            continue
        hits.sort()  # no two have the same time, uid, place and names
        cut = len(hits)
        if hits[-1][0] >= watermark:
            cut = bisect_left(hits, watermark, key=itemgetter(0))
        group.tail = hits[cut:]
        if cut:
            yield Ready(values, group, hits[:cut] if group.tail else hits, few)


def _fewest(rule: Correlation) -> int:
    """How many hits the condition needs at least."""
    return 1 if rule.type in STATISTICS or rule.clauses else least(rule)


def _few(rule: Correlation, hits: Sequence[Plain], enough: int) -> bool:
    """True if these hits, all together, have fewer than `enough` of what the rule counts."""
    if rule.type in STATISTICS:
        return all(hit[4] is None for hit in hits)
    if rule.type.startswith("temporal"):
        names = {name for together in {hit[3] for hit in hits} for name in together}
        if rule.clauses:
            return not any(names.issuperset(clause.present) for clause in rule.clauses)
        return len(names) < enough
    return rule.type != "event_count" and len({hit[4] for hit in hits} - {None}) < enough


def _repeats(hits: Sequence[Plain]) -> bool:
    """True if an event has several hits."""
    times = [hit[0] for hit in hits]
    same = compress(count(1), map(eq, times, islice(times, 1, None)))
    return any(hits[place][1] == hits[place - 1][1] for place in same)


def _events(hits: Sequence[Plain], rejected: set[int]) -> list[Plain]:
    """The hits with those of one event and time joined."""
    if rejected:
        hits = [hit for hit in hits if id(hit) not in rejected]
    found: list[Plain] = []
    for _, together in groupby(hits, key=_ORDER):
        parts = tuple(together)
        found.append(parts[0] if len(parts) == 1 else joined(_by_row(parts)))
    return found


def _by_row(parts: Iterable[Plain]) -> tuple[Plain, ...]:
    """In the order in which their rows would be folded: by the ids of the signals."""
    return tuple(sorted(parts, key=lambda hit: digest("signal", hit[3][0], hit[1])))


def _differing(hits: Sequence[Plain]) -> Iterator[list[Plain]]:
    """Copies of one match that count different values."""
    for _, together in groupby(hits, key=_ORDER):
        copies: dict[str, list[Plain]] = {}
        for hit in together:
            if hit[5] is None:
                copies.setdefault(hit[3][0], []).append(hit)
        for same in copies.values():
            if len({hit[4] for hit in same}) > 1:
                yield same


def _listed(values: Values) -> Sequence[str]:
    return (values,) if isinstance(values, str) else values
