"""Picklescan: dangerous imports in the pickles of a model, as the tool prints them.

Read is what it prints to the console, which is all that it writes: a line for each import that is
dangerous, or only suspicious, then a summary. Files lie in a model of the hub by their address,
else each file is a model of its own. Lines that say an error make it a scan that failed. Nothing of
it is dated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Event, EventEvidence, Level, Status
from schemas.times import DAY
from streams.names import models
from streams.records.untrusted import MOST, distinct, mapping, text
from streams.reports import scans
from streams.reports.listed import Listing, listed
from streams.reports.scans import Found, Scan, finding, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "picklescan"
TITLE: Final = "picklescan console output"
LOGSOURCE: Final = Logsource(product="picklescan")
LATENESS: Final = DAY
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"detection_finding", "scan_activity", "software_inventory_info"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    model.operator model.path scan.files scan.infected
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "0.0.1 (`global import`) to 1.0.5 (`dangerous import`)"
GAPS: Final = (
    "The output does not name what was scanned: a run without a finding is of no model.",
    "A file that is clean now is not named, so a scan closes nothing but on the files it names.",
)

_COUNT: Final = re.compile(
    r"(?P<what>Scanned files|Infected files|Dangerous globals): (?P<n>\d{1,9})"
)
_MEMBER: Final = re.compile(r"(?P<file>.{2,}?\.(?:7z|bin|ckpt|npz|pt|pth|zip|nemo)):(?P<inside>.+)")
_UNREAD: Final = re.compile(
    r"ERROR: parsing .{1,64}? in (?P<broken>.+?): "
    r"|WARNING: could not parse (?P<other>.+?) as pickle: "
    r"|Invalid file .+ in zip archive (?P<archive>.+?): "
)
_LEVELS: Final[dict[str, Level]] = {
    "dangerous": "critical",
    "global": "critical",
    "suspicious": "medium",
}


class Ran(NamedTuple):
    """How the run went: of which file, if any was named, and with how many findings there."""

    file: str | None
    found: int
    failed: bool
    counts: dict[str, int]


def sniff(head: bytes) -> bool:
    """A line of a finding, or the headline of the summary."""
    if head.lstrip()[:1] in {b"{", b"["}:
        return False
    return b"- SCAN SUMMARY -" in head or (b" import '" in head and b"' FOUND" in head)


def split(document: bytes) -> Iterator[Raw]:
    """The lines that name an import, then the run of each file."""
    try:
        lines = [(line, line.decode()) for line in document.splitlines()]
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", str(error)) from None
    found: dict[str, int] = {}
    failed: set[str] = set()
    counts: dict[str, int] = {}
    raws: list[Raw] = []
    for line, said in lines:
        if (one := _import(said)) is not None:
            raws.append(Raw(line, None, one))
            file = _parts(one["file"])[0]
            found[file] = found.get(file, 0) + 1
        elif (unread := _UNREAD.match(said)) is not None:
            failed.add(_parts(unread[unread.lastgroup or 0])[0])
        elif (count := _COUNT.match(said)) is not None:
            counts[count["what"]] = int(count["n"])
        elif "Unhandled exception" in said:
            failed.add("")
    known = list(dict.fromkeys((*found, *sorted(failed - {""}))))
    whole = bool(counts) and "" not in failed
    for file in known:
        ran = Ran(file, found.get(file, 0), file in failed or not whole, counts)
        raws.append(Raw(document, ran, {}))
    if not raws and not whole:
        raise Unreadable("truncated", "the output has no summary")
    return iter(raws or [Raw(document, Ran(None, 0, failed=False, counts=counts), {})])


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """An import, or the run."""
    if isinstance(raw.context, Ran):
        return Parsed(_run(raw.context, evidence), {})
    said = mapping(record)
    file, inside = _parts(text(said.get("file"), 1024) or "")
    ids = distinct(models.file(file))
    module, name = text(said.get("module"), 256), text(said.get("name"), 256)
    if not ids or module is None or name is None:
        raise Unreadable("wrong-shape", "a line names a file and what it imports")
    of = f"{module}.{name}"
    word = str(said.get("word"))
    found = Found(
        sort="detection",
        of=of,
        title=f"{word if word != 'global' else 'dangerous'} import {of}",
        severity=_LEVELS.get(word, "medium"),
        place=inside,
        attributes={"check.id": of, "model.operator": name, "model.path": file},
    )
    return Parsed(finding(_scan(file, ids), found, evidence, others=ids), {})


def _import(line: str) -> dict[str, str] | None:
    """What a line says: `<file>: <word> import '<module> <name>' FOUND`; None of other lines."""
    before, is_import, behind = line.partition(" import '")
    file, colon, word = before.rpartition(": ")
    what, found, _ = behind.partition("' FOUND")
    module, blank, name = what.partition(" ")
    if not (is_import and colon and found and blank and module and name and word in _LEVELS):
        return None
    return {"file": file, "word": word, "module": module, "name": name}


def _run(ran: Ran, evidence: EventEvidence) -> Event:
    ids = distinct(models.file(ran.file)) if ran.file else ()
    kept: dict[str, Json] = {
        "model.path": ran.file,
        "scan.files": ran.counts.get("Scanned files"),
        "scan.infected": ran.counts.get("Infected files"),
    }
    if not ids:
        tool = (Entity(kind="application", id=NAME),)
        message = "picklescan found nothing"
        return listed(Listing(NAME, 0), tool, evidence, message, attributes=kept)
    status: Status = "failure" if ran.failed else "success"
    ties = tuple(models.same(ids))
    scan = _scan(ran.file, ids)
    return scanned(scan, ran.found, evidence, status=status, others=ids[:MOST], edges=ties, **kept)


def _scan(file: str | None, ids: tuple[Entity, ...]) -> Scan:
    """The scan of one file; of a model of the hub it closes nothing of the other files."""
    return Scan(NAME, " ".join(filter(None, (NAME, models.part(file)))), ids[0], 0)


def _parts(file: str) -> tuple[str, str | None]:
    """A file, and where inside it: `model.pt:model/data.pkl`."""
    found = _MEMBER.fullmatch(file)
    return (found["file"], found["inside"]) if found else (file, None)
