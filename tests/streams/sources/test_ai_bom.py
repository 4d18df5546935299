import pytest

from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "ai_bom.json": [
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["image:sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "component.type": "secret",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
            "secret.name": "OPENAI_API_KEY",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["image:sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "component.type": "dependency",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
            "package.name": "ray",
            "package.version": "2.6.3",
        },
        {
            "is": "Vulnerability Finding: Create",
            "time": "2026-03-04T05:06:07.000000Z",
            "severity": "high",
            "of": ["image:sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "finding": "open | CVE-2026-0001 | None | CVE-2026-0001 in ray 2.6.3",
            "package.version": "2.6.3",
            "package.fixed_version": "2.8.1",
            "vulnerability.cvss": 8.8,
            "package.name": "ray",
            "scan.tool": "aibom",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "high",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "mcp_server:images.example/triage#letters",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                (
                    "image:sha256:0000000000000000000000000000000000000000000000000000000000000000 "
                    "uses mcp_server:images.example/triage#letters"
                )
            ],
            "component.type": "mcp_server",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
            "mcp.transport": "stdio",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "tool:images.example/triage/get_letter",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                (
                    "image:sha256:0000000000000000000000000000000000000000000000000000000000000000 "
                    "uses tool:images.example/triage/get_letter"
                )
            ],
            "component.type": "tool",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "agent:images.example/triage/Triage",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                (
                    "image:sha256:0000000000000000000000000000000000000000000000000000000000000000 "
                    "uses agent:images.example/triage/Triage"
                ),
                "agent:images.example/triage/Triage calls model:gpt-4o",
            ],
            "component.type": "agent",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "dataset:s3/letters/2026",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                (
                    "image:sha256:0000000000000000000000000000000000000000000000000000000000000000 "
                    "uses dataset:s3/letters/2026"
                )
            ],
            "component.type": "dataset",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "skill:letters",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                (
                    "image:sha256:0000000000000000000000000000000000000000000000000000000000000000 "
                    "uses skill:letters"
                )
            ],
            "component.type": "skill",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "model:huggingface/example/writer",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                (
                    "image:sha256:0000000000000000000000000000000000000000000000000000000000000000 "
                    "uses model:huggingface/example/writer"
                )
            ],
            "component.type": "model",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "datastore:images.example/triage/forms",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                (
                    "image:sha256:0000000000000000000000000000000000000000000000000000000000000000 "
                    "uses datastore:images.example/triage/forms"
                )
            ],
            "component.type": "vector_store",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["image:sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "component.type": "prompt",
            "component.detected": "code_analysis",
            "component.confidence": 0.8,
            "component.place": "app/a.py:3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "agent:images.example/triage/Triage",
                "tool:images.example/triage/get_letter",
                "image:sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            "edges": [
                ("agent:images.example/triage/Triage uses tool:images.example/triage/get_letter")
            ],
        },
        {
            "is": "Scan Activity: Completed",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["image:sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "scan.findings": 1,
            "scan.tool": "aibom",
        },
        {
            "is": "Scan Activity: Error",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "failure",
            "of": ["repo:git.example/o/r"],
            "scan.findings": 0,
            "scan.tool": "aibom",
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [("wrong-shape", "a source has a name")]
    assert rejected("ai_bom.bad.json") == said
