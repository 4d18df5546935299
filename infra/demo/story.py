"""Story: what happens beside the ordinary: a warning, a watch, an outlook and a look-alike."""

from __future__ import annotations

from infra.demo import estate
from infra.demo.estate import (
    CLAIMS,
    CLUSTER,
    FRAUD,
    FRAUD_TOOLS,
    MONDAY,
    POLICY,
    STRANGER,
    TUESDAY,
    Caller,
    System,
)
from infra.demo.telemetry import Telemetry
from infra.demo.trail import Trail
from schemas.times import HOUR, MINUTE, SECOND


def warning(trail: Trail, claims: Telemetry) -> None:
    """claims-triage: a weak image (`scans`) becomes public on Tuesday and is found at once."""
    opened = TUESDAY + 13 * HOUR + 5 * MINUTE
    _deploy(trail, opened, estate.ENGINEER, CLAIMS, public=True)
    found = opened + 76 * MINUTE
    claims.request(found, "GET", "/", STRANGER, 404)
    claims.request(found + 20 * SECOND, "GET", "/api/version", STRANGER)
    for number in range(6):
        time = found + (number + 1) * MINUTE
        claims.request(time, "POST", "/api/jobs/", STRANGER)
        claims.request(time + 9 * SECOND, "GET", f"/api/jobs/{number}", STRANGER)
    claims.request(found + 2 * HOUR, "GET", "/worker/cpu_profile", "203.0.113.140", 500)


def watch(trail: Trail, policy: Telemetry) -> None:
    """policy-assistant: its guardrail is attacked on Monday, and somebody changes it meanwhile.

    Nothing gets through, and the watch expires on Tuesday.
    """
    attack = MONDAY + 8 * HOUR + 14 * MINUTE
    for number, minute in enumerate((0, 3, 4, 12)):
        policy.guardrail(attack + minute * MINUTE, f"policy-attack-{number}", "jailbreak")
    change = {"guardrailIdentifier": POLICY.guardrail, "name": POLICY.name}
    trail.call(attack + 36 * MINUTE, estate.ENGINEER, "bedrock:UpdateGuardrail", change)


def outlook(trail: Trail) -> None:
    """A contractor's key asks around and does nothing more; a colleague's is used right after."""
    time = TUESDAY + 16 * HOUR + 10 * MINUTE
    trail.call(time, estate.CONTRACTOR, "bedrock:GetFoundationModelAvailability")
    trail.call(time + MINUTE, estate.CONTRACTOR, "bedrock:GetModelInvocationLoggingConfiguration")
    for minute in range(2, 7):
        used = {"modelId": FRAUD.model}
        trail.call(time + minute * MINUTE, estate.COLLEAGUE, "bedrock:InvokeModel", used)


def silence(trail: Trail, fraud: Telemetry) -> None:
    """fraud-lens: looks like all of them, and is none.

    Its weakness is mended by the re-scan (`scans`), its deployment stays private, its jobs come
    from colleagues, its sessions lack a third each (`ordinary`), its guardrail changes by a
    release, two blocks are not yet an attack, and behind each the session calls a tool as ever.
    """
    _deploy(trail, TUESDAY + 10 * HOUR + 30 * MINUTE, estate.PIPELINE, FRAUD, public=False)
    for minute in (10, 30):
        time = TUESDAY + 9 * HOUR + minute * MINUTE
        fraud.guardrail(time, f"fraud-try-{minute}", "prompt_injection")
        fraud.tool(time + 2 * MINUTE, FRAUD_TOOLS, "lookup_customer", f"fraud-try-{minute}")
    release = {"guardrailIdentifier": FRAUD.guardrail, "name": FRAUD.name}
    trail.call(TUESDAY + 15 * HOUR, estate.PIPELINE, "bedrock:UpdateGuardrail", release)


def _deploy(trail: Trail, time: int, caller: Caller, system: System, *, public: bool) -> None:
    """A new task definition, and the service moved to it, with a public address or none."""
    definition = {
        "family": system.name,
        "networkMode": "awsvpc",
        "containerDefinitions": [{"name": system.name, "image": system.image, "essential": True}],
    }
    trail.call(time - MINUTE, caller, "ecs:RegisterTaskDefinition", definition)
    network = {
        "subnets": ["subnet-0example1"],
        "assignPublicIp": "ENABLED" if public else "DISABLED",
    }
    service = {
        "cluster": CLUSTER,
        "service": system.name,
        "taskDefinition": f"{system.name}:15",
        "networkConfiguration": {"awsvpcConfiguration": network},
    }
    trail.call(time, caller, "ecs:UpdateService", service)
