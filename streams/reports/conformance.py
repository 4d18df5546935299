"""Conformance: where a CycloneDX document of 1.2 to 1.7 breaks the rules of its standard.

Checked is what a reader relies on, and what the conformance files of the standard break: required
fields, words of closed lists, shapes of hashes and serial numbers, licences, references. It is no
JSON Schema validation: a document without a fault here may still have one there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from streams.records.untrusted import listing, mapping, text
from streams.source import Json

_SERIAL: Final = re.compile(
    r"urn:uuid:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII
)
_HASH: Final = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|(?:[0-9a-f]{32}){2,4})", re.IGNORECASE)
_LICENSE: Final = re.compile(r"[A-Za-z0-9.+-]{1,64}")
_ALGORITHMS: Final = frozenset(
    """
    BLAKE2b-256 BLAKE2b-384 BLAKE2b-512 BLAKE3 MD5 SHA-1 SHA-256 SHA-384 SHA-512 SHA3-256 SHA3-384
    SHA3-512 Streebog-256 Streebog-512
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
# Types of components, and the minor version that brought each.
_TYPES: Final = {
    **dict.fromkeys(("application", "container", "device", "file", "framework", "library"), 2),
    **dict.fromkeys(("firmware", "operating-system"), 2),
    **dict.fromkeys(("data", "device-driver", "machine-learning-model", "platform"), 5),
    "cryptographic-asset": 6,
}
_METADATA: Final = frozenset(
    """
    authors component distributionConstraints licenses lifecycles manufacture manufacturer
    properties supplier timestamp tools
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_SCOPES: Final = frozenset({"excluded", "optional", "required"})
_PATCHES: Final = frozenset({"backport", "cherry-pick", "monkey", "unofficial"})
_ISSUES: Final = frozenset({"defect", "enhancement", "security"})
_FLOWS: Final = frozenset({"bi-directional", "inbound", "outbound", "unknown"})
MOST: Final = 8  # faults of one part that are told


def of_document(said: Mapping[str, Json], minor: int) -> list[str]:
    """Faults that hold for all of a document; of its parts only the dependencies are looked at."""
    return list(dict.fromkeys(_document(said, minor)))[:MOST]


def of_part(said: Mapping[str, Json], part: str, minor: int) -> list[str]:
    """Faults of a component or service by itself."""
    found = _service(said) if part == "service" else _component(said, minor)
    return list(dict.fromkeys((*found, *_both(said, minor))))[:MOST]


def _document(said: Mapping[str, Json], minor: int) -> Iterator[str]:
    serial = said.get("serialNumber")
    if serial is not None and _SERIAL.fullmatch(text(serial) or "") is None:
        yield "the serial number is no UUID"
    about = mapping(said.get("metadata"))
    for key in sorted(set(about) - _METADATA):
        yield f"metadata has no field {key[:64]!r}"
    yield from _licenses(about, minor)
    yield from _properties(about)
    for one in map(mapping, listing(said.get("dependencies"))):
        if text(one.get("ref")) is None:
            yield "a dependency has a `ref`"
            break
    for one in map(mapping, listing(said.get("citations"))):
        if ("pointers" in one) == ("expressions" in one):
            yield "a citation has `pointers` or `expressions`, not both"
        if "attributedTo" not in one and "process" not in one:
            yield "a citation says who or what it is attributed to"


def _component(said: Mapping[str, Json], minor: int) -> Iterator[str]:
    kind = text(said.get("type"), 64)
    if kind is None or _TYPES.get(kind, 99) > minor:
        yield f"version 1.{minor} has no component type {kind!r}" if kind else "there is no `type`"
    if "scope" in said and text(said.get("scope")) not in _SCOPES:
        yield "the scope is no word of the standard"
    swid = said.get("swid")
    if swid is not None and not {"tagId", "name"} <= mapping(swid).keys():
        yield "a SWID tag has `tagId` and `name`"
    if "versionRange" in said:
        if said.get("isExternal") is not True:
            yield "only an external component has a range of versions"
        if "version" in said:
            yield "a component has a version or a range, not both"
    yield from _hashes(said)
    yield from _patches(said)


def _hashes(said: Mapping[str, Json]) -> Iterator[str]:
    for one in map(mapping, listing(said.get("hashes"))):
        if text(one.get("alg"), 32) not in _ALGORITHMS:
            yield "the algorithm of a hash is none of the standard"
        if _HASH.fullmatch(text(one.get("content"), 256) or "") is None:
            yield "a hash is no hexadecimal digest"


def _patches(said: Mapping[str, Json]) -> Iterator[str]:
    for patch in map(mapping, listing(mapping(said.get("pedigree")).get("patches"))):
        if text(patch.get("type")) not in _PATCHES:
            yield "the type of a patch is no word of the standard"
        issues = map(mapping, listing(patch.get("resolves")))
        if any(text(one.get("type")) not in _ISSUES for one in issues):
            yield "the type of an issue is no word of the standard"


def _service(said: Mapping[str, Json]) -> Iterator[str]:
    for one in map(mapping, listing(said.get("data"))):
        if text(one.get("flow")) not in _FLOWS or text(one.get("classification")) is None:
            yield "data of a service has a classification and a known flow"


def _both(said: Mapping[str, Json], minor: int) -> Iterator[str]:
    if "bom-ref" in said and text(said.get("bom-ref")) is None:
        yield "a `bom-ref` is not empty"
    yield from _licenses(said, minor)
    yield from _properties(said)


def _properties(said: Mapping[str, Json]) -> Iterator[str]:
    held = listing(said.get("properties"))
    for one in map(mapping, held):
        if text(one.get("name")) is None or not one.keys() <= {"name", "value"}:
            yield "a property has a `name` and a `value`"
            return


def _licenses(said: Mapping[str, Json], minor: int) -> Iterator[str]:
    choices = [mapping(one) for one in listing(said.get("licenses"))]
    expressions = [one for one in choices if "expression" in one]
    if any("license" in one for one in expressions):
        yield "a licence is an expression or a licence, not both"
    elif expressions and len(choices) > 1 and minor < 7:
        yield "before 1.7 an expression stands alone"
    for choice in choices:
        if "license" not in choice:
            continue
        held = mapping(choice["license"])
        yield from _properties(held)
        known = text(held.get("id"), 128)
        if known is None and text(held.get("name")) is None:
            yield "a licence has an `id` or a `name`"
        if known is not None and not _listed(known):
            yield f"{known!r} is no SPDX licence"
        encoding = mapping(held.get("text")).get("encoding")
        if encoding is not None and encoding != "base64":
            yield "the text of a licence is encoded in base64"


@lru_cache(maxsize=4096)  # a bill names the same few again and again
def _listed(license_id: str) -> bool:
    """True of a licence, or an exception, of the SPDX list, spelt as it is there."""
    if _LICENSE.fullmatch(license_id) is None:
        return False
    for expression, prefix in ((license_id, ""), (f"MIT WITH {license_id}", "MIT WITH ")):
        try:
            if canonicalize_license_expression(expression) == f"{prefix}{license_id}":
                return True
        except InvalidLicenseExpression:
            continue
    return False
