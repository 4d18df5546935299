"""Trivy: what one row of a report says, by the topic below which it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from streams.names.advisories import known
from streams.records.untrusted import listing, mapping, number, text
from streams.source import Json, Unreadable

Topic = Literal["Vulnerabilities", "Misconfigurations", "Secrets", "Licenses"]


class Row(NamedTuple):
    """What one finding says, whatever its topic. `of` is what was found: the CVE, check or rule."""

    of: str
    title: str
    package: str | None
    place: tuple[str | None, ...]
    attributes: dict[str, Json]


def _vulnerability(said: dict[str, Json]) -> Row:
    told = known(_named(said, "VulnerabilityID"), *listing(said.get("VendorIDs")))
    of, aliases = told or ("", None)
    package = text(said.get("PkgName"), 256)
    version = text(said.get("InstalledVersion"), 256)
    return Row(
        of,
        _title(said, f"{of} in {package} {version}"),
        package,
        (text(said.get("PkgPath"), 512),),
        {
            "vulnerability.aliases": aliases,
            "vulnerability.cvss": _cvss(said.get("CVSS")),
            "package.version": version,
            "package.fixed_version": text(said.get("FixedVersion"), 256),
            "package.purl": text(mapping(said.get("PkgIdentifier")).get("PURL"), 512),
        },
    )


def _misconfiguration(said: dict[str, Json]) -> Row:
    of = _named(said, "ID", "AVDID")
    cause = mapping(said.get("CauseMetadata"))
    resource = text(cause.get("Resource"), 256)
    place = (resource, text(cause.get("StartLine"), 16))
    return Row(of, _title(said, of), None, place, {"check.id": of, "check.resource": resource})


def _secret(said: dict[str, Json]) -> Row:
    """Where a secret lies and of which sort it is. Itself, and the lines about it, stay unread."""
    of = _named(said, "RuleID")
    category = text(said.get("Category"), 128)
    place = (text(said.get("StartLine"), 16),)
    return Row(of, _title(said, of), None, place, {"secret.rule": of, "secret.category": category})


def _license(said: dict[str, Json]) -> Row:
    of = _named(said, "Name")
    package = text(said.get("PkgName"), 256)
    category = text(said.get("Category"), 128)
    return Row(
        of,
        f"{of} licence of {package or 'a file'}",
        package,
        (text(said.get("FilePath"), 512),),
        {"license.name": of, "license.category": category},
    )


ROWS: Final[dict[Topic, Callable[[dict[str, Json]], Row]]] = {
    "Vulnerabilities": _vulnerability,
    "Misconfigurations": _misconfiguration,
    "Secrets": _secret,
    "Licenses": _license,
}


def _named(said: dict[str, Json], *keys: str) -> str:
    of = next((found for key in keys if (found := text(said.get(key), 256))), None)
    if of is None:
        raise Unreadable("wrong-shape", f"a finding has {keys[0]}")
    return of


def _title(said: dict[str, Json], otherwise: str) -> str:
    return text(said.get("Title"), 512) or otherwise


def _cvss(scores: Json) -> float | None:
    """The highest base score that anyone gave, of version 2 only where nobody gave a newer one."""
    given = [mapping(one) for one in mapping(scores).values()]
    new = [number(one.get(key)) for one in given for key in ("V3Score", "V40Score")]
    old = [number(one.get("V2Score")) for one in given]
    known = [score for score in new if score] or [score for score in old if score]
    return max(known, default=None)
