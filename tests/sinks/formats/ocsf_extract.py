"""The part of OCSF 1.8 that an alert uses, as strict models: what always can be checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Millis = Annotated[int, Field(ge=0, lt=2**63)]
Text = Annotated[str, Field(min_length=1)]
Score = Annotated[int, Field(ge=0, le=100)]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Product(Strict):
    name: Text
    uid: Text
    vendor_name: Text
    version: Text


class Metadata(Strict):
    correlation_uid: Text
    event_code: Text
    is_truncated: bool = False
    labels: list[Text]
    log_name: Text
    log_provider: Text
    log_version: Text
    logged_time: Millis
    original_event_uid: Text
    original_time: Text
    product: Product
    sequence: int = Field(ge=1)
    uid: Text
    version: Literal["1.8.0"]


class Named(Strict):
    name: Text
    uid: Text


class Attack(Strict):
    technique: Named
    sub_technique: Named | None = None
    tactic: Named | None = None
    version: Text | None = None


class Edge(Strict):
    data: dict[str, Any]
    is_directed: Literal[True]
    name: str
    relation: str
    source: Text
    target: Text
    uid: Text


class Node(Strict):
    name: str
    type: str
    uid: Text


class Graph(Strict):
    edges: list[Edge]
    is_directed: Literal[True]
    name: Text
    nodes: list[Node] = Field(min_length=1)


class Analytic(Strict):
    category: Text
    name: str
    type: Literal["Rule"]
    type_id: Literal[1]
    uid: str


class RelatedEvent(Strict):
    desc: str
    first_seen_time: Millis
    uid: Text


class Values(Strict):
    name: str
    values: list[str]


class Trait(Values):
    category: Literal["Score"]


class FindingInfo(Strict):
    analytic: Analytic
    attack_graph: Graph | None = None
    attacks: list[Attack] = []
    created_time: Millis
    desc: str
    first_seen_time: Millis
    last_seen_time: Millis
    modified_time: Millis
    related_events: list[RelatedEvent] = []
    related_events_count: int = Field(ge=0)
    tags: list[Values] = []
    title: str
    traits: list[Trait] = []
    types: list[Text]
    uid: Text


class Evidence(Strict):
    data: dict[str, Any]  # one of the attributes of which OCSF asks at least one
    uid: Text


class Observable(Strict):
    name: Text
    type: Literal["Resource UID"]
    type_id: Literal[10]
    value: Text


class Resource(Strict):
    name: Text
    role: Literal["Target", "Actor", "Related"]
    role_id: Literal[1, 2, 4]
    type: Text
    uid: Text


class Remediation(Strict):
    desc: Text
    references: list[Text] = []


class DetectionFinding(Strict):
    activity_id: Literal[1, 2, 3]
    activity_name: Literal["Create", "Update", "Close"]
    category_name: Literal["Findings"]
    category_uid: Literal[2]
    class_name: Literal["Detection Finding"]
    class_uid: Literal[2004]
    confidence: Literal["Low", "Medium", "High"]
    confidence_id: Literal[1, 2, 3]
    confidence_score: Score
    end_time: Millis
    evidences: list[Evidence] = []
    finding_info: FindingInfo
    is_alert: bool
    message: str
    metadata: Metadata
    observables: list[Observable] = []
    remediation: Remediation | None = None
    resources: list[Resource] = []
    risk_details: str
    risk_level: Literal["Info", "Low", "Medium", "High", "Critical"]
    risk_level_id: Literal[0, 1, 2, 3, 4]
    risk_score: Score
    severity: Literal["Informational", "Low", "Medium", "High", "Critical"]
    severity_id: Literal[1, 2, 3, 4, 5]
    start_time: Millis
    status: Literal["New", "Suppressed", "Resolved", "Archived"]
    status_detail: Text
    status_id: Literal[1, 3, 4, 5]
    time: Millis
    type_name: Text
    type_uid: Literal[200401, 200402, 200403]
    unmapped: dict[str, Any]
