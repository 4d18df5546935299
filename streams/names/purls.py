"""Package URLs: what a purl names, and the asset that it is where it is more than software."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qs, quote, unquote

from schemas.entity import Entity, image
from streams.names import models
from streams.records.untrusted import text
from streams.source import Json

_PURL: Final = re.compile(
    r"pkg:/{0,2}(?P<type>[A-Za-z0-9.+-]{1,32})/(?P<path>[^@?#]{1,384})(?:@(?P<version>[^?#]{1,256}))?"
    r"(?:\?(?P<more>[^#]{0,1024}))?"
)
_IMAGES: Final = frozenset({"docker", "oci"})
# What GitHub calls an ecosystem -> the type of purls.
_TYPES: Final = {
    "actions": "githubactions",
    "composer": "composer",
    "erlang": "hex",
    "go": "golang",
    "maven": "maven",
    "npm": "npm",
    "nuget": "nuget",
    "pip": "pypi",
    "pub": "pub",
    "rubygems": "gem",
    "rust": "cargo",
    "swift": "swift",
}
_SMALL: Final = frozenset({"composer", "githubactions", "npm"})  # types of small letters


class Package(NamedTuple):
    """Type, full name with its namespace, version, and what qualifies it."""

    type: str
    name: str
    version: str | None
    more: str


def package(purl: Json) -> Package | None:
    """The parts of a purl; None of what is none."""
    found = _PURL.match(text(purl, 2048) or "")
    if found is None:
        return None
    version = unquote(found["version"]) if found["version"] else None
    path = unquote(found["path"]).strip("/")
    return Package(found["type"].lower(), path, version, found["more"] or "") if path else None


def written(ecosystem: Json, name: str | None, version: str | None = None) -> str | None:
    """The purl of a package, of an ecosystem as GitHub names it; None of others."""
    kind = _TYPES.get((text(ecosystem, 32) or "").lower())
    if kind is None or name is None:
        return None
    path = name.replace(":", "/") if kind == "maven" else name
    path = python(path) if kind == "pypi" else path.lower() if kind in _SMALL else path
    return f"pkg:{kind}/{quote(path, safe='/')}" + (f"@{quote(version)}" if version else "")


def python(name: str) -> str:
    """A Python package by its normal name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asset(purl: Json) -> Entity | None:
    """The image, or the model, that a purl names; None of a package of software."""
    found = package(purl)
    if found is None:
        return None
    if found.type == "huggingface":
        return models.model(purl)
    if found.type not in _IMAGES:
        return None
    more = parse_qs(found.more)
    name = _repository(found, more.get("repository_url", [""])[0])
    if found.version and found.version.startswith("sha256:"):
        return image(f"{name}@{found.version}")
    tag = found.version or more.get("tag", [""])[0]
    return image(f"{name}:{tag}" if tag else name)


def _repository(found: Package, place: str) -> str:
    """Where an image lies: of type `oci` all of it, of type `docker` the registry alone."""
    place = place.removeprefix("https://").rstrip("/")
    if found.type == "oci":
        return place or found.name
    server = "." in found.name.partition("/")[0]  # `gcr.io/x/y`, though it should not
    return found.name if server else f"{place or 'docker.io'}/{found.name}"
