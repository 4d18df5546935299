"""Event and Reject: what one record said, or why it could not be read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.entity import Entity
from schemas.times import Time, rfc3339

Level = Literal["informational", "low", "medium", "high", "critical"]
Status = Literal["success", "failure", "unknown"]
LEVELS: tuple[Level, ...] = ("informational", "low", "medium", "high", "critical")


class Record(BaseModel):
    """What all records share: frozen, and no field that the contract does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def body(self) -> dict[str, Any]:
        """The record as plain JSON values; what is unknown is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Client(Record):
    """Where a request came from. A masked or odd address is kept as text."""

    ip: str | None = None
    user_agent: str | None = None

    def body(self) -> dict[str, Any]:
        """As of every record; it holds nothing but texts."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


class Edge(Record):
    """One directed relation.

    `declared` edges come from a bill of materials or configuration, others were observed.
    `confidence` is how sure it is that these two hang together; absent where the record says so.
    """

    from_: Entity = Field(alias="from")
    relation: str
    to: Entity
    declared: bool = False
    state: Literal["open", "closed"] = "open"
    confidence: float | None = Field(default=None, ge=0, le=1)

    def body(self) -> dict[str, Any]:
        """As of every record, several times as quick."""
        held = self.__dict__  # asked once: pydantic makes each look at a field slower
        said: dict[str, Any] = {
            "from": held["from_"].body(),
            "relation": held["relation"],
            "to": held["to"].body(),
            "declared": held["declared"],
            "state": held["state"],
        }
        return said if held["confidence"] is None else said | {"confidence": held["confidence"]}


class ScanFinding(Record):
    """What a scanner says of the first entity of its Event; a resolved row closes it."""

    uid: str
    title: str
    state: Literal["open", "resolved"] = "open"
    check: str | None = None
    vulnerability: str | None = None
    package: str | None = None
    fixed_version: str | None = None
    location: str | None = None


class EventEvidence(Record):
    """The raw record: where it lay and the sha256 of its bytes."""

    origin: str
    sha256: str

    def body(self) -> dict[str, Any]:
        """As of every record; it holds nothing but texts."""
        return self.__dict__.copy()


class Event(Record):
    """One thing that a source saw, normalised: who did what to which things, when, how it ended.

    `entities[0]` is what the event is about (the asset of a finding, the target of a call).
    `attributes` hold normal-form names (`gen_ai.*`, `mcp.*`, `url.*`, OCSF paths) with JSON values.
    """

    uid: str
    time: Time
    source: str
    class_uid: int
    class_name: str
    activity: str
    status: Status = "unknown"
    severity: Level = "informational"
    message: str = ""
    actor: Entity | None = None
    client: Client | None = None
    entities: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    finding: ScanFinding | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    evidence: EventEvidence

    def body(self) -> dict[str, Any]:
        """As of every record, several times as quick; attributes as they are (`storable`)."""
        said = self.__dict__.copy()
        said["time"] = rfc3339(self.time)
        said["entities"] = [one.body() for one in self.entities]
        said["edges"] = [one.body() for one in self.edges]
        said["evidence"] = self.evidence.body()
        for name in ("actor", "client", "finding"):  # what may be unknown
            if said[name] is None:
                del said[name]
            else:
                said[name] = said[name].body()
        return said


class Reject(Record):
    """A record that could not be parsed. `reason` is a short fixed word, `detail` a sentence."""

    origin: str
    sha256: str
    source: str
    reason: str
    detail: str
    size: int


class Late(Record):
    """A parsed record behind its input's watermark: matched by detections, in no window."""

    origin: str
    source: str
    time: Time
    watermark: Time
