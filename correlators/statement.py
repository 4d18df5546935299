"""Statement: an answer as the record that is stored, handed out and hashed."""

from collections.abc import Sequence
from typing import Any, Final

from correlators.judging import SHOWN, Judged
from correlators.known import Reference
from correlators.rating import Rated
from schemas.canonical import body_sha256
from schemas.framework import Criterion
from schemas.times import rfc3339

EVENTS: Final = 200  # of the evidence of one answer


def of_criterion(criterion: Criterion, judged: Judged, time: int) -> dict[str, Any]:
    """`time` is when it was assessed, in event time. Long lists are cut, and counted."""
    return _hashed(
        {
            "id": f"{criterion.id}/{judged.scope}",
            "criterion": criterion.id,
            "scope": judged.scope,
            "title": criterion.title,
            "rationale": criterion.rationale,
            "status": judged.status,
            "assessed_at": rfc3339(time),
            "fresh_until": None if judged.fresh_until is None else rfc3339(judged.fresh_until),
            "severity": judged.severity,
            "count": judged.total,
            "against": [_reference(one) for one in judged.against],
            "heard": [_reference(one) for one in judged.heard],
            **_missing(judged.missing),
            "evidence": _evidence((*judged.against, *judged.heard)),
        }
    )


def of_control(rated: Rated, time: int) -> dict[str, Any]:
    """The evidence of its criteria stands with these; here is that of alerts with its tag."""
    framework, control = rated.framework, rated.control
    return _hashed(
        {
            "id": f"{framework.id}/{control.ref}/{rated.scope}",
            "framework": framework.id,
            "framework_title": framework.title,
            "framework_version": framework.version,
            "control": control.ref,
            "title": control.title,
            "url": control.url or framework.url,
            "applies_from": control.applies_from and control.applies_from.isoformat(),
            "scope": rated.scope,
            "status": rated.status,
            "assessed_at": rfc3339(time),
            "fresh_until": None if rated.fresh_until is None else rfc3339(rated.fresh_until),
            "severity": rated.severity,
            "count": rated.total,
            "reason": rated.reason,
            "rationale": control.rationale,
            "criteria": [
                {"criterion": one.criterion, "scope": one.scope, "status": one.status}
                for one in rated.judged
            ],
            "alerts": [_reference(one) for one in rated.alerts],
            **_missing(rated.missing),
            "evidence": _evidence(rated.alerts),
        }
    )


def _hashed(said: dict[str, Any]) -> dict[str, Any]:
    body = {name: value for name, value in said.items() if value not in (None, [], ())}
    return body | {"body_sha256": body_sha256(body)}


def _missing(texts: Sequence[str]) -> dict[str, Any]:
    more = {"missing_count": len(texts)} if len(texts) > SHOWN else {}
    return {"missing": list(texts[:SHOWN]), **more}


def _reference(one: Reference) -> dict[str, Any]:
    said = {"what": one.what, "id": one.id, "text": one.text, "time": rfc3339(one.time)}
    events = [event for event, _ in one.evidence]
    return (
        said
        | ({"entity": one.entity} if one.entity else {})
        | ({"events": events} if events else {})
    )


def _evidence(shown: Sequence[Reference]) -> list[dict[str, str]]:
    cited = dict.fromkeys(pair for one in shown for pair in one.evidence)
    return [{"event": event, "sha256": sha256} for event, sha256 in list(cited)[:EVENTS]]
