"""What a source makes of an example, as short as it can be written out."""

from pathlib import Path
from typing import Any

from schemas.config import Limits
from schemas.event import Event, Reject
from schemas.times import rfc3339
from streams.reading import outcomes
from streams.source import named

EXAMPLES = Path(__file__).parent / "examples"


def read(name: str) -> list[Event]:
    """The Events of `examples/<name>`, of which no record is rejected."""
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), _source(name))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one.event for one in found if not isinstance(one, Reject)]


def rejected(name: str) -> list[tuple[str, str]]:
    """Reason and detail of every record of `examples/<name>`."""
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), _source(name))]
    return [(one.reason, one.detail) for one in found if isinstance(one, Reject)]


def shown(event: Event) -> dict[str, Any]:
    """What it says, without uid, message and evidence; what is as usual is absent.

    Of a manifest's hash the first 12 digits.
    """
    told: dict[str, Any] = {
        "is": f"{event.class_name}: {event.activity}",
        "time": rfc3339(event.time) if event.time else None,
        "severity": event.severity,
        "status": event.status,
        "of": [one.key for one in event.entities],
        "edges": [f"{one.from_.key} {one.relation} {one.to.key}" for one in event.edges],
        "finding": event.finding
        and " | ".join(
            str(part)
            for part in (
                event.finding.state,
                event.finding.check or event.finding.vulnerability,
                event.finding.location,
                event.finding.title,
            )
        ),
        **event.attributes,
    }
    if "mcp.manifest.sha256" in told:
        told["mcp.manifest.sha256"] = told["mcp.manifest.sha256"][:12]
    usual = {"severity": "informational", "status": "unknown", "time.unknown": True}
    return {
        name: value
        for name, value in told.items()
        if value not in (None, []) and usual.get(name) != value
    }


def _source(name: str) -> Any:  # noqa: ANN401 - a module
    return named(name.partition(".")[0])
