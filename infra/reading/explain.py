"""The story of one alert, finding or signal, as lines of plain text that add up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from infra.reading.footnotes import footnotes
from infra.terminal import shown
from schemas.alert import Alert
from schemas.finding import Evidence, Finding, Signal
from schemas.times import instant

WIDTH = 96


class Recorded(NamedTuple):
    """Where the raw record of an event lies, and what the event says in a line."""

    origin: str
    said: str = ""


Records = Mapping[str, Recorded]  # by event uid


def explain_alert(alert: Alert, records: Records) -> Iterator[str]:
    """What, why (points that add up), the chain, timeline, next, what to do, evidence."""
    numbers = footnotes(alert)
    standing = alert.stage if alert.status == "open" else f"{alert.peak_stage} {alert.status}"
    if alert.meta.state == "withdrawn":
        standing = f"{alert.peak_stage} withdrawn"
    yield shown.text(f"{standing}, priority {alert.priority}: {alert.title}")
    yield from _paragraph(alert.summary)
    yield ""
    yield from _pairs(
        ("system", alert.system),
        ("rule", f"{alert.convergence} ({alert.severity})"),
        ("confidence", shown.percent(alert.confidence)),
        ("first sign", shown.time(alert.first_time)),
        ("began", shown.time(alert.onset_time)),
        ("last seen", shown.time(alert.last_time)),
        ("expires", shown.time(alert.expires_at)),
        ("state", f"{alert.meta.state}, revision {alert.meta.revision}"),
        ("id", alert.id),
        ("thread", alert.thread),
        ("superseded by", alert.superseded_by or alert.meta.superseded_by),
    )
    yield from _part("Why", _ledger(alert, numbers))
    yield from _part("The chain", _chain(alert))
    yield from _part("Timeline", _timeline(alert, numbers))
    yield from _part("What next", _next(alert))
    yield from _part("What to do, and what it would change", _actions(alert))
    yield from _part("Evidence", _evidence(numbers, records))
    yield ""
    yield f"To recompute the hashes: {shown.command('verify', alert.id)}"
    if numbers:
        yield f"To read a record: {shown.command('explain', next(iter(numbers)).event)}"


def explain_finding(finding: Finding, records: Records) -> Iterator[str]:
    """What held, for whom, from when to when, on which signals."""
    yield shown.text(f"finding ({finding.level}): {finding.title}")
    yield ""
    yield from _pairs(
        ("rule", finding.rule),
        *((f"group {name}", value) for name, value in finding.group.items()),
        ("count", shown.number(finding.count)),
        ("confidence", shown.percent(finding.confidence)),
        ("first hit", shown.time(finding.first_time)),
        ("began", shown.time(finding.onset_time)),
        ("last hit", shown.time(finding.last_time)),
        ("families", ", ".join(finding.families)),
        ("state", f"{finding.meta.state}, revision {finding.meta.revision}"),
        ("id", finding.id),
    )
    yield from _part("Entities", (entity.key for entity in finding.entities))
    yield from _part("Signals", finding.signals)
    yield from _part("Evidence", _evidence(_numbered(finding.evidence), records))


def explain_signal(signal: Signal, records: Records) -> Iterator[str]:
    """Which detection matched which event, what was usual, and what correlations see of it."""
    yield shown.text(f"signal ({signal.level}): {signal.title}")
    yield ""
    yield from _pairs(
        ("detection", signal.detection),
        ("time", shown.time(signal.time)),
        ("confidence", shown.percent(signal.confidence)),
        ("family", signal.family),
        ("event", signal.event),
        ("tags", ", ".join(signal.tags)),
        ("id", signal.id),
    )
    habit = (signal.habit or {}).items()
    yield from _part("Habit", (f"{name} = {_value(v)}" for name, v in habit))
    yield from _part("Fields", (f"{name} = {_value(v)}" for name, v in signal.fields.items()))
    yield from _part("Entities", (entity.key for entity in signal.entities))
    yield from _part("Evidence", _evidence(_numbered(signal.evidence), records))


def explain_event(event: Mapping[str, Any]) -> Iterator[str]:
    """What a record says, as it was read: who, what, from where, and where its bytes lie."""
    yield shown.text(f"event: {event.get('message') or event.get('activity', '')}")
    yield ""
    actor, client, evidence = (_inner(event, name) for name in ("actor", "client", "evidence"))
    yield from _pairs(
        ("time", shown.time(instant(event["time"]))),
        ("source", event["source"]),
        ("class", event.get("class_name")),
        ("activity", event.get("activity")),
        ("status", event.get("status")),
        ("severity", event.get("severity")),
        ("actor", " ".join(filter(None, (actor.get("kind"), actor.get("id"))))),
        ("from", " ".join(filter(None, (client.get("ip"), client.get("user_agent"))))),
        ("id", event["uid"]),
        ("origin", evidence.get("origin")),
        ("sha256", evidence.get("sha256")),
    )
    things = (f"{thing['kind']}:{thing['id']}" for thing in event.get("entities", ()))
    yield from _part("Entities", things)
    told = event.get("attributes", {}).items()
    yield from _part("Fields", (f"{name} = {_value(value)}" for name, value in told))


def _inner(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner: Mapping[str, Any] | None = event.get(name)
    return inner or {}


def _ledger(alert: Alert, numbers: Mapping[Evidence, int]) -> Iterator[str]:
    if not alert.why:
        return
    yield f"{'points':>8}  {'value':>7} x {'weight':<7}  term"
    for term in alert.why:
        marks = _marks(term.evidence, numbers)
        share = f"{shown.number(term.value):>7} x {shown.number(term.weight):<7}"
        yield f"{shown.signed(term.points):>8}  {share}  {term.term}{marks}"
    total = sum(term.points for term in alert.why)
    yield f"{shown.signed(total):>8}  sum, in thousandths of log-odds: priority {alert.priority}"


def _chain(alert: Alert) -> Iterator[str]:
    for step in alert.path:
        yield f"{step.from_} -{step.relation}-> {step.to} ({step.state})"


def _timeline(alert: Alert, numbers: Mapping[Evidence, int]) -> Iterator[str]:
    for moment in alert.timeline:
        yield f"{shown.time(moment.time)}  {moment.text}{_marks(moment.evidence, numbers)}"


def _next(alert: Alert) -> Iterator[str]:
    for step in alert.next:
        chance = f"{shown.percent(step.probability)} within {step.horizon}"
        yield f"{chance}: {step.name} ({step.technique})"
        yield f"    needs       {step.precondition}"
        yield f"    stopped by  {step.blocking_action}"


def _actions(alert: Alert) -> Iterator[str]:
    for number, action in enumerate(alert.actions, start=1):
        control = f" ({action.control})" if action.control else ""
        yield f"{number}. {action.text}{control}"
        yield f"   {action.effect}"


def _evidence(numbers: Mapping[Evidence, int], records: Records) -> Iterator[str]:
    for piece, number in numbers.items():
        record = records.get(piece.event, Recorded("origin not in this store"))
        yield f"[{number}] {record.said or piece.event}"
        yield f"    {piece.event}  {record.origin}"
        yield f"    sha256 {piece.sha256}"


def _numbered(evidence: Iterable[Evidence]) -> dict[Evidence, int]:
    return {piece: number for number, piece in enumerate(dict.fromkeys(evidence), start=1)}


def _marks(evidence: Sequence[Evidence], numbers: Mapping[Evidence, int]) -> str:
    marks = ",".join(str(number) for number in sorted({numbers[piece] for piece in evidence}))
    return f"  [{marks}]" if marks else ""


def _value(value: Any) -> str:  # noqa: ANN401 - a field of a record has any JSON value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", title)
        yield from (f"  {shown.text(line)}" for line in found)


def _pairs(*pairs: tuple[str, str | None]) -> Iterator[str]:
    known = [(term, value) for term, value in pairs if value]
    width = max(len(term) for term, _ in known)
    yield from (shown.text(f"  {term:<{width}}  {value}") for term, value in known)


def _paragraph(words: str) -> Iterator[str]:
    yield from wrap(shown.text(words), WIDTH, initial_indent="  ", subsequent_indent="  ")
