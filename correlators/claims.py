"""Claims: what one event says, as signals, hits, legs, facts, assets and edges."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from correlators.correlate import hit_row
from correlators.observe import DELETED, STATE
from correlators.offering import offered
from correlators.routes import Routes
from correlators.sigma.values import is_list
from correlators.weakness import AGAINST, FINDING, KIND, VEX, joined, vulnerability
from schemas.canonical import digest
from schemas.detection import Detection
from schemas.event import Event, ScanFinding
from schemas.rows import Result, Row
from schemas.topics import FACTS

SCAN = 6007  # OCSF Scan Activity: what a scanner says when its report is whole
ASSET_ATTRIBUTES = ("asset.exposure", "asset.data", "asset.criticality")
CONFIDENCE = "asset.confidence"  # of a source that is less sure of what it says of an asset
INTEL = 5021  # OCSF OSINT Inventory Info: of vulnerabilities in general, not of what is there
# How sure a source is of an attribute that does not say: an inventory was made to be right.
_SURE = {"declared": 0.9, "observed": 0.8, None: 0.7}


def signal(
    routes: Routes,
    event: Event,
    said: Mapping[str, Any],
    detection: Detection,
    fields: Mapping[str, Any],
    *,
    late: bool,
) -> list[Result | Row]:
    """The Signal of a match, and unless it came late its hits of correlations and story legs.

    `said` is the body of the event: several rules may match it.
    """
    id_ = digest("signal", detection.id, event.uid)
    family = _family(event, detection.family)
    body: dict[str, Any] = {
        "id": id_,
        "time": said["time"],
        "detection": detection.id,
        "title": detection.title,
        "level": detection.level,
        "confidence": detection.confidence,
        "family": family,
        "event": event.uid,
        "entities": said["entities"],
        "fields": dict(fields),
        "tags": list(detection.tags),
        "evidence": [{"event": event.uid, "sha256": event.evidence.sha256}],
    }
    told: list[Result | Row] = [Result("signal", id_, event.time, "final", body)]
    feeds = routes.feeds.get(detection.id, ())
    if late or not (feeds or detection.id in routes.legs):
        return told
    about = hit(event, detection)
    for rule in feeds:
        row = hit_row(rule, fields, detection.id, about, "hit")
        if row is not None:
            told.append(row)
    told += routes.leg_rows(detection.id, about | {"family": family}, "signal")
    return told


class Cited(NamedTuple):
    """An event as findings show it: its entities by key, and the weakness that it is about, if any.

    `sha256` is that of the raw record.
    """

    uid: str
    sha256: str
    entities: Sequence[str]
    weakness: str | None = None


def cited(event: Event) -> Cited:
    """What findings show of an event."""
    keys = [entity.key for entity in event.entities]
    return Cited(event.uid, event.evidence.sha256, keys, _weakness(event))


def hit(event: Event, detection: Detection) -> dict[str, Any]:
    """What a match brings to every correlation that counts it."""
    return {"time": event.time, **brought(cited(event), detection)}


def brought(event: Cited, detection: Detection) -> dict[str, Any]:
    """The same without its time, of an event of which no more is known."""
    id_ = digest("signal", detection.id, event.uid)
    return {
        "id": id_,
        "event": event.uid,
        "signals": [id_],
        "evidence": [[event.uid, event.sha256]],
        "entities": event.entities,
        "families": [event.weakness or detection.family],
    }


def facts(event: Event, detections: Sequence[Detection], time: int) -> list[Row]:
    """What the event says of assets, holding from `time` on (its own time unless it came late)."""
    rows: list[Row] = []
    if not event.entities:
        return rows
    if event.finding is not None:
        rows += _found(event, time)
    for detection in detections:
        if detection.fact is not None:
            rows += _posture(event, detection, time)
    told = {k: v for k, v in event.attributes.items() if k.startswith("asset.")}
    if told:
        rows += _stated(event, time, told)
    # What a feed says of one vulnerability is all that it says of it, as a whole scan of an asset.
    if event.class_uid == INTEL or (event.class_uid == SCAN and event.status == "success"):
        scan = {"tool": _tool(event), "at": event.time}
        rows.append(_row(event.entities[0].key, time, f"scan|{event.uid}", "scan", scan))
    rows += _assets(event, time, told)
    rows += _edges(event, time)
    return rows


def _stated(event: Event, time: int, told: Mapping[str, Any]) -> Iterator[Row]:
    """What the `asset.` attributes say of the first entity."""
    first = event.entities[0].key
    for name in ASSET_ATTRIBUTES:
        if stated := told.get(name):
            for value in stated if is_list(stated) else (stated,):
                title = f"{name.removeprefix('asset.')}: {value}"
                about = _about(event, "informational", 900, title, "asset")
                yield _fact(event, time, first, name, str(value), "open", about)
    if _deletes(event):
        about = _about(event, "informational", 900, "it was deleted", "asset")
        yield _fact(event, time, first, STATE, DELETED, "open", about)


def _found(event: Event, time: int) -> Iterator[Row]:
    """What a scanner, or a VEX statement, says of the first entity."""
    finding, of = event.finding, vulnerability(event)
    if finding is None:
        return
    first, family = event.entities[0].key, _family(event, FINDING)
    about = _about(event, event.severity, 800, finding.title, family)
    said = {name: value for name, value in finding if name in _KEPT and value is not None}
    yield _fact(
        event, time, first, FINDING, finding.uid, _state(finding), about | {"finding": said}
    )
    if of is None:
        return
    stated = event.attributes.get("vulnerability.vex")
    if isinstance(stated, str):
        state = "open" if stated in AGAINST else "closed"
        yield _fact(event, time, first, VEX, of, state, about | {"title": f"{stated}: {of}"})
    if finding.state == "open" and joined(of):
        body = {"asset": first, "at": event.time}
        yield _row(f"{KIND}:{of}", time, f"has|{event.uid}", "has", body)


_KEPT = ("check", "package", "fixed_version", "location")


def _assets(event: Event, time: int, told: Mapping[str, Any]) -> Iterator[Row]:
    """Each entity was seen; the first is what `told`, the `asset.` attributes, speaks of.

    A vulnerability is no asset: of a feed of them all, those that are nowhere leave nothing.
    """
    id_, seen = f"asset|{event.uid}", {"source": event.source, "at": event.time}
    declared, usual = _declared(event), _way(event)
    plain = seen if usual is None else seen | {"way": usual}
    for place, entity in enumerate(event.entities):
        if entity.kind == KIND:
            continue
        key = entity.key
        of_first: Mapping[str, Any] = told if place == 0 else {}
        if not of_first and entity.name is None and key not in declared:  # as most are
            yield Row(FACTS, 0, key, time, id_, "asset", plain)
            continue
        way = "declared" if key in declared else usual
        body: dict[str, Any] = dict(seen)
        if way is not None and not (of_first and _deletes(event)):
            body["way"] = way
        if entity.name:
            body["name"] = entity.name
        if of_first:
            body["attributes"] = {k: v for k, v in of_first.items() if k != CONFIDENCE}
        if "name" in body or "attributes" in body:
            body["confidence"] = _sure(event, way)
        yield _row(key, time, id_, "asset", body)


def _declared(event: Event) -> Collection[str]:
    """The entities that the event declares to be there, at the ends of what it declares."""
    declared = [edge for edge in event.edges if edge.declared]
    return {end.key for edge in declared for end in (edge.from_, edge.to)} if declared else ()


def _way(event: Event) -> str | None:
    """How the event knows that its entities are there; None of what scanners say, and denials."""
    if event.class_uid // 1_000 == 5 and event.class_uid != INTEL:
        return "declared"
    # A scanner that asks a server what it offers is not at work with it.
    scanned = event.class_uid == SCAN or "scan.tool" in event.attributes
    denied = event.status == "failure" or scanned
    return "observed" if event.class_uid // 1_000 in {1, 3, 4, 6} and not denied else None


def _sure(event: Event, way: str | None) -> int:
    stated = event.attributes.get(CONFIDENCE)
    sure = stated if isinstance(stated, int | float) and 0 <= stated <= 1 else _SURE[way]
    return round(sure * 1000)


def _deletes(event: Event) -> bool:
    """True for a thing that is no more; a call that was denied deletes nothing."""
    return event.attributes.get(STATE) == DELETED and event.status != "failure"


def _edges(event: Event, time: int) -> Iterator[Row]:
    for edge in event.edges:
        to = edge.to.key
        body: dict[str, Any] = {
            "relation": edge.relation,
            "to": to,
            "declared": edge.declared,
            "state": edge.state,
            "at": event.time,
        }
        if edge.confidence is not None:
            body["confidence"] = edge.confidence
        yield _row(edge.from_.key, time, f"edge|{edge.relation}|{to}|{event.uid}", "edge", body)
    offers = offered(event)
    if offers is not None:
        yield _row(offers[0], time, f"offers|{event.uid}", "offers", offers[1])


def _posture(event: Event, detection: Detection, time: int) -> Iterator[Row]:
    """The fact that a detection opens or closes on the first entity of its kind."""
    rule, finding = detection.fact, event.finding
    entity = next((e.key for e in event.entities if rule and e.kind == rule.on), None)
    if rule is None or entity is None:
        return
    instance, state = "", "open" if rule.state == "open" else "closed"
    if rule.state == "finding" and finding is not None:
        instance, state = finding.uid, _state(finding)
    # The rule's level, not the scanner's word: what a fact weighs in a story is for the story's
    # author to say.
    confidence, family = round(detection.confidence * 1000), _family(event, detection.family)
    level = rule.level or detection.level
    about = _about(event, level, confidence, detection.title, family, detection.tags)
    yield _fact(event, time, entity, rule.name, instance, state, about)


def _state(finding: ScanFinding) -> str:
    return "open" if finding.state == "open" else "closed"


def _tool(event: Event) -> str:
    """Who says it: of a format that many scanners write, the scanner."""
    return str(event.attributes.get("scan.tool", event.source))


def _family(event: Event, otherwise: str) -> str:
    """One underlying weakness is one family, whichever tool and rule says it."""
    return _weakness(event) or otherwise


def _weakness(event: Event) -> str | None:
    of = vulnerability(event)
    if of is None and event.entities and event.entities[0].kind == KIND:
        of = event.entities[0].id  # what is known of it is no second weakness
    return of or (event.finding.check if event.finding else None)


def _about(
    event: Event, severity: str, confidence: int, title: str, family: str, tags: Sequence[str] = ()
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "severity": severity,
        "confidence": confidence,
        "title": title,
        "family": family,
        "tags": list(tags),
        "tool": _tool(event),
        "at": event.time,
        "evidence": [[event.uid, event.evidence.sha256]],
    }
    of = vulnerability(event)
    return said if of is None else said | {KIND: of}


def _fact(
    event: Event,
    time: int,
    entity: str,
    name: str,
    instance: str,
    state: str,
    about: Mapping[str, Any],
) -> Row:
    body = {"name": name, "instance": instance, "state": state, **about}
    return _row(entity, time, f"fact|{name}|{instance}|{event.uid}", "fact", body)


def _row(key: str, time: int, id_: str, kind: str, body: dict[str, Any]) -> Row:
    return Row(FACTS, 0, key, time, id_, kind, body)
