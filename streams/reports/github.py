"""GitHub: whose an alert is, and the alerts in an answer of GraphQL, under the names of REST."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.entity import Entity
from streams.names.artifacts import UNNAMED, repository
from streams.records.untrusted import listing, mapping, slices, text
from streams.source import Json, Raw, Unreadable

MARK: Final = b'"vulnerabilityAlerts"'  # what is asked for is called so in the answer

_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# The page of an alert, or its address in the API; of one's own server it lies below /api/v3.
_PAGE: Final = re.compile(r"(https?://[^/\s]{1,256}/[^/\s]{1,128}/[^/\s]{1,128})(?:/security/.*)?")
_API: Final = re.compile(
    r"https?://(?:api\.(?P<cloud>[^/\s]{1,256})|(?P<own>[^/\s]{1,256})/api/v3)"
    r"/repos/(?P<name>[^/\s]{1,128}/[^/\s]{1,128})(?:/.*)?"
)
# The way from an answer to its repositories.
_STEPS: Final = (
    *("data", "enterprise", "organization", "organizations", "user", "viewer"),
    *("search", "repository", "repositories", "nodes", "edges", "node"),
)
_NESTED: Final = 12
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Place(msgspec.Struct, rename="camel"):
    name: Json = None
    name_with_owner: Json = None
    url: Json = None


class _Edge(msgspec.Struct):
    node: msgspec.Raw


class _Alerts(msgspec.Struct):
    nodes: list[msgspec.Raw] | None = None
    edges: list[_Edge] | None = None


_PLACE: Final = msgspec.json.Decoder(_Place)
_ALERTS: Final = msgspec.json.Decoder(_Alerts)


def asset(alert: dict[str, Json], payload: dict[str, Json]) -> Entity:
    """The repository that a list of several, or a webhook, names; else that of the addresses."""
    for told in (mapping(alert.get("repository")), mapping(payload.get("repository"))):
        found = _placed(told.get("html_url")) or _called(told.get("full_name"))
        if found is not None:
            return found
    return _placed(alert.get("html_url")) or _placed(alert.get("url")) or UNNAMED


def answered(document: bytes) -> list[Raw]:
    """The alerts of all repositories in an answer; context is the repository.

    Raises Unreadable where no repository has any said of it.
    """
    found: list[Raw] = []
    asked = False
    above = [document.strip()]
    for _ in range(_NESTED):
        below: list[bytes] = []
        for one in above:
            if one[:1] == b"[":
                below += [bytes(part) for part in slices(one, _LIST)]
            elif one[:1] == b"{":
                held = slices(one, _OBJECT)
                if "vulnerabilityAlerts" in held:
                    asked = True
                    found += _alerts(one, bytes(held["vulnerabilityAlerts"]))
                below += [bytes(held[key]) for key in _STEPS if key in held]
        above = below
    if not asked:
        raise Unreadable("wrong-shape", "an answer has repositories with `vulnerabilityAlerts`")
    return found


def renamed(value: Json) -> Json:
    """What GraphQL answers, under the names that REST has for the same; as deep as a record is."""
    if isinstance(value, dict):
        return {_CAPITAL.sub("_", key).lower(): renamed(one) for key, one in mapping(value).items()}
    return [renamed(one) for one in listing(value)] if isinstance(value, list) else value


def _alerts(place: bytes, alerts: bytes) -> Iterator[Raw]:
    told = slices(place, _PLACE)
    named = _called(told.name_with_owner) or repository(told.name)
    where = _placed(told.url) or named or UNNAMED
    given = slices(alerts, _ALERTS)
    for one in given.nodes or [edge.node for edge in given.edges or ()]:
        yield Raw(bytes(one), where)


def _placed(address: Json) -> Entity | None:
    """The repository of a page, or of an address of the API."""
    url = text(address, 1024) or ""
    api, page = _API.fullmatch(url), _PAGE.fullmatch(url)
    if api is not None:
        return repository(f"https://{api['cloud'] or api['own']}/{api['name']}")
    return repository(page[1]) if page else None


def _called(name: Json) -> Entity | None:
    known = text(name, 256)
    return repository(f"https://github.com/{known}") if known else None
