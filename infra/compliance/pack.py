"""Pack: what an auditor is handed of one framework, as files whose hashes are told.

Two packs of the same store, framework and time are equal byte for byte: no clock is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from infra.compliance.assessed import Answer, Assessment, Body
from infra.compliance.page import page
from infra.compliance.referred import Reference, references
from infra.reading.reader import Answer as Rows
from infra.terminal.tables import csv_lines
from schemas.errors import Unavailable
from schemas.times import rfc3339
from sinks.formats.ocsf_controls import control_finding
from sinks.formats.product import NAME, version

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
_TEXT: Final = "VARCHAR"


def write(told: Assessment, folder: Path) -> list[str]:
    """Write the pack; the names of its files. What is there under these names is replaced."""
    files = dict(_files(told))
    hashes = {name: sha256(data).hexdigest() for name, data in files.items()}
    files[MANIFEST] = _json(_manifest(told, files, hashes))
    hashes[MANIFEST] = sha256(files[MANIFEST]).hexdigest()
    files[SUMS] = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be written: {error.strerror}; make room, or give another with --out"
        ) from error
    return sorted(files)


def lines(told: Assessment) -> Iterator[dict[str, Any]]:
    """Each control as it is stored; in `meta` its status at the time that is told."""
    for answer in told.answers:
        meta = {"at": rfc3339(told.at), "status": answer.status, "reason": answer.reason}
        yield {**answer.body, "meta": meta}


def _files(told: Assessment) -> Iterator[tuple[str, bytes]]:
    referred = list(references(told))
    yield "report.html", page(told, referred).encode()
    yield "controls.csv", _csv(_COLUMNS, [_row(answer) for answer in told.answers])
    yield "controls.jsonl", _lines(lines(told))
    yield "criteria.jsonl", _lines(_criteria(told))
    yield "evidence.csv", _csv(Reference._fields, referred)
    yield "compliance_findings.jsonl", _lines(_findings(told))


_COLUMNS: Final = (
    *("framework", "version", "control", "title", "scope", "status", "severity", "against"),
    *("assessed_at", "fresh_until", "applies_from", "reason", "rationale", "criteria"),
)


def _row(answer: Answer) -> Sequence[object]:
    body = answer.body
    criteria = [f"{one['criterion']} {one['status']}" for one in body.get("criteria", ())]
    given = {
        "version": body["framework_version"],
        "status": answer.status,
        "against": body["count"],
        "reason": answer.reason,
        "criteria": "; ".join(criteria),
    }
    return [given.get(name, body.get(name)) for name in _COLUMNS]


def _criteria(told: Assessment) -> Iterator[dict[str, Any]]:
    for body in told.criteria:
        yield {**body, "meta": {"origins": _origins(body, told.origins)}}


def _origins(body: Body, origins: Mapping[str, str]) -> dict[str, str]:
    events = sorted(one["event"] for one in body.get("evidence", ()))
    return {event: origins[event] for event in events if event in origins}


def _findings(told: Assessment) -> Iterator[dict[str, Any]]:
    criteria = {(one["criterion"], one["scope"]): one for one in told.criteria}
    for answer in told.answers:
        judged = (
            criteria[one["criterion"], one["scope"]]
            for one in answer.body.get("criteria", ())
            if (one["criterion"], one["scope"]) in criteria
        )
        evidence = [one for body in judged for one in body.get("against", body.get("heard", ()))]
        evidence += answer.body.get("alerts", ())
        yield control_finding(answer.body, answer.status, answer.reason, told.at, evidence)


def _manifest(
    told: Assessment, files: Mapping[str, bytes], hashes: Mapping[str, str]
) -> dict[str, Any]:
    of = told.framework
    return {
        "framework": of.id,
        "title": of.title,
        "version": of.version,
        "publisher": of.publisher,
        "url": of.url,
        "notice": of.notice,
        "assessed_at": rfc3339(told.time),
        "at": rfc3339(told.at),
        "scopes": sorted({answer.scope for answer in told.answers}),
        "counts": dict(told.counts) | {},
        "product": {"name": NAME, "version": version()},
        "files": [
            {"name": name, "bytes": len(files[name]), "sha256": hashes[name]}
            for name in sorted(files)
        ],
    }


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    plain = [tuple("" if value is None else value for value in row) for row in rows]
    answer = Rows(tuple(columns), (_TEXT,) * len(columns), plain, more=False)
    return "".join(f"{line}\n" for line in csv_lines(answer)).encode()


def _lines(bodies: Iterator[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(body, option=orjson.OPT_SORT_KEYS) + b"\n" for body in bodies)


def _json(body: Mapping[str, Any]) -> bytes:
    option = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(body, option=option)
