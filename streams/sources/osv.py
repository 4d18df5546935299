"""OSV-Scanner: the vulnerable packages of lockfiles, folders, images and bills of materials.

Read are JSON results of versions 1 and 2. Each vulnerability of a package is a record, then each
source that was scanned, which closes what is not found there any more. One weakness that several
databases name (a group) is one weakness.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.advisories import fixed, known
from streams.names.artifacts import UNNAMED, container, repository
from streams.records.untrusted import listing, mapping, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level, measured
from streams.reports.whole import Ended, Whole, about, empty, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "osv"
TITLE: Final = "OSV-Scanner results"
LOGSOURCE: Final = Logsource(product="osv")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"scan_activity", "vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {"package.ecosystem"}
VERSIONS: Final = "1.x; 2.2 to 2.6 as documented"
GAPS: Final = (
    "Results have no time: they hold from 1970 on.",
    (
        "Results of an image of version 2 do not name it: they are findings of files without a "
        "name, and close nothing."
    ),
    (
        "Results name a lockfile by its path: the folder stands for the repository, so give each "
        "repository a path of its own. Licence findings are not read."
    ),
)


class _Package(msgspec.Struct):
    package: Json = None
    vulnerabilities: list[msgspec.Raw] | None = None
    groups: Json = None


class _Source(msgspec.Struct):
    path: str = ""
    type: str = ""


class _Result(msgspec.Struct):
    source: _Source
    packages: list[_Package] | None = None


class _Results(msgspec.Struct):
    results: list[_Result] | None
    image: Json = msgspec.field(default=None, name="image_metadata")


_RESULTS: Final = msgspec.json.Decoder(_Results)


class Context(NamedTuple):
    """The source and the package in which a vulnerability was found, and all groups of it."""

    scan: Scan
    path: str
    package: dict[str, Json]
    groups: list[dict[str, Json]]


def sniff(head: bytes) -> bool:
    """A result has a source, and packages of an ecosystem; without any the tool names itself."""
    if b'"results"' in head and b'"experimental_config"' in head:
        return True
    keys = (b'"results"', b'"source"', b'"packages"', b'"ecosystem"', b'"path"')
    return all(key in head for key in keys)


def split(document: bytes) -> Iterator[Raw]:
    """The vulnerabilities of a source, then the source, one source after the other."""
    if empty(document):
        return iter(())
    told = slices(document, _RESULTS)
    return _raws(document, told.results or [], inside=told.image is not None)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One vulnerability of a package, or the scan of one source."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    context, said = about(raw.context, Context, record)
    id_ = text(said.get("id"), 256)
    mine = [one for one in context.groups if id_ in listing(one.get("ids"))]
    group = mine[0] if mine else dict[str, Json]()
    others = [listing(one.get(key)) for one in (group, said) for key in ("ids", "aliases")]
    upstream = listing(said.get("upstream"))
    if len(upstream) == 1:  # `ALPINE-CVE-2026-0001`; an advisory of several is none of them
        others.append(upstream)
    name = known(id_, *(alias for several in others for alias in several))
    if id_ is None or name is None:
        raise Unreadable("wrong-shape", "a vulnerability has an id")
    package = text(context.package.get("name"), 256)
    version = text(context.package.get("version"), 256)
    score = measured(group.get("max_severity"))
    word = mapping(said.get("database_specific")).get("severity")
    found = Found(
        sort="vulnerability",
        of=name.of,
        title=text(said.get("summary"), 512) or f"{name.of} in {package} {version}",
        severity=level(score, word),
        package=package,
        place=context.path or None,
        attributes={
            "vulnerability.aliases": name.aliases,
            "vulnerability.cvss": score,
            "package.version": version,
            "package.ecosystem": text(context.package.get("ecosystem"), 64),
            "package.fixed_version": fixed(_fixes(said, package)),
        },
    )
    return Parsed(finding(context.scan, found, evidence), {})


def _raws(document: bytes, results: list[_Result], *, inside: bool) -> Iterator[Raw]:
    """`inside`: paths are those in an image that the results do not name."""
    counts: dict[Entity, int] = {}
    for result in results:
        nameless = inside or result.source.type == "os"
        asset, path = (UNNAMED, result.source.path[:512]) if nameless else _asset(result.source)
        scan = Scan(NAME, NAME, asset, 0)
        for one in result.packages or ():
            groups = [mapping(group) for group in listing(one.groups)]
            context = Context(scan, path, mapping(one.package), groups)
            rows = one.vulnerabilities or []
            counts[asset] = counts.get(asset, 0) + len(rows)
            yield from (Raw(bytes(row), context) for row in rows)
        counts.setdefault(asset, 0)
    # Several lockfiles of one folder are one scan of it.
    ends = [Ended(Scan(NAME, NAME, asset, 0), count) for asset, count in counts.items()]
    yield from whole(document, *ends)


def _asset(source: _Source) -> tuple[Entity, str]:
    """What was scanned, and where in it."""
    path = source.path[:512]
    if source.type in {"docker", "image"}:
        return container(path) or UNNAMED, ""
    folder, _, file = path.replace("\\", "/").rpartition("/")
    if source.type == "git":
        folder, file = path, ""
    return repository(folder) or UNNAMED, file


def _fixes(said: dict[str, Json], package: str | None) -> Iterator[Json]:
    """The versions in which the package is mended, of all ranges that speak of it."""
    for one in map(mapping, listing(said.get("affected"))):
        if text(mapping(one.get("package")).get("name"), 256) != package:
            continue
        for several in map(mapping, listing(one.get("ranges"))):
            if text(several.get("type")) != "GIT":
                yield from (mapping(at).get("fixed") for at in listing(several.get("events")))
