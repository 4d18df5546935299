"""Backtested: what a rule author wants to know of a backtest, as a record and as plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from correlators.ruleset import Ruleset
from infra.authoring.firing import Estate, Firing, firing
from infra.backtest.backtesting import Backtest, Outcome
from infra.reading.stored import line
from infra.terminal import shown
from schemas.correlation import Correlation
from schemas.detection import Detection
from schemas.times import HOUR, instant, rfc3339
from streams.source import sources

TOP = 5  # values that are listed
SAMPLES = 3  # pieces of evidence that are shown
BARS = 31  # lines of a histogram: of hours, else of days, else of months
LONGEST = 40  # characters of a bar


class Sample(NamedTuple):
    """One record to look at: when, what it says in a line, where it lies, and its entities."""

    time: int
    said: str
    event: str
    origin: str
    about: tuple[str, ...] = ()


class Account(NamedTuple):
    """What became of one rule.

    `hits` are matches of a detection, findings of a correlation; `by_hour` counts them by hour from
    1970. `top`, most first, is what they are about: groups by the hits of their findings, entities
    by matches of a sample of `sampled`.
    """

    rule: Detection | Correlation
    hits: int
    notes: tuple[str, ...]
    by_hour: Mapping[int, int]
    first: int | None
    last: int | None
    top: Sequence[tuple[str, int]]
    sampled: int
    samples: Sequence[Sample]
    silent: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON."""
        kind = "correlation" if isinstance(self.rule, Correlation) else "detection"
        told: dict[str, Any] = {
            "rule": self.rule.id,
            "title": self.rule.title,
            "level": self.rule.level,
            "kind": kind,
            "hits": self.hits,
            "by_day": _by(self.by_hour, 10),
            "top": [{"value": value, "count": count} for value, count in self.top],
            "samples": [
                {"event": one.event, "time": rfc3339(one.time), "origin": one.origin}
                for one in self.samples
            ],
            "notes": list(self.notes),
        }
        if self.first is not None and self.last is not None:
            told |= {"first_time": rfc3339(self.first), "last_time": rfc3339(self.last)}
        return told | ({"silent": self.silent} if self.silent else {})


def accounts(backtest: Backtest, outcome: Outcome, ruleset: Ruleset) -> list[Account]:
    """An account of each rule, correlations first: they are what the others are for."""
    able = firing(ruleset, Estate(sources()))
    found: dict[str, list[dict[str, Any]]] = {rule.id: [] for rule in ruleset.correlations}
    for body in outcome.findings:
        found[body["rule"]].append(body)
    samples = _samples(backtest, outcome, found)
    told = [_correlation(rule, found[rule.id], outcome, samples) for rule in ruleset.correlations]
    told += [_detection(rule.detection, outcome, ruleset, samples) for rule in ruleset.rules]
    return [
        one if one.hits else one._replace(silent=_silent(one, able[one.rule.id], outcome))
        for one in told
    ]


def lines(told: Iterable[Account]) -> Iterator[str]:
    """The accounts as text."""
    for one in told:
        rule = one.rule
        correlation = isinstance(rule, Correlation)
        noun = "finding" if correlation else "match"
        yield ""
        yield shown.text(f"{rule.id} ({rule.level}): {rule.title}")
        counted = "no " + noun if not one.hits else shown.plural(one.hits, noun)
        yield shown.text(f"  {', '.join((counted, *one.notes))}")
        if one.silent:
            yield shown.text(f"  silent: {one.silent}")
        if one.first is None or one.last is None:
            continue
        yield f"  from {shown.time(one.first)} to {shown.time(one.last)}"
        yield from _histogram(one.by_hour)
        if one.top:
            over = f" of a sample of {one.sampled}" if one.sampled < one.hits else ""
            yield f"  most often{over}"
            yield from (f"    {count:>7,}  {shown.short(value, 80)}" for value, count in one.top)
        if one.samples:
            yield "  look at"
        for sample in one.samples:
            yield f"    {shown.text(sample.said)}"
            yield f"      {shown.text(sample.event)}  {shown.text(sample.origin)}"


def _correlation(
    rule: Correlation,
    found: Sequence[Mapping[str, Any]],
    outcome: Outcome,
    samples: Mapping[str, Sample],
) -> Account:
    groups: Counter[str] = Counter()
    for body in found:
        groups[_group(body)] += body["count"]
    onsets = [instant(body["onset_time"]) for body in found]
    notes = [f"in {shown.plural(len(groups), 'group')}"] if rule.group_by and groups else []
    taken = [outcome.tallies[id_] for id_ in rule.rules if id_ in outcome.tallies]
    if taken:
        matches = sum(tally.matches for tally in taken)
        notes.append(f"of {shown.plural(matches, 'match')} of its rules")
    if late := sum(tally.late for tally in taken):
        notes.append(f"{shown.number(late)} of these late and in no window")
    return Account(
        rule,
        len(found),
        tuple(notes),
        Counter(onset // HOUR for onset in onsets),
        min(onsets, default=None),
        max((instant(body["last_time"]) for body in found), default=None),
        groups.most_common(TOP) if rule.group_by else (),
        len(found),
        [samples[uid] for body in found[:1] for uid in _cited(body) if uid in samples],
    )


def _detection(
    detection: Detection, outcome: Outcome, ruleset: Ruleset, samples: Mapping[str, Sample]
) -> Account:
    tally = outcome.tallies[detection.id]
    sampled = tally.sample()
    notes: list[str] = []
    if tally.matches and not tally.distinct:
        notes.append("copies included")
    if tally.copies:
        notes.append(f"and {shown.number(tally.copies)} more that are copies")
    if tally.late:
        notes.append(f"{shown.number(tally.late)} late")
    if tally.ungrouped:
        notes.append(f"{shown.number(tally.ungrouped)} without a value to group by")
    feeds = [rule.id for rule in ruleset.feeds.get(detection.id, ())]
    if feeds:
        notes.append(f"counted by {', '.join(feeds)}")
    about: Counter[str] = Counter()
    for _, uid, _ in sampled:
        about.update(samples[uid].about if uid in samples else ())
    return Account(
        detection,
        tally.matches,
        tuple(notes),
        tally.hours,
        tally.first,
        tally.last,
        about.most_common(TOP),
        len(sampled),
        [samples[uid] for _, uid, _ in sampled[:SAMPLES] if uid in samples],
    )


def _samples(
    backtest: Backtest, outcome: Outcome, found: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Sample]:
    """What there is to look at, by event uid; reads the input once more."""
    cited = {uid for bodies in found.values() for body in bodies[:1] for uid in _cited(body)}
    places = {backtest.places[uid] for uid in cited if uid in backtest.places}
    for tally in outcome.tallies.values():
        places |= {place for _, _, place in tally.sample()}
    return {
        event.uid: Sample(
            event.time,
            line(event.body()),
            event.uid,
            event.evidence.origin,
            tuple(entity.key for entity in event.entities),
        )
        for _, event in backtest.events(places)
    }


def _silent(one: Account, able: Firing, outcome: Outcome) -> str:
    """Why a rule said nothing."""
    if able.reason:
        return f"it cannot fire: {able.reason}"
    there = sorted(name for name, count in outcome.sources.items() if count)
    if not there:
        return "there was no record to read"
    if not set(there) & set(able.sources):
        wanted = ", ".join(able.sources) or "none"
        return f"the input is {', '.join(there)}, and it fires on {wanted}"
    if isinstance(one.rule, Correlation):
        never = [
            id_
            for id_ in one.rule.rules
            if id_ in outcome.tallies and not outcome.tallies[id_].matches
        ]
        if never:
            return f"{', '.join(never)} never matched"
        return "no group fulfilled its condition within its timespan"
    seen = sum(outcome.sources[name] for name in able.sources)
    return f"none of {shown.plural(seen, 'record')} of {', '.join(able.sources)} matched"


def _histogram(by_hour: Mapping[int, int]) -> Iterator[str]:
    """A bar for each hour or day from the first to the last, or for the last months with any."""
    first, last = min(by_hour), max(by_hour)
    if last - first < 24 * BARS:  # a record may claim any time: only short spans are filled up
        by_hour = {hour: by_hour.get(hour, 0) for hour in range(first, last + 1)}
        counts = _by(by_hour, 13 if last - first < BARS else 10)
    else:
        counts = dict(list(_by(by_hour, 7).items())[-BARS:])
    most = max(*counts.values(), 1)
    for name, count in counts.items():
        bar = "#" * -(-count * LONGEST // most)
        yield f"    {name.replace('T', ' ')}  {count:>9,}  {bar}".rstrip()


def _by(by_hour: Mapping[int, int], length: int) -> dict[str, int]:
    """Counts by the first characters of RFC 3339: 13 for the hour, 10 the day, 7 the month."""
    counts: dict[str, int] = {}
    for hour, count in sorted(by_hour.items()):
        name = rfc3339(hour * HOUR)[:length]
        counts[name] = counts.get(name, 0) + count
    return counts


def _group(body: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in body["group"].items())


def _cited(body: Mapping[str, Any]) -> list[str]:
    return [piece["event"] for piece in body["evidence"][:SAMPLES]]
