"""Boms: what each system is made of, as CycloneDX bills of materials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.demo.estate import COMPANY, MONDAY, System, fingerprint
from schemas.times import HOUR, rfc3339

JsonObject = dict[str, Any]
LIBRARIES = {
    "claims-triage": (("fastapi", "0.115.6"), ("ray", "2.6.3"), ("torch", "2.5.1")),
    "fraud-lens": (("networkx", "3.4.2"), ("ray", "2.8.1")),
    "policy-assistant": (("boto3", "1.38.0"), ("mcp", "1.12.0")),
}


def bom(system: System) -> JsonObject:
    """The bill of one system, written when it was released on Sunday evening."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_uuid(system.name)}",
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(MONDAY - 2 * HOUR),
            "component": {
                "type": "application",
                "bom-ref": system.name,
                "name": system.name,
                "version": system.tag,
                "description": system.purpose,
                "supplier": {"name": COMPANY},
                "properties": _properties(exposure=system.exposure, criticality="high"),
            },
        },
        "components": list(_components(system)),
        "services": list(_services(system)),
        "dependencies": [{"ref": "workload", "dependsOn": ["image"]}],
    }


def _components(system: System) -> Iterator[JsonObject]:
    yield {
        "type": "machine-learning-model",
        "bom-ref": "foundation-model",
        "name": system.model,
        "properties": _properties(kind="model", id=system.model),
    }
    if system.name == "claims-triage":
        yield {
            "type": "machine-learning-model",
            "bom-ref": "own-model",
            "name": "claims-severity",
            "version": "14",
            "hashes": [{"alg": "SHA-256", "content": fingerprint("model", "claims-severity", 14)}],
            "modelCard": {
                "modelParameters": {"task": "regression", "datasets": [{"ref": "training-data"}]}
            },
        }
        yield {
            "type": "data",
            "bom-ref": "training-data",
            "name": "claims-history-2025",
            "data": [{"type": "dataset", "classification": "personal"}],
        }
    yield {
        "type": "container",
        "bom-ref": "image",
        "name": system.repository,
        "version": system.tag,
        "properties": _properties(kind="image", id=system.image_id),
    }
    for name, version in LIBRARIES[system.name]:
        purl = f"pkg:pypi/{name}@{version}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _services(system: System) -> Iterator[JsonObject]:
    yield _service("workload", "workload", system.workload)
    yield _service("store", "datastore", system.store, *system.labels)
    if system.knowledge:
        yield _service("knowledge", "datastore", system.knowledge, "internal")
    if system.guardrail:
        yield _service("guardrail", "guardrail", system.guardrail)
    if system.servers:
        yield _service("agent", "agent", system.name)
    for server in system.servers:
        yield _service(server.host, "mcp_server", server.id)


def _service(ref: str, kind: str, id_: str, *labels: str) -> JsonObject:
    said = {"kind": kind, "id": id_} | ({"data": ",".join(labels)} if labels else {})
    return {"bom-ref": ref, "name": id_, "properties": _properties(**said)}


def _properties(**said: str) -> list[JsonObject]:
    return [{"name": f"barograph:{name}", "value": value} for name, value in said.items()]


def _uuid(*parts: object) -> str:
    h = fingerprint("bom", *parts, length=32)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:]}"
