"""Cases of habits: what was seen at offsets, and the signals that it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from correlators.correlate import comparable
from correlators.habits.observed import row
from correlators.habits.stage import Habits
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.sigma.values import is_object
from infra.authoring.cases import detections
from infra.authoring.cases.offsets import START, offset, spelled
from infra.authoring.cases.shape import Keys, nearest, wrong_each
from schemas.detection import Detection
from schemas.rows import Result, Row, Tick
from schemas.times import END, parse
from streams.topology import INGEST

CASE: Final = Keys(("seen", "signals"), ("until",))
SEEN: Final = Keys(("at", "fields"), ("until", "every", "times"))
SIGNAL: Final = Keys(("at",), ("fields",))
MOST: Final = 100_000  # matches of one case


class _Signal(NamedTuple):
    """When, as an offset, and the fields by which it is told from others, as they compare."""

    at: int
    fields: Mapping[str, str]

    def is_(self, other: _Signal) -> bool:
        """True if the other has its time and its fields."""
        return self.at == other.at and self.fields.items() <= other.fields.items()


def failures(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the case says; nothing if all is well.

    A case is one of a detection (`source`, `event`, `match`: what is observed at all), or a series:
    `seen` [{at, until?, every?, times?, fields}], how far time passes if further (`until`), and the
    `signals` [{at, fields?}] that it gives, in any order. What is seen comes once, or from `at`
    to `until` (included) in steps of `every`, each time as `times` matches.
    """
    if "match" in case:
        yield from detections.failures(ruleset, rule, case)
        return
    about = next(one for one in ruleset.habits if one.id == rule)
    if wrong := [*_misshapen(case)] or [*_idle(about, case)]:
        yield from wrong
        return
    seen = [one for stated in case["seen"] for one in _times(stated)]
    if len(seen) > MOST:
        yield f"the case has {len(seen):,} matches, and {MOST:,} are enough"
        return
    last = max((at for at, _ in seen), default=0)
    until = START + max(last, offset(case.get("until", 0)))
    got = [_told(body) for body in _signals(about, seen, until)]
    want = [_Signal(offset(one["at"]), _compared(one)) for one in case["signals"]]
    for one, stated in zip(want, case["signals"], strict=True):
        if not any(one.is_(other) for other in got):
            yield f"no signal{_said(one.fields)} at {stated['at']}"
    for other in got:
        if not any(one.is_(other) for one in want):
            fields = {name: other.fields[name] for name in (*_of(about),) if name in other.fields}
            yield f"a signal that is not expected:{_said(fields)} at {spelled(other.at)}"


def missing(cases: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What the cases of a rule leave open."""
    cases = list(cases)
    series = [case for case in cases if "seen" in case]
    yield from detections.missing(case for case in cases if "match" in case)
    if not any(case.get("signals") for case in series):
        yield "no series that gives a signal"
    if all(case.get("signals") for case in series):
        yield "no series that gives none (`signals: []`)"


def _misshapen(case: Mapping[str, Any]) -> Iterator[str]:
    yield from CASE.wrong(case, "the case")
    yield from wrong_each(case, "seen", "what is seen", SEEN)
    yield from wrong_each(case, "signals", "signal", SIGNAL)


def _idle(about: Detection, case: Mapping[str, Any]) -> Iterator[str]:
    """Why what is seen would say nothing to the habit."""
    for number, one in enumerate(case["seen"], 1):
        fields = one["fields"]
        if not is_object(fields):
            yield f"`fields` of what is seen {number} is a mapping, not {fields!r}"
            continue
        for name in _of(about):
            if name not in fields and name not in _optional(about):
                typed = nearest(name, fields)
                mend = f"it has `{typed}`" if typed else f"`{name}: null` if that is meant"
                yield f"what is seen {number} lacks `{name}`, which the habit needs ({mend})"
        if ("until" in one) != ("every" in one):
            yield f"what is seen {number} needs `until` and `every`, or neither"
        elif "every" in one and offset(one["every"]) <= 0:
            yield f"`every` of what is seen {number} is longer than nothing"
        times = one.get("times", 1)
        if not isinstance(times, int) or isinstance(times, bool) or times < 1:
            yield f"`times` of what is seen {number} is a whole number from 1, not {times!r}"


def _of(about: Detection) -> tuple[str, ...]:
    return () if about.habit is None else about.habit.fields


def _optional(about: Detection) -> frozenset[str]:
    """What a match may lack: one of several numbers, or the mark that is waited for."""
    held = about.habit
    if held is None or held.type == "first_seen":
        return frozenset()
    return frozenset(held.fields) - {name.partition("|")[0] for name in held.by}


def _times(stated: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    at, until = offset(stated["at"]), offset(stated.get("until", stated["at"]))
    every = offset(stated["every"]) if "every" in stated else 1
    moments = range(at, until + 1, every) if "until" in stated else (at,)
    for count, moment in enumerate(moments):
        if count > MOST:
            return
        for _ in range(min(stated.get("times", 1), MOST + 1)):
            yield moment, stated["fields"]


def _signals(
    about: Detection, seen: Iterable[tuple[int, Mapping[str, Any]]], until: int
) -> Iterator[dict[str, Any]]:
    stage = Keyed(Habits([about], Routes(Ruleset())), "habits/0", 0, [INGEST])
    rows: list[Row | Tick] = []
    for number, (at, fields) in enumerate(seen):
        made = row(about, START + at, f"seen-{number}", "0" * 64, [], fields)
        if made is not None:
            rows.append(made)
    _, outputs = stage.step([*rows, Tick(INGEST, 0, END, until)])
    for output in outputs:
        if type(output) is Result:
            yield output.body


def _told(body: Mapping[str, Any]) -> _Signal:
    return _Signal(parse(body["time"]) - START, _compared(body))


def _compared(stated: Mapping[str, Any]) -> dict[str, str]:
    return {name: comparable(v) or str(v) for name, v in stated.get("fields", {}).items()}


def _said(fields: Mapping[str, str]) -> str:
    of = ", ".join(f"{name}={value}" for name, value in fields.items())
    return f" of {of}" if of else ""
