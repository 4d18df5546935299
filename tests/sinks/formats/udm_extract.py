"""The part of UDM that an alert uses, as strict models, after its reference."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Metadata(Strict):
    eventTimestamp: Annotated[datetime, Field(strict=False)]  # noqa: N815 - names of UDM
    eventType: Literal["GENERIC_EVENT"]  # noqa: N815
    vendorName: Text  # noqa: N815
    productName: Text  # noqa: N815
    productVersion: Text  # noqa: N815
    productEventType: Text  # noqa: N815
    productLogId: Text  # noqa: N815
    description: str


class User(Strict):
    userid: Text
    userDisplayName: Text | None = None  # noqa: N815
    emailAddresses: list[Text] = []  # noqa: N815


class Resource(Strict):
    name: Text
    productObjectId: Text  # noqa: N815
    resourceSubtype: Text  # noqa: N815


class Noun(Strict):
    application: Text | None = None
    user: User | None = None
    resource: Resource | None = None


class Label(Strict):
    key: Text
    value: str


class Tactic(Strict):
    id: Text
    name: Text


class Technique(Tactic):
    subtechniqueId: Text | None = None  # noqa: N815
    subtechniqueName: Text | None = None  # noqa: N815


class AttackDetails(Strict):
    version: Text | None = None
    tactics: list[Tactic] = []
    techniques: list[Technique] = Field(min_length=1)


class SecurityResult(Strict):
    ruleId: str  # noqa: N815
    ruleName: str  # noqa: N815
    summary: str
    description: str
    categoryDetails: list[str]  # noqa: N815
    severity: Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
    severityDetails: Text  # noqa: N815
    priority: Literal["LOW_PRIORITY", "MEDIUM_PRIORITY", "HIGH_PRIORITY"]
    confidence: Literal["LOW_CONFIDENCE", "MEDIUM_CONFIDENCE", "HIGH_CONFIDENCE"]
    confidenceScore: Annotated[float, Field(ge=0, le=100)]  # noqa: N815
    riskScore: float  # noqa: N815
    alertState: Literal["ALERTING", "NOT_ALERTING"]  # noqa: N815
    detectionFields: list[Label]  # noqa: N815
    actionDetails: str | None = None  # noqa: N815
    attackDetails: AttackDetails | None = None  # noqa: N815


class Udm(Strict):
    metadata: Metadata
    principal: Noun | None = None
    target: Noun
    about: list[Noun] = []
    securityResult: list[SecurityResult] = Field(min_length=1)  # noqa: N815
    additional: dict[str, Any] = {}
