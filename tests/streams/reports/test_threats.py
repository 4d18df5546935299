from typing import Any

import pytest

from streams.reports.threats import Threat, found, named


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({"severity": "SAFE", "threat_names": ["X"], "total_findings": 1}, []),
        ({"severity": "HIGH", "threat_names": ["X"], "total_findings": 0}, []),
        ({"severity": "HIGH", "threat_names": ["X", 7]}, [("X", "X"), ("7", "7")]),
        ({"severity": "HIGH"}, [("llm", "unnamed threat")]),
        (
            {"severity": "HIGH", "mcp_taxonomies": [{"aitech": "AITech-1", "aisubtech_name": "N"}]},
            [("AITech-1", "N")],
        ),
        (
            {"severity": "HIGH", "threats": {"items": [{"technique_id": "AITech-2", "items": []}]}},
            [("AITech-2", "AITech-2")],
        ),
        ({"severity": []}, []),
    ],
)
def test_the_threats_of_an_analyzer(said: dict[str, Any], known: list[tuple[str, str]]) -> None:
    assert [(one.of, one.name) for one in named("llm", said)] == known


def test_a_dependency_is_a_vulnerability_by_its_cve() -> None:
    said = {"threat_summary": "Vulnerable dependency: ray==2.6.3 [PYSEC-2026-1] | Fix: 2.8.1"}
    threat = Threat("PYSEC-2026-1", "VULNERABLE DEPENDENCY", "HIGH")
    alone = found(threat, said, "vulnerable_package", None)
    assert (alone.sort, alone.of, alone.package) == ("vulnerability", "PYSEC-2026-1", "ray")
    said["threat_summary"] += " | Aliases: CVE-2026-0001"
    assert found(threat, said, "vulnerable_package", None).of == "CVE-2026-0001"
