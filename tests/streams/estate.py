"""A small random estate: a source, rules on three levels, two stories, and what happens in it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence, ScanFinding
from schemas.times import SECOND
from streams.source import Json, Narrow, Parsed, Raw, Source

LATENESS = {"fast": 10, "slow": 60}  # seconds
START = 1_760_000_000 * SECOND


class ModelSource:
    """A source of JSON records {uid, time, type, ...}: one record a document."""

    def __init__(self, name: str) -> None:
        self.NAME: str = name
        self.TITLE: str = "records of the model"
        self.LOGSOURCE: Logsource = Logsource(product="model")
        self.LATENESS: int = LATENESS[name] * SECOND
        self.NARROW: Narrow | None = None

    def sniff(self, head: bytes) -> bool:
        return head.startswith(b"{")

    def split(self, document: bytes) -> Iterator[Raw]:
        yield Raw(document)

    def event(self, raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG002
        kind = record["type"]
        entities: list[Entity] = []
        edges: list[Edge] = []
        if kind == "edge":
            entities = [_entity(record["parent"]), _entity(record["child"])]
            edge = {
                "from": entities[0],
                "relation": "uses",
                "to": entities[1],
                "declared": entities[0].kind == "application",
                "state": "open" if record["open"] else "closed",
            }
            edges = [Edge.model_validate(edge)]
        else:
            entities = [_entity(record["entity"])]
        said = {k: v for k, v in record.items() if k in _ATTRIBUTES}
        event = Event(
            uid=record["uid"],
            time=START + record["time"] * SECOND,
            source=self.NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=kind,
            entities=tuple(entities),
            edges=tuple(edges),
            finding=_finding(record) if "of" in record else None,
            attributes=said,
            evidence=EventEvidence(origin="", sha256=evidence.sha256),
        )
        return Parsed(event, {})


_ATTRIBUTES = frozenset({"user", "value", "open", "asset.state", "vulnerability.vex"})


def _finding(record: Json) -> ScanFinding:
    uid, state = f"{record['entity']} {record['of']} {record['tool']}", record["state"]
    return ScanFinding(uid=uid, title=record["of"], state=state, vulnerability=record["of"])


def _entity(key: str) -> Entity:
    kind, _, id_ = key.partition(":")
    return Entity.model_validate({"kind": kind, "id": id_})


SOURCES: dict[str, Source] = {name: ModelSource(name) for name in LATENESS}


def _detection(name: str, level: str = "medium", extra: str = "") -> Document:
    text = (
        f"title: {name}\nname: {name}\nlevel: {level}\nlogsource: {{product: barograph}}\n"
        f"detection:\n  selection: {{activity: {name}}}\n  condition: selection\n{extra}"
    )
    return Document(f"detections/{name}.yml", text)


def _correlation(name: str, body: str) -> Document:
    return Document(
        f"correlations/{name}.yml",
        f"title: {name}\nname: {name}\nlevel: medium\ncorrelation:\n{body}",
    )


def _fact(state: str) -> str:
    return f"barograph: {{fact: {{name: exposed, on: model, state: {state}}}}}\n"


RULES = [
    _detection("fail"),
    _detection("probe"),
    _detection("ok"),
    _detection("cfg", extra="tags: [atlas.aml-t0051]\n"),
    _detection("deploy"),
    _detection("eval"),
    _detection("expose", extra=_fact("open")),
    _detection("hide", extra=_fact("closed")),
    _correlation(
        "r1",
        "  type: event_count\n  rules: [fail]\n  group-by: [user]\n  timespan: 30s\n"
        "  condition: {gte: 3}\n",
    ),
    _correlation(
        "r2",
        "  type: value_count\n  rules: [probe]\n  group-by: [user]\n  timespan: 40s\n"
        "  condition: {gte: 2, field: value}\n",
    ),
    _correlation(
        "r3", "  type: temporal\n  rules: [probe, fail]\n  group-by: [user]\n  timespan: 15s\n"
    ),
    _correlation(
        "c1", "  type: temporal_ordered\n  rules: [r1, ok]\n  group-by: [user]\n  timespan: 20s\n"
    ),
    _correlation(
        "c2",
        "  type: event_count\n  rules: [c1, r2]\n  group-by: [user]\n  timespan: 90s\n"
        "  condition: {gte: 2}\n",
    ),
    _correlation(
        "few",
        "  type: event_count\n  rules: [ok]\n  group-by: [user]\n  timespan: 25s\n"
        "  condition: {lt: 2}\n",
    ),
    Document(
        "convergences/storm.yml",
        """
id: storm
title: Storm
summary: Several things at once.
join: system
via: [model, principal]
window: 80s
ttl: 120s
legs:
  probe: {class: runtime, of: [r2]}
  auth: {class: runtime, of: [c1, c2], at_least: 1}
  change: {class: change, of: [cfg], after: probe}
  weak: {class: posture, fact: exposed, on: model}
  unchecked: {class: change, of: [eval], absent: true, since: change, within: 50s}
actions:
  - {text: hide it, removes: [weak]}
""",
    ),
    Document(
        "convergences/same_thing.yml",
        """
id: same_thing
title: The same thing twice
summary: Two steps on one model.
join: model
window: 60s
ttl: 70s
legs:
  deploy: {class: change, of: [deploy]}
  check: {class: change, of: [eval], after: deploy, at_least: 2}
""",
    ),
]


def ruleset() -> Ruleset:
    rules = parse(RULES)
    assert not rules.problems, rules.problems
    return rules


def workload(random: Random, size: int) -> list[dict[str, Any]]:
    users, models, apps = (
        ["principal:ann", "principal:bob"],
        ["model:m1", "model:m2"],
        ["application:a1", "application:a2"],
    )
    span = random.choice([150, 400, 900])
    kinds = (
        ["fail"] * 6
        + ["probe"] * 3
        + ["ok"] * 3
        + ["cfg", "deploy", "eval", "expose", "hide", "edge", "edge"]
    )
    out = []
    for i in range(size):
        kind = random.choice(kinds)
        slow = kind in ("expose", "hide", "edge", "eval")
        event: dict[str, Any] = {
            "uid": f"e{i:03d}{random.randrange(10**6):06d}",
            "time": random.randrange(span),
            "type": kind,
            "source": "slow" if slow else "fast",
        }
        if kind in ("fail", "probe", "ok"):
            user = random.choice(users)
            event |= {"user": user, "entity": user, "value": random.choice("abc")}
        elif kind == "edge":
            event |= {
                "parent": random.choice([*apps, "model:m1"]),
                "child": random.choice([*models[1:], *users]),
                "open": random.random() < 0.7,
            }
        else:
            event |= {"entity": random.choice(models)}
        out.append(event)
        # A copy that differs: delivered again in another envelope, enriched.
        if random.random() < 0.08:
            out.append(event | {"value": random.choice("abc"), "note": random.random()})
    return out
