"""OCSF: what its objects say of who, what and where, the same in every class and version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.entity import Entity, principal
from schemas.event import Client, Level, Status
from streams.names import aws, models, resources
from streams.names.artifacts import container, workload
from streams.records.untrusted import entity, listing, mapping, text
from streams.source import Json, Unreadable

# The classes of 1.1 to 1.9 by their number; records may say the name in other ways, or not at all.
CLASSES: Final = {
    1001: "File System Activity",
    1004: "Memory Activity",
    1005: "Module Activity",
    1006: "Scheduled Job Activity",
    1007: "Process Activity",
    1008: "Event Log Activity",
    1009: "Script Activity",
    2001: "Security Finding",
    2002: "Vulnerability Finding",
    2003: "Compliance Finding",
    2004: "Detection Finding",
    2005: "Incident Finding",
    2006: "Data Security Finding",
    2007: "Application Security Posture Finding",
    2008: "IAM Analysis Finding",
    3001: "Account Change",
    3002: "Authentication",
    3003: "Authorize Session",
    3004: "Entity Management",
    3005: "User Access Management",
    3006: "Group Management",
    4001: "Network Activity",
    4002: "HTTP Activity",
    4003: "DNS Activity",
    4005: "RDP Activity",
    4006: "SMB Activity",
    4007: "SSH Activity",
    4009: "Email Activity",
    4010: "Network File Activity",
    4013: "NTP Activity",
    4014: "Tunnel Activity",
    5001: "Device Inventory Info",
    5002: "Device Config State",
    5003: "User Inventory Info",
    5019: "Device Config State Change",
    5020: "Software Inventory Info",
    5023: "Cloud Resources Inventory Info",
    6001: "Web Resources Activity",
    6002: "Application Lifecycle",
    6003: "API Activity",
    6004: "Web Resource Access Activity",
    6005: "Datastore Activity",
    6006: "File Hosting Activity",
    6007: "Scan Activity",
    6008: "Application Error",
    7001: "Remediation Activity",
}
# What number 1, 2 and so on of a class means, where a record does not say it in words.
_ACTIVITIES: Final = {
    1007: ("Launch", "Terminate", "Open", "Inject", "Set User ID"),
    3002: ("Logon", "Logoff"),
    4001: ("Open", "Close", "Reset", "Fail", "Refuse", "Traffic"),
    4002: ("Connect", "Delete", "Get", "Head", "Options", "Post", "Put", "Trace", "Patch"),
    5020: ("Log", "Collect"),
    5023: ("Log", "Collect"),
    6003: ("Create", "Read", "Update", "Delete"),
    6005: ("Read", "Update", "Connect", "Query", "Write", "Create", "Delete"),
}
_LEVELS: Final[dict[int, Level]] = {2: "low", 3: "medium", 4: "high", 5: "critical", 6: "critical"}
_STATUSES: Final[dict[int, Status]] = {1: "success", 2: "failure"}
_WORDS: Final[dict[str, Status]] = {"success": "success", "failure": "failure"}


def numbered(value: Json) -> int:
    """The number of an enumeration, also where a tool writes it as text; 0 where it says none."""
    known = text(value, 16) or ""
    return int(known) if known.isascii() and known.isdecimal() else 0


def class_of(said: dict[str, Json]) -> tuple[int, str]:
    """Number and name of the class of a record. Raises Unreadable."""
    uid = numbered(said.get("class_uid"))
    if not 1000 <= uid < 1_000_000:
        raise Unreadable("wrong-shape", "a record has a class_uid")
    return uid, CLASSES.get(uid) or text(said.get("class_name"), 64) or f"Class {uid}"


def activity(class_uid: int, said: dict[str, Json]) -> str:
    """What was done, by its number."""
    number, words = numbered(said.get("activity_id")), _ACTIVITIES.get(class_uid, ())
    return words[number - 1] if 0 < number <= len(words) else "Other" if number else "Unknown"


def severity(said: dict[str, Json]) -> Level:
    """The severity of a record."""
    return _LEVELS.get(numbered(said.get("severity_id")), "informational")


def status(said: dict[str, Json]) -> Status:
    """How an activity ended: by number, else in a word."""
    known = _STATUSES.get(numbered(said.get("status_id")))
    return known or _WORDS.get((text(said.get("status"), 32) or "").lower(), "unknown")


def product(said: dict[str, Json]) -> str:
    """The tool that wrote a record, in small letters."""
    told = mapping(mapping(said.get("metadata")).get("product"))
    return (text(told.get("name"), 128) or text(told.get("vendor_name"), 128) or "ocsf").lower()


def person(user: Json) -> Entity | None:
    """A user: by ARN, else by address, else by id, else by name."""
    said = mapping(user)
    uid, name = text(said.get("uid"), 512), text(said.get("name"), 256)
    for one in (uid, text(said.get("uuid"), 512)):  # the latter before 1.0
        if one and one.startswith("arn:"):
            return principal(one)
    if name and name.startswith("system:"):  # Kubernetes, which gives service accounts numbers
        return entity("principal", name)
    known = text(said.get("email_addr"), 256) or uid or name
    return entity("principal", known.lower(), name if name != known else None) if known else None


def actor(said: dict[str, Json]) -> tuple[Entity | None, Entity | None]:
    """Who did it, and the key that was used."""
    told = mapping(said.get("actor"))
    who = person(told.get("user"))
    if who is None:
        who = entity("application", told.get("app_uid") or told.get("app_name"))
    given = (mapping(told.get(key)).get("credential_uid") for key in ("user", "session"))
    return who, next((key for one in given if (key := entity("apikey", one))), None)


def client(said: dict[str, Json]) -> Client | None:
    """Where the request came from."""
    ip = text(mapping(said.get("src_endpoint")).get("ip"), 64)
    agent = text(mapping(said.get("http_request")).get("user_agent"), 512)
    return Client(ip=ip, user_agent=agent) if ip or agent else None


def about(said: dict[str, Json]) -> Iterator[Entity | None]:
    """The things that a record is about, the most telling first."""
    model = mapping(said.get("ai_model"))
    yield aws.model(model.get("uid")) or models.released(model.get("name"), model.get("version"))
    agent = mapping(said.get("ai_agent"))
    yield entity("agent", agent.get("uid") or agent.get("name"), agent.get("name"))
    for one in [*listing(said.get("resources"))[:64], said.get("resource"), said.get("databucket")]:
        yield resource(mapping(one))
    image = mapping(mapping(said.get("container")).get("image"))
    yield _image(image)
    device = mapping(said.get("device"))
    host = text(device.get("hostname"), 253) or text(device.get("uid"), 253)
    near = mapping(said.get("src_endpoint")).get("instance_uid")
    yield entity("host", host.lower() if host else near)


def account(said: dict[str, Json]) -> Entity | None:
    """The account in which it happened."""
    user = mapping(mapping(said.get("actor")).get("user"))
    first = mapping(next(iter(listing(said.get("resources"))), None))  # so 1.0 has it
    places = (mapping(said.get("cloud")), user, first)
    found = (mapping(one.get("account")).get("uid") or one.get("account_uid") for one in places)
    return entity("account", next(filter(None, found), None))


def resource(said: dict[str, Json]) -> Entity | None:
    """The asset behind a resource."""
    uid = text(said.get("uid"), 512)
    kind = (text(said.get("type"), 128) or "").lower().removesuffix("s")
    found = resources.asset(uid) or resources.asset(said.get("name"))
    if found is not None or (uid is None and text(said.get("name")) is None):
        return found
    name = said.get("name") or uid
    if "image" in kind:
        return container(name, digests=[uid])
    if kind in {"deployment", "daemonset", "pod", "replicaset", "statefulset"}:
        return workload(said.get("namespace"), said.get("type"), name)
    return None


def techniques(said: dict[str, Json]) -> list[str]:
    """The techniques of ATT&CK and ATLAS that a record names, old and new way."""
    info = mapping(said.get("finding_info"))
    attacks = [*listing(said.get("attacks")), *listing(info.get("attacks"))]
    told = [mapping(one) for one in attacks[:64]]
    found = [
        text(mapping(one.get(key)).get("uid"), 32)
        for one in told
        for key in ("sub_technique", "technique")
    ]
    return list(dict.fromkeys(one for one in found if one))


def _image(said: dict[str, Json]) -> Entity | None:
    name, tag = text(said.get("name"), 256), text(said.get("tag"), 128)
    return container(f"{name}:{tag}" if name and tag else name, digests=[said.get("uid")])
