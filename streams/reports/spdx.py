"""SPDX: which element of a document is which entity, and how they hang together.

A package of version 2 has no purpose for models: its purl tells. In version 3 AI and dataset
packages are types of their own. Everything else is software, which has no entity of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from schemas.entity import Entity, image
from streams.names import models, purls
from streams.names.artifacts import repository
from streams.records.untrusted import distinct, entity, listing, mapping, text
from streams.source import Json

ADVISORY: Final = re.compile(
    r"CVE-\d{4}-\d{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d{1,8}", re.IGNORECASE
)
_SECURITY: Final = frozenset({"advisory", "fix", "url"})
# How SPDX names a relation (small letters, without `_`) -> ours, and whether it is turned round.
_RELATIONS: Final = {
    "ancestorof": ("derived_from", True),
    "amends": ("derived_from", False),
    "contains": ("uses", False),
    "containedby": ("uses", True),
    "datafileof": ("uses", True),
    "dependencyof": ("depends_on", True),
    "dependson": ("depends_on", False),
    "descendantof": ("derived_from", False),
    "finetunedon": ("trained_on", False),
    "generatedfrom": ("derived_from", False),
    "generates": ("derived_from", True),
    "hasdatafile": ("uses", False),
    "hasdynamiclink": ("depends_on", False),
    "hasinput": ("uses", False),
    "pretrainedon": ("trained_on", False),
    "testedon": ("tested_on", False),
    "trainedon": ("trained_on", False),
    "variantof": ("derived_from", False),
}
# Who exports the dependency graph of a repository, and how it names its documents.
_GRAPH: Final = "GitHub.com-Dependency-Graph"
_PREFIX: Final = "com.github."
_NAMESPACE: Final = re.compile(
    r"(https?://[^/\s]{1,256}/[^/\s]{1,128}/[^/\s]{1,128})/dependency_graph/.*"
)
_OWNED: Final = re.compile(r"[\w.-]{1,128}/[\w.-]{1,128}", re.ASCII)
_VEX: Final = {
    "vexaffectedvulnassessmentrelationship": "affected",
    "vexfixedvulnassessmentrelationship": "fixed",
    "vexnotaffectedvulnassessmentrelationship": "not_affected",
    "vexunderinvestigationvulnassessmentrelationship": "under_investigation",
}


def sort(said: Mapping[str, Json]) -> str:
    """The type of an element of version 3, without its profile, in small letters."""
    kind = text(said.get("type") or said.get("@type"), 128) or ""
    return re.split(r"[_:/#]", kind)[-1].lower()


def identity(said: Mapping[str, Json]) -> str | None:
    """By what other elements name this one."""
    return text(said.get("spdxId") or said.get("@id") or said.get("SPDXID"), 1024)


def relation(kind: Json) -> tuple[str, bool] | None:
    """Our word for a relation, and whether it goes the other way; None of what is no lineage."""
    return _RELATIONS.get((text(kind, 64) or "").lower().replace("_", ""))


def status(said: Mapping[str, Json]) -> str | None:
    """What an assessment says of a vulnerability; None of what is no assessment."""
    return _VEX.get(sort(said))


def field(said: Mapping[str, Json], name: str) -> Json:
    """A property of version 3, with the prefix of its profile or without."""
    profiles = ("", "software_", "ai_", "dataset_", "security_")
    return next((said[key] for profile in profiles if (key := f"{profile}{name}") in said), None)


def purl(said: Mapping[str, Json]) -> str | None:
    """The package URL of an element, wherever a version keeps it."""
    refs = map(mapping, listing(said.get("externalRefs")))
    ids = map(mapping, listing(said.get("externalIdentifier")))
    found = [
        field(said, "packageUrl"),
        *(one.get("referenceLocator") for one in refs if one.get("referenceType") == "purl"),
        *(
            one.get("identifier")
            for one in ids
            if "packageurl" in (text(one.get("externalIdentifierType")) or "").lower()
        ),
    ]
    return next((known for one in found if (known := text(one, 512))), None)


def sha256(said: Mapping[str, Json]) -> str | None:
    """The SHA-256 of an element."""
    hashes = [*listing(said.get("checksums")), *listing(said.get("verifiedUsing"))]
    for one in map(mapping, hashes):
        kind = (text(one.get("algorithm"), 32) or "").lower().replace("-", "")
        if kind == "sha256":
            return text(one.get("checksumValue") or one.get("hashValue"), 128)
    return None


def version(said: Mapping[str, Json]) -> str | None:
    """The version of a package."""
    return text(said.get("versionInfo") or field(said, "packageVersion"), 128)


def things(said: Mapping[str, Json]) -> tuple[Entity, ...]:
    """The ids of the entity that an element is, the best first; none of software."""
    name, url = text(said.get("name"), 256), purl(said)
    where = field(said, "downloadLocation")
    purpose = (
        text(field(said, "primaryPurpose") or said.get("primaryPackagePurpose")) or ""
    ).lower()
    if sort(said) == "datasetpackage" or purpose == "data":
        known = text(where) if isinstance(where, str) and "://" in where else None
        stored = known and known.startswith(("s3://", "gs://"))
        hub = known and "/datasets/" in known
        return distinct((models.dataset(known if stored or hub else name, name),))
    if sort(said) == "aipackage" or purpose == "model" or (url and "pkg:huggingface/" in url):
        hub_id = models.hub(url) or models.hub(where)
        ids = (models.hashed(sha256(said), name), entity("model", hub_id, name))
        plain = entity("model", url, name) or models.released(name, version(said))
        return distinct(ids) or distinct((plain,))
    if purpose == "container" or (url and url.startswith(("pkg:oci/", "pkg:docker/"))):
        tag = version(said) or ""
        named = f"{name}@{tag}" if tag.startswith("sha256:") else f"{name}:{tag}" if tag else name
        return distinct((purls.asset(url) or (image(named) if named else None),))
    return ()


def is_graph(creators: Json, name: Json) -> bool:
    """True of a document that GitHub made of the dependency graph of a repository."""
    words = " ".join(one for some in listing(creators) if (one := text(some, 256)))
    return _GRAPH in words or (text(name, 256) or "").startswith(_PREFIX)


def described(root: Mapping[str, Json], namespace: Json, name: Json) -> Entity | None:
    """The repository of a dependency graph: by its own server, else by its purl or its name."""
    place = _NAMESPACE.fullmatch(text(namespace, 1024) or "")
    if place is not None:
        return repository(place[1])
    where = text(root.get("downloadLocation"), 1024) or ""
    if "://" in where:
        return repository(where)
    known = purls.package(purl(root))
    owned = known.name if known is not None and known.type == "github" else None
    for one in (owned, text(root.get("name"), 256), text(name, 256)):
        short = (one or "").removeprefix(_PREFIX)
        if _OWNED.fullmatch(short):
            return repository(f"https://github.com/{short}")
    return None


def title(said: Mapping[str, Json]) -> str | None:
    """The name of a package; that of a dependency graph of 2023 has its ecosystem before it."""
    name, known = text(said.get("name"), 256), purls.package(purl(said))
    bare = (name or "").partition(":")[2]
    same = known is not None and bare.replace(":", "/").lower() == known.name.lower()
    return bare if bare and same else name


def advisories(said: Mapping[str, Json]) -> Iterator[str]:
    """Vulnerabilities that a package of version 2 refers to, each once."""
    seen = set[str]()
    for one in map(mapping, listing(said.get("externalRefs"))):
        if (text(one.get("referenceType"), 64) or "").lower() not in _SECURITY:
            continue
        for found in ADVISORY.findall(text(one.get("referenceLocator"), 2048) or ""):
            known = found.upper() if found[:3].upper() == "CVE" else found
            if known not in seen:
                seen.add(known)
                yield known
