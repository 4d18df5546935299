"""Wiz: a vulnerability of a cloud resource, as the export of findings and the API tell it."""

from __future__ import annotations

from typing import Final

from schemas.entity import Entity
from schemas.event import Event, EventEvidence
from streams.names import resources
from streams.names.advisories import known
from streams.names.artifacts import container
from streams.records.untrusted import entity, mapping, text
from streams.reports.scans import Found, Scan, finding, level, measured
from streams.reports.whole import dated
from streams.source import Json, Unreadable

_ENDED: Final = frozenset({"REJECTED", "RESOLVED"})
# The columns of CSV by what the API calls the same.
_COLUMNS: Final = {
    "id": "ID",
    "name": "Name",
    "severity": "CVSSSeverity",
    "vendorSeverity": "VendorSeverity",
    "status": "FindingStatus",
    "firstDetectedAt": "FirstDetected",
    "lastDetectedAt": "LastDetected",
    "resolvedAt": "ResolvedAt",
    "detailedName": "DetailedName",
    "version": "Version",
    "fixedVersion": "FixedVersion",
    "locationPath": "LocationPath",
    "hasCisaKevExploit": "HasCisaKevExploit",
}
_ASSET: Final = {
    "name": "AssetName",
    "providerUniqueId": "ProviderUniqueId",
    "cloudPlatform": "CloudPlatform",
    "region": "AssetRegion",
    "subscriptionExternalId": "SubscriptionExternalId",
    "operatingSystem": "OperatingSystem",
}
_MACHINES: Final = ("/instances/", "virtual_machine")


def holds(said: dict[str, Json]) -> bool:
    """True of a record that is about a vulnerability, and no issue."""
    return "vulnerableAsset" in said or "DetailedName" in said


def event(said: dict[str, Json], evidence: EventEvidence) -> Event:
    """The vulnerability, of the resource that has it. Raises Unreadable."""
    thing = mapping(said.get("vulnerableAsset"))
    if not thing:
        thing = {key: said.get(name) for key, name in _ASSET.items()}
        said = {key: said.get(name) for key, name in _COLUMNS.items()}
    name = known(said.get("name"))
    if name is None:
        raise Unreadable("wrong-shape", "a vulnerability has a name")
    status = (text(said.get("status"), 32) or "").upper()
    closed = status in _ENDED
    first = dated(said.get("firstDetectedAt"), said.get("lastDetectedAt"))
    account = entity("account", thing.get("subscriptionExternalId"))
    package, version = text(said.get("detailedName"), 256), text(said.get("version"), 256)
    found = Found(
        sort="vulnerability",
        of=name.of,
        title=f"{name.of} in {package} {version}",
        severity=level(said.get("vendorSeverity"), said.get("severity"), said.get("score")),
        package=package,
        place=text(said.get("locationPath"), 512),
        mark=text(said.get("id"), 128),
        closed=closed,
        attributes={
            "check.status": status or None,
            "cloud.provider": text(thing.get("cloudPlatform"), 64),
            "cloud.region": text(thing.get("region"), 64),
            "finding.mark": text(said.get("id"), 128),
            "package.version": version,
            "package.fixed_version": text(said.get("fixedVersion"), 256),
            "vulnerability.cvss": measured(said.get("score")),
            "vulnerability.epss": measured(said.get("epssProbability")),
            "vulnerability.kev": str(said.get("hasCisaKevExploit")).lower() == "true" or None,
        },
    )
    # When it ended, or where that is not said any time after it began.
    time = (dated(said.get("resolvedAt")) or first + 1) if closed else first
    asset = _asset(thing) or account or Entity(kind="account", id="wiz")
    return finding(Scan("wiz", "wiz", asset, time), found, evidence, others=(account,))


def _asset(thing: dict[str, Json]) -> Entity | None:
    place = text(thing.get("providerUniqueId"), 512) or ""
    kind = (text(thing.get("type"), 64) or "").lower()
    found = resources.asset(place)
    if found is not None:
        return found
    if "container_image" in kind:
        return container(thing.get("name"), digests=[place])
    machine = any(word in place or word in kind for word in _MACHINES)
    if machine or text(thing.get("operatingSystem")):
        return entity("host", (text(thing.get("name"), 256) or "").lower())
    return None
