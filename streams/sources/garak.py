"""Garak: which probes a model, or what stands before one, does not resist.

Read are report.jsonl of all generations by `entry_type` (`start_run setup`, `config`, `init`,
`eval`, `completion`, `digest`), a digest alone, and the hit log. A file is one document, for its
first rows say what was probed. An eval row is a finding for its probe and detector: closed where
the target always resisted, and no finding but a scan that failed where nothing could be judged.
Attempts are counted; what was prompted and answered is in the hit log, and is content.

Severities are the tool's own (its DEFCON 1 to 5, of the share that resisted).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.detection import Logsource
from schemas.event import Event, EventEvidence, Level
from schemas.times import DAY
from streams.records.untrusted import mapping, number, plain, text
from streams.reports import probes, scans
from streams.reports.scans import Found, Scan, finding, of_score, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "garak"
TITLE: Final = "garak report"
WHOLE: Final = True
LOGSOURCE: Final = Logsource(product="garak")
LATENESS: Final = DAY  # a report comes when its run has ended, from a clock in any zone
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"detection_finding", "scan_activity"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    eval.attempts eval.confidence eval.confidence_lower eval.confidence_upper eval.detector
    eval.evaluated eval.failed eval.pass_rate eval.probe eval.run eval.score eval.target
    gen_ai.input.messages gen_ai.output.messages
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "0.9 to 0.14 (`passed`/`total`, then `total_evaluated` and confidence bounds)"
GAPS: Final = (
    "A report without its setup rows does not say what was probed: its rows are rejected.",
    "A run covers the probes that it was told to: it closes those that it ran, no others.",
    "Attempts are counted, not listed.",
)

# The least share that resisted -> severity: garak's ABSOLUTE_DEFCON_BOUNDS.
_BOUNDS: Final[tuple[tuple[float, Level], ...]] = (
    (0.99, "informational"),
    (0.8, "low"),
    (0.4, "medium"),
    (0.05, "high"),
)
_DEFCON: Final[dict[int, Level]] = {
    1: "critical",
    2: "high",
    3: "medium",
    4: "low",
    5: "informational",
}


class Context(NamedTuple):
    """The run of a row; `defcon` by the digest; of a row in a digest its probe and detector."""

    run: probes.Run
    part: str
    probe: str = ""
    detector: str = ""
    defcon: int | None = None


def sniff(head: bytes) -> bool:
    """Rows say of which type they are, hits what triggered them."""
    if b'"entry_type"' in head:
        return any(key in head for key in (b'"start_run setup"', b'"probe', b'"garak_version"'))
    return all(key in head for key in (b'"triggers"', b'"detector"', b'"probe"', b'"generator"'))


def split(document: bytes) -> Iterator[Raw]:
    """The eval rows and hits, or what the digest says where there are none, then the run."""
    rows = [(line, probes.row(line)) for line in map(bytes.strip, document.splitlines()) if line]
    run, defcons = probes.Run(), dict[tuple[str, str], int]()
    digested: list[probes.Judged] = []
    for line, row in rows:
        if row is None:
            continue
        if row.entry_type == "digest":
            run = probes.began(run, mapping(probes.read(line).get("meta")))
            digested += probes.digest(line)
        elif row.entry_type in {"start_run setup", "config", "init"}:
            run = probes.began(run, probes.read(line))
        elif row.entry_type == "attempt":
            run = run._replace(attempts=run.attempts + 1)
        run = run._replace(ended=run.ended or row.entry_type in probes.ENDS)
    for one in digested:
        if one.defcon is not None:
            defcons[one.probe, one.detector] = one.defcon
    judged = list(_told(rows, run, defcons))
    if not judged:
        judged = [
            Raw(one.data, Context(run, "digest", one.probe, one.detector, one.defcon))
            for one in digested
        ]
    whole = run.ended or any(raw.context.part == "hit" for raw in judged)
    if not judged or (not whole and run.target() is not None):
        judged.append(Raw(document, Context(run, "run"), {}))
    return iter(judged)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """What one detector says of one probe, one hit, or a run that said nothing."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context) or not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a row is an object of a report")
    if context.part == "hit":
        return _hit(said, evidence)
    target = context.run.target()
    if target is None:
        raise Unreadable("wrong-shape", "no `start_run setup` row says what was probed")
    scan = Scan(NAME, NAME, target, context.run.time)
    if context.part == "run":
        return Parsed(_run(scan, context.run, evidence), {})
    return Parsed(_judged(scan, context, said, evidence), {})


def _told(
    rows: list[tuple[bytes, probes.Row | None]],
    run: probes.Run,
    defcons: dict[tuple[str, str], int],
) -> Iterator[Raw]:
    for line, row in rows:
        if row is None:
            yield Raw(line, Context(run, "eval"))
        elif row.entry_type in {"eval", "hit"}:
            defcon = defcons.get((row.probe, row.detector))
            yield Raw(line, Context(run, row.entry_type, row.probe, row.detector, defcon))


def _judged(scan: Scan, context: Context, said: dict[str, Json], evidence: EventEvidence) -> Event:
    probe = text(said.get("probe"), 128) or context.probe or None
    detector = text(said.get("detector"), 128) or context.detector or None
    if probe is None or detector is None:
        raise Unreadable("wrong-shape", "a row names a `probe` and a `detector`")
    detector = detector.removeprefix("detector.")
    kept = _numbers(said)
    kept |= {"eval.probe": probe, "eval.detector": detector, "eval.run": context.run.id}
    rate = kept["eval.pass_rate"]
    if rate is None:
        return scanned(scan, 0, evidence, status="failure", **kept)
    kept["check.id"] = probe
    found = Found(
        sort="detection",
        of=probe,
        title=f"{probe}: {1 - rate:.1%} of the answers that {detector} judged were hits",
        severity=_DEFCON.get(context.defcon or 0) or _level(rate),
        place=detector,
        closed=rate == 1,
        attributes=kept,
    )
    return finding(scan, found, evidence)


def _level(rate: float) -> Level:
    for least, word in _BOUNDS:
        if rate >= least:
            return word
    return "critical"


def _numbers(said: dict[str, Json]) -> dict[str, Json]:
    """Counts and shares of an eval row, whichever generation wrote it, or of a digest."""
    total = _count(said.get("total_evaluated", said.get("total")))
    passed = _count(said.get("passed", said.get("pass")))
    rate = number(said.get("absolute_score"))
    if total and passed is not None and passed <= total:
        rate = passed / total
    failed = None if total is None or passed is None else total - passed
    lower, upper = number(said.get("confidence_lower")), number(said.get("confidence_upper"))
    return {
        "eval.evaluated": total,
        "eval.failed": _count(said.get("fails")) if "fails" in said else failed,
        "eval.pass_rate": rate if rate is not None and 0 <= rate <= 1 else None,
        "eval.confidence": text(said.get("confidence"), 16),
        "eval.confidence_lower": lower,
        "eval.confidence_upper": upper,
    }


def _count(value: Json) -> float | None:
    known = number(value)
    return known if known is not None and 0 <= known < 2**53 else None


def _hit(said: dict[str, Json], evidence: EventEvidence) -> Parsed:
    kind, _, name = (text(said.get("generator"), 384) or "").partition(" ")
    target = probes.target(kind or None, name or None)
    probe, detector = text(said.get("probe"), 128), text(said.get("detector"), 128)
    if target is None or probe is None:
        raise Unreadable("wrong-shape", "a hit names its `generator` and its `probe`")
    score = number(said.get("score"))
    kept: dict[str, Json] = {
        "check.id": probe,
        "eval.probe": probe,
        "eval.detector": detector,
        "eval.run": text(said.get("run_id"), 128),
        "eval.score": score,
    }
    title = f"{probe}: a hit of {detector}"
    severity = of_score(10 * score) if score is not None else "high"  # shares in bands of CVSS
    found = Found("detection", probe, title, severity, place=detector, attributes=kept)
    answer = said.get("output", said.get("outputs"))
    private = {
        "gen_ai.input.messages": plain(said.get("prompt")),
        "gen_ai.output.messages": plain(answer),
    }
    shown = {key: value for key, value in private.items() if value is not None}
    return Parsed(finding(Scan(NAME, NAME, target, 0), found, evidence), shown)


def _run(scan: Scan, run: probes.Run, evidence: EventEvidence) -> Event:
    kept: dict[str, Json] = {
        "eval.attempts": run.attempts,
        "eval.run": run.id,
        "eval.target": " ".join(filter(None, (run.kind, run.name))),
    }
    return scanned(scan, 0, evidence, status="failure", **kept)
