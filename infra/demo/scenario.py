"""Scenario: writes the two days of the demo as the files that real tools would leave."""

# Made when the demo runs, not shipped: nothing bulky in the wheel, and who doubts a record can read
# the line that made it. Two runs give the same bytes: one seeded generator, ids by hash, archives
# without a date.

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from infra.demo import ordinary, story
from infra.demo.boms import bom
from infra.demo.estate import ACCOUNT, CLAIMS, FRAUD, MONDAY, POLICY, REGION, SYSTEMS, TUESDAY
from infra.demo.scans import RAY, SECRET, code_report, image_report
from infra.demo.telemetry import Telemetry
from infra.demo.trail import Trail
from schemas.times import HOUR, MINUTE, SECOND

SEED = 20260302
DELIVERY = 4 * MINUTE  # CloudTrail delivers in no order within this
EXPORT = 12 * SECOND  # the instrumentation sends within this
BATCH = 10 * SECOND  # spans of one system that leave in one line
COPY = 90  # every ninetieth record of CloudTrail is delivered twice


class Written(NamedTuple):
    """What is in the folder: good records by source, copies included, and broken ones."""

    records: dict[str, int]
    copies: int
    broken: int


def write(folder: Path) -> Written:
    """Write `bom/`, `cloudtrail/`, `otel/` and `trivy/` into `folder`, over what is there."""
    random = Random(SEED)  # noqa: S311 - a scenario, not a secret
    trail, sent = Trail(), [Telemetry(system) for system in SYSTEMS]
    claims, policy, fraud = sent
    story.warning(trail, claims)
    story.watch(trail, policy)
    story.outlook(trail)
    story.silence(trail, fraud)
    for day in (MONDAY, TUESDAY):
        ordinary.cloud(trail, random, day)
        ordinary.runtime(claims, policy, fraud, random, day)
    calls, copies, torn = _cloudtrail(folder / "cloudtrail", random, trail)
    spans, cut = _otel(folder / "otel", random, sent)
    records = {
        "cloudtrail": calls,
        "cyclonedx": _boms(folder / "bom"),
        "otel": spans,
        "trivy": _trivy(folder / "trivy"),
    }
    return Written(records, copies, torn + cut)


def _cloudtrail(folder: Path, random: Random, trail: Trail) -> tuple[int, int, int]:
    """Monday as archives of six hours, as S3 has them; Tuesday as one stream of lines."""
    delivered: list[tuple[int, int, dict[str, Any]]] = []
    for number, (time, record) in enumerate(trail.records):
        delivered.append((time + int(random.random() * DELIVERY), number, record))
        if number % COPY == 0:
            delivered.append((time + DELIVERY, number, record))
    delivered.sort(key=lambda sent: sent[:2])
    for start in range(MONDAY, TUESDAY, 6 * HOUR):
        records = [record for at, _, record in delivered if start <= at < start + 6 * HOUR]
        name = f"{ACCOUNT}_CloudTrail_{REGION}_20260302T{(start - MONDAY) // HOUR:02}00Z.json.gz"
        _write(folder / name, gzip.compress(_compact({"Records": records}), mtime=0))
    lines = [_compact(record) for at, _, record in delivered if at >= TUESDAY]
    broken = [
        lines[199][:180],  # torn
        b"<html><body>503 Service Unavailable</body></html>",
        b'{"eventVersion":"1.11","eventName":"ListBuckets","eventSource":"s3.amazonaws.com"}',
    ]
    lines[200:200] = broken
    _write(folder / "stream-20260303.ndjson", b"\n".join(lines) + b"\n")
    return len(delivered), len(delivered) - len(trail.records), len(broken)


def _otel(folder: Path, random: Random, sent: Sequence[Telemetry]) -> tuple[int, int]:
    """One file of lines a day; a line holds what one system sent within some seconds."""
    spans = [(telemetry, span) for telemetry in sent for span in telemetry.spans]
    arrived = [(span.end + int(random.random() * EXPORT), one, span) for one, span in spans]
    arrived.sort(key=lambda sent: sent[0])
    for name, start, end in (
        ("spans-20260302.jsonl", MONDAY, TUESDAY),
        ("spans-20260303.jsonl", TUESDAY, TUESDAY + 24 * HOUR),
    ):
        today = [batch for batch in arrived if start <= batch[0] < end]
        lines = [
            _compact(telemetry.line([span for _, _, span in batch]))
            for (_, telemetry), batch in groupby(today, lambda sent: (sent[0] // BATCH, sent[1]))
        ]
        if start == TUESDAY:
            lines[50:50] = [lines[49][:300]]  # the disk was full for a moment
        _write(folder / name, b"\n".join(lines) + b"\n")
    return len(arrived), 1


def _trivy(folder: Path) -> int:
    """Images and code on Monday night and on Tuesday night; fraud-lens was rebuilt in between."""
    count = 0
    for name, night, mended in (
        ("20260302", MONDAY + 2 * HOUR, False),
        ("20260303", TUESDAY + 2 * HOUR, True),
    ):
        for number, (system, everyday) in enumerate(((CLAIMS, 24), (POLICY, 18), (FRAUD, 22))):
            weak = system is CLAIMS or (system is FRAUD and not mended)
            found: list[dict[str, Any]] = [RAY] if weak else []
            secrets: list[dict[str, Any]] = [SECRET] if system is CLAIMS else []
            report = image_report(system, night + number * MINUTE, found, everyday, secrets)
            _write(folder / f"{system.name}-{name}.json", _pretty(report))
            count += everyday + len(found) + len(secrets) + 1  # the scan itself is a record
        code = code_report(night + HOUR, mended=mended)
        _write(folder / f"serving-code-{name}.json", _pretty(code))
        count += 2 + 1
    return count


def _boms(folder: Path) -> int:
    count = 0
    for system in SYSTEMS:
        bill = bom(system)
        _write(folder / f"{system.name}.cdx.json", _pretty(bill))
        count += 1 + len(bill["components"]) + len(bill["services"])  # 1: the application
    return count


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _pretty(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
