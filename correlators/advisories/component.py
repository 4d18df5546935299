"""Component: a piece of software by name and version, in the ecosystem that its purl says."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

LONGEST: Final = 512
_DASHES: Final = re.compile(r"[-_.\s]+")
# purl type -> ecosystem as `base` of what OSV names it
_ECOSYSTEMS: Final = {
    "pypi": "PyPI",
    "npm": "npm",
    "golang": "Go",
    "maven": "Maven",
    "cargo": "crates",
    "nuget": "NuGet",
    "gem": "RubyGems",
    "composer": "Packagist",
    "hex": "Hex",
    "pub": "Pub",
    "swift": "SwiftURL",
    "githubactions": "GitHub Actions",
}
# A distribution numbers its packages in its own way, with patches of its own: they are looked for
# in advisories of that distribution alone, of which Debian's can be judged.
_DISTRIBUTIONS: Final = frozenset({"alpm", "apk", "deb", "ebuild", "rpm"})
_DEBIAN: Final = "Debian"
_RELEASE: Final = re.compile(r"(?:debian-)?(\d{1,3})(?:\.\d{1,3}){0,2}", re.ASCII)
_CODENAMES: Final = {
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "forky": "14",
}


class Component(NamedTuple):
    """What is looked for in a feed. `places`: ecosystem and name, as `normal` writes them."""

    name: str
    version: str
    places: tuple[tuple[str, str], ...]
    ecosystem: str | None


def normal(ecosystem: str, name: str) -> str:
    """The one way to write a name of an ecosystem."""
    if ecosystem in {"PyPI", ""}:
        return _DASHES.sub("-", name.strip()).lower()
    return name.strip().lower() if ecosystem in {"npm", "NuGet", "Packagist"} else name.strip()


def base(ecosystem: str) -> str:
    """The ecosystem without its release, `Debian` of `Debian:12`, and Rust's without its domain."""
    return ecosystem.partition(":")[0].removesuffix(".io")


def scoped(ecosystem: str) -> str:
    """The ecosystem that advisories are kept under: a release of Debian has its own."""
    known = base(ecosystem)
    release = ecosystem.partition(":")[2].partition(":")[0].strip()
    return f"{known}:{release}" if known == _DEBIAN and release else known


def component(name: str, version: str, purl: str | None = None) -> Component | None:
    """The component of a record; None where a distribution made it, or it has no version.

    A package of Debian goes by its source, and by the release that its purl names. Without a purl
    its ecosystem is unknown, and only products are looked for. A purl may say the version where the
    record does not.
    """
    kind, names, written = _purl(purl or "")
    version = version.strip() or written
    if not version or not name.strip():
        return None
    if kind == "deb" and names[:1] == ["debian"] and len(names) > 1:
        return _debian(names[-1], version, purl or "")
    if kind in _DISTRIBUTIONS:
        return None
    ecosystem = _ECOSYSTEMS.get(kind)
    if not names:
        return Component(name, version, (("", normal("", name)),), None)
    full = ":".join(names) if ecosystem == "Maven" else "/".join(names)
    products = dict.fromkeys(normal("", one) for one in (name, names[-1]))
    places = [("", one) for one in products]
    if ecosystem is not None:
        places.insert(0, (ecosystem, normal(ecosystem, full)))
    return Component(name, version, tuple(places), ecosystem)


def named(purl: str) -> tuple[str, str] | None:
    """Ecosystem and name of a purl, as an advisory gives it; None of other kinds."""
    kind, names, _ = _purl(purl)
    if kind == "deb" and names[:1] == ["debian"] and len(names) > 1:
        return _place(_told(purl)), names[-1]
    ecosystem = _ECOSYSTEMS.get(kind)
    if ecosystem is None or not names:
        return None
    full = ":".join(names) if ecosystem == "Maven" else "/".join(names)
    return ecosystem, normal(ecosystem, full)


def _debian(name: str, version: str, purl: str) -> Component:
    """Advisories name the source that a package was built from, and its version."""
    said = _told(purl)
    source, _, built = said.get("upstream", "").partition("@")
    if not built and "epoch" in said and ":" not in version:
        version = f"{said['epoch']}:{version}"
    places = dict.fromkeys((place, source or name) for place in (_place(said), _DEBIAN))
    return Component(name, built or version, tuple(places), _DEBIAN)


def _place(said: dict[str, str]) -> str:
    distro = said.get("distro", "").lower()
    found = _RELEASE.fullmatch(distro)
    release = found[1] if found else _CODENAMES.get(distro.removeprefix("debian-"))
    return f"{_DEBIAN}:{release}" if release else _DEBIAN


def _told(purl: str) -> dict[str, str]:
    """The qualifiers of a purl, the first of a name."""
    more = purl[:LONGEST].partition("#")[0].partition("?")[2]
    pairs = (one.partition("=") for one in reversed(more.split("&")))
    return {key.lower(): unquote(value).strip() for key, _, value in pairs if value}


def _purl(purl: str) -> tuple[str, list[str], str]:
    """Type, the namespace's parts with the name, and the version, "" of none."""
    head, _, inside = purl[:LONGEST].partition("#")
    head = head.partition("?")[0]
    if not head.lower().startswith("pkg:"):
        return "", [], ""
    kind, _, path = head[4:].lstrip("/").partition("/")
    last = path.rfind("/")
    at = path.find("@", max(last, 0) + 1)  # a scope begins with an `@`, written out or not
    parts = (path if at < 0 else path[:at]).split("/")
    if kind.lower() == "golang":  # Syft writes the module `host/a/b/v2` as `host/a/b#v2`
        parts += inside.split("/")
    version = "" if at < 0 else unquote(path[at + 1 :])
    return kind.lower(), [unquote(part) for part in parts if part], version
