"""Drift: what a monitor of a model found different from what it was made for.

Read are Evidently reports and test suites (before 0.7: `metrics` with `result`, `tests` with
`group`; since 0.7: `metrics` with `config` and `value`), `constraint_violations.json` of SageMaker
Model Monitor, Vertex AI's log entries of anomalies, and Event Grid's DatasetDriftDetected of Azure
Machine Learning. Evidently and SageMaker say neither of what nor when: the object that holds the
report, or stands beside it, says it (`endpoint`, `model` or `dataset`; `time` or `timestamp`), or
Evidently's `metadata` and `tags`. Each check is a finding, and closed where it passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence, Level
from schemas.times import DAY
from streams.names import aws
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import decode, entity, listing, mapping, number, slices, text
from streams.reports import evidently, scans
from streams.reports.evidently import Row
from streams.reports.scans import Found, Scan, finding, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "drift"
TITLE: Final = "Model and data drift"
LOGSOURCE: Final = Logsource(product="drift")
LATENESS: Final = DAY
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"application_security_posture_finding", "scan_activity"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {
    *("drift.column", "drift.monitor", "drift.score", "drift.threshold"),
}
VERSIONS: Final = "Evidently 0.2 to 0.7, SageMaker Model Monitor, Vertex v1, Azure ML (v1 monitors)"
GAPS: Final = (
    "Azure ML's signal-based monitors write Parquet, which is not read.",
    "Vertex and Azure tell of drift only, so nothing but a later entry without it closes theirs.",
    "An Evidently or SageMaker file as the tool wrote it names no model: put it beside one.",
)

_INNER: Final = ("report", "evidently", "test_suite", "snapshot", "constraint_violations", "result")
_LIMITS: Final = Limits()
_MOST: Final = 10_000  # checks of one report
_LISTS: Final = ("metrics", "tests", "violations")
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
Placed = tuple[str | None, int, Row]


class Context(NamedTuple):
    """The scan, and a row of it; without a row the scan itself."""

    scan: Scan
    row: Row | None = None
    found: int = 0
    whole: bool = True


def sniff(head: bytes) -> bool:
    """The keys of one monitor's report."""
    evidently = b'"metrics"' in head and (
        b'"evidently:' in head or b'"drift_detected"' in head or b'"dataset_drift"' in head
    )
    suite = b'"tests"' in head and b'"summary"' in head and b'"all_passed"' in head
    sagemaker = b'"violations"' in head and b'"constraint_check_type"' in head
    vertex = b"ModelMonitoringAnomaliesLogEntry" in head
    azure = b"MachineLearningServices.DatasetDriftDetected" in head
    return evidently or suite or sagemaker or vertex or azure


def split(document: bytes) -> Iterator[Raw]:
    """The checks of each report, in its order, and the report."""
    found = [_report(raw.data) for raw in records(document)]
    return iter([one for each in found for one in each])


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One check, or the report."""
    context = raw.context
    if not isinstance(context, Context):
        raise Unreadable("wrong-shape", "a check is inside a report")
    scan, row = context.scan, context.row
    if row is None:
        told = scanned(scan, context.found, evidence)
        # A log entry that tells of drift only is no report of all there is.
        closes = told if context.whole else told.model_copy(update={"status": "unknown"})
        return Parsed(closes, {})
    found = Found(
        sort="posture",
        of=row.check,
        title=row.title,
        severity=_level(row),
        place=row.column,
        closed=not row.drifted,
        attributes={
            "drift.column": row.column,
            "drift.monitor": scan.tool,
            "drift.score": row.score,
            "drift.threshold": row.threshold,
        },
    )
    return Parsed(finding(scan, found, evidence), {})


def _report(document: bytes) -> Iterator[Raw]:
    said = mapping(decode(document, _LIMITS))
    name = next((name for name in _INNER if mapping(said.get(name))), None)
    inner = mapping(said[name]) if name else said
    tool, rows, whole = _rows(inner)
    if tool is None:
        raise Unreadable("wrong-shape", "no report of a monitor that is known")
    scan = Scan(NAME, tool, _asset(said, inner), _time(said, inner))
    held = slices(bytes(slices(document, _OBJECT)[name]) if name else document, _OBJECT)
    parts = {key: slices(bytes(held[key]), _LIST) for key in _LISTS if listing(inner.get(key))}
    for key, place, row in rows[:_MOST]:
        data = bytes(parts[key][place]) if key else document
        yield Raw(data, Context(scan, row), record={})
    drifted = sum(row.drifted for _, _, row in rows)
    yield Raw(document, Context(scan, found=drifted, whole=whole), record={})


def _rows(said: dict[str, Json]) -> tuple[str | None, list[Placed], bool]:
    """(monitor, its checks with the list and place where they stand, whether they are all)."""
    entry = mapping(said.get("jsonPayload"))
    if isinstance(said.get("violations"), list):
        return "sagemaker", list(_each(said, "violations", _violation)), True
    if "ModelMonitoringAnomaliesLogEntry" in (text(entry.get("@type")) or ""):
        return "vertex", [(None, 0, row) for row in _anomalies(entry)], False
    if "DatasetDriftDetected" in (text(said.get("eventType"), 256) or ""):
        score = number(mapping(said.get("data")).get("driftCoefficient"))
        row = Row("dataset_drift", "The data drifted", drifted=True, score=score)
        return "azureml", [(None, 0, row)], False
    if not listing(said.get("metrics")) and not listing(said.get("tests")):
        return None, [], False
    rows = [*_each(said, "metrics", evidently.metric), *_each(said, "tests", evidently.test)]
    return "evidently", rows, True


def _each(
    said: dict[str, Json], key: str, read: Callable[[dict[str, Json]], list[Row]]
) -> Iterator[Placed]:
    for place, one in enumerate(listing(said.get(key))):
        yield from ((key, place, row) for row in read(mapping(one)))


def _violation(said: dict[str, Json]) -> list[Row]:
    check = text(said.get("constraint_check_type"), 128) or "violation"
    column = text(said.get("feature_name"), 256)
    title = text(said.get("description"), 512)
    return [Row(check, title or f"{check} of {column}", drifted=True, column=column)]


def _anomalies(entry: dict[str, Json]) -> Iterator[Row]:
    objective = text(entry.get("anomalyObjective"), 128) or "anomaly"
    for one in map(mapping, listing(entry.get("featureAnomalies"))):
        column = text(one.get("featureDisplayName"), 256)
        yield Row(
            objective.lower(),
            f"{objective} of {column}",
            drifted=True,
            column=column,
            score=number(one.get("deviation")),
            threshold=number(one.get("threshold")),
        )


def _asset(said: dict[str, Json], inner: dict[str, Json]) -> Entity:
    entry, data = mapping(inner.get("jsonPayload")), mapping(inner.get("data"))
    marks = mapping(inner.get("metadata")) | mapping(said.get("metadata"))
    of = said | {key: value for key, value in marks.items() if key not in said}
    found = (
        entity("endpoint", aws.tail(of.get("endpoint") or of.get("endpoint_name")))
        or entity("endpoint", entry.get("endpoint"))
        or aws.model(of.get("model") or of.get("model_id") or of.get("model_name"))
        or entity("dataset", of.get("dataset") or of.get("dataset_id") or of.get("dataset_name"))
        or entity("dataset", data.get("targetDatasetId"))
    )
    if found is None:
        raise Unreadable("wrong-shape", "the report names no endpoint, model or dataset")
    return found


def _time(said: dict[str, Json], inner: dict[str, Json]) -> int:
    names = ("time", "timestamp", "eventTime", "created_at", "monitoring_time")
    known = [one[name] for one in (said, inner) for name in names if one.get(name)]
    return clock(known[0]) if known else 0


def _level(row: Row) -> Level:
    if not row.drifted:
        return "informational"
    return "medium" if row.check == "dataset_drift" else "low"
