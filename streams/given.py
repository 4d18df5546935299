"""Given signals: the correlation levels alone, over signals that somebody else detected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from correlators.correlate import hit_row
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.sigma.values import is_object
from schemas.canonical import digest
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import BEGINNING, END, MINUTE, instant
from streams.records.untrusted import listing
from streams.source import Json
from streams.topology import INGEST, levels

LATENESS = 15 * MINUTE  # how much later than others a given signal may come
BATCH = 10_000
DEPTH = 32  # of objects in fields whose inner names are known
NAMES = 1000  # of detections that are counted by themselves
OTHERS = "others"


class Given(NamedTuple):
    """A signal as a line gives it.

    `event` is what counts as one hit: the signal itself where it names none. `sha256` is that of
    its evidence: the line itself where it names none.
    """

    id: str
    time: int
    detection: str
    event: str
    fields: dict[str, Any]
    sha256: str
    entities: tuple[str, ...]
    family: str


def read(line: bytes) -> Given:
    """The signal of a JSON line; its time is RFC 3339 or seconds since 1970.

    Nested fields have dotted names, too: `{"user": {"name": 1}}` is `user.name`. ValueError says
    what is missing or wrong.
    """
    record: Json = orjson.loads(line)
    if not is_object(record):
        raise ValueError("a signal is a JSON object")
    for name in ("id", "time", "detection"):
        if name not in record:
            raise ValueError(f"a signal needs `{name}`")
    fields: Json = record.get("fields") or {}
    if not is_object(fields):
        raise ValueError("`fields` is an object of names and values")
    cited = (e["sha256"] for e in _objects(record, "evidence") if "sha256" in e)
    return Given(
        id=str(record["id"]),
        time=instant(record["time"]),
        detection=str(record["detection"]),
        event=str(record.get("event") or record["id"]),
        fields=_flat(fields),
        sha256=str(next(cited, "") or sha256(line.strip()).hexdigest()),
        entities=tuple(_entities(record)),
        family=str(record.get("family") or record["detection"]),
    )


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, and what is inside of objects by dotted name; a name that is given wins."""
    found: dict[str, Any] = {}
    inner: list[tuple[str, dict[str, Any]]] = [("", fields)]
    for _ in range(DEPTH):
        level, inner = inner, []
        for before, values in level:
            for name, value in values.items():
                found.setdefault(before + name, value)
                if is_object(value):
                    inner.append((f"{before}{name}.", value))
    return found | fields


def _entities(record: Mapping[str, Json]) -> Iterator[str]:
    for entity in _objects(record, "entities"):
        if not {"kind", "id"} <= entity.keys():
            raise ValueError("an entity needs `kind` and `id`")
        yield f"{entity['kind']}:{entity['id']}"


def _objects(record: Mapping[str, Json], name: str) -> Iterator[dict[str, Json]]:
    for element in listing(record.get(name)):
        if not is_object(element):
            raise ValueError(f"`{name}` is a list of objects")
        yield element


class Correlating:
    """The correlate stages over one input of given signals."""

    def __init__(self, ruleset: Ruleset) -> None:
        """`ruleset` may refer to detections that it does not hold: the signals bring them."""
        self._routes = Routes(ruleset)
        self._stages: list[Keyed] = []
        for stage in levels(ruleset, self._routes):
            feeders = [INGEST, *(lower.me for lower in self._stages)]
            self._stages.append(Keyed(stage.logic, f"{stage.name}/0", stage.level, feeders))
        self._ids = {
            rule.detection.name: rule.detection.id for rule in ruleset.rules if rule.detection.name
        }
        self._watermark = BEGINNING
        self.latest, self.late = BEGINNING, 0
        self.unknown: Counter[str] = Counter()  # signals by detection that no correlation counts
        self.ungrouped = 0  # signals without a field that each of their correlations groups by

    def take(self, signals: Sequence[Given]) -> Iterator[Result]:
        """The findings that a batch makes, changes or ends; every revision."""
        rows: list[Output] = []
        for signal in signals:
            self.latest = max(self.latest, signal.time)
            if signal.time < self._watermark:
                self.late += 1
                continue
            self._watermark = max(self._watermark, signal.time - LATENESS)
            made = list(self._rows(signal))
            if not made:
                self._unused(signal)
            rows += made
        rows.append(Tick(INGEST, 0, self._watermark, self._watermark))
        yield from self._run(rows)

    def end(self, until: int | None = None) -> Iterator[Result]:
        """The end of the input: time passed up to `until`, by default the latest signal."""
        yield from self._run([Tick(INGEST, 0, END, self.latest if until is None else until)])

    def _unused(self, signal: Given) -> None:
        if self._detection(signal) in self._routes.feeds:
            self.ungrouped += 1
        elif len(self.unknown) < NAMES or signal.detection in self.unknown:
            self.unknown[signal.detection] += 1
        else:
            self.unknown[OTHERS] += 1

    def _detection(self, signal: Given) -> str:
        return self._ids.get(signal.detection, signal.detection)

    def _rows(self, signal: Given) -> Iterator[Row]:
        detection = self._detection(signal)
        about = {
            "time": signal.time,
            "id": digest("given", signal.id),
            "event": signal.event,
            "signals": [signal.id],
            "evidence": [[signal.event, signal.sha256]],
            "entities": list(signal.entities),
            "families": [signal.family],
        }
        for rule in self._routes.feeds.get(detection, ()):
            row = hit_row(rule, signal.fields, detection, about, "hit")
            if row is not None:
                yield row

    def _run(self, records: Iterable[Output]) -> Iterator[Result]:
        inbox: dict[int, list[Row | Delete | Tick]] = {stage.level: [] for stage in self._stages}
        _send(records, inbox)
        for stage in self._stages:
            changes, outputs = stage.step(inbox.pop(stage.level))
            stage.apply(changes)
            yield from (output for output in outputs if type(output) is Result)
            _send(outputs, inbox)


def _send(outputs: Iterable[Output], inbox: Mapping[int, list[Row | Delete | Tick]]) -> None:
    """Rows to the stage of their level, Ticks to all that are still to run."""
    for output in outputs:
        if type(output) is Tick:
            for waiting in inbox.values():
                waiting.append(output)
        elif isinstance(output, Row | Delete) and output.level:
            inbox[output.level].append(output)
