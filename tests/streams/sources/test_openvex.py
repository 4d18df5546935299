import pytest

from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "openvex.csaf.json": [
        {
            "is": "Vulnerability Finding: Create",
            "time": "2026-03-04T05:06:07.000000Z",
            "severity": "critical",
            "of": ["application:Reader 2"],
            "finding": "open | CVE-2026-0001 | None | CVE-2026-0001 in Reader 2: affected",
            "vulnerability.cvss": 9.8,
            "vex.author": "Example",
            "vulnerability.vex": "affected",
            "package.name": "Reader 2",
            "scan.tool": "vex",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "critical",
        },
        {
            "is": "Vulnerability Finding: Create",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["application:Reader 2"],
            "finding": "open | CVE-2026-0001 | pkg:pypi/writer@1 | CVE-2026-0001 in "
            "writer: affected",
            "package.version": "1",
            "package.purl": "pkg:pypi/writer@1",
            "vex.author": "Example",
            "vulnerability.vex": "affected",
            "package.name": "writer",
            "scan.tool": "vex",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "informational",
        },
        {
            "is": "Vulnerability Finding: Close",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["application:pypi/writer@1"],
            "finding": "resolved | CVE-2026-0001 | None | CVE-2026-0001 in writer: not affected",
            "package.version": "1",
            "package.purl": "pkg:pypi/writer@1",
            "vex.author": "Example",
            "vex.justification": "component_not_present",
            "vulnerability.vex": "not_affected",
            "package.name": "writer",
            "scan.tool": "vex",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "informational",
        },
    ],
    "openvex.json": [
        {
            "is": "Vulnerability Finding: Close",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["image:sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "finding": "resolved | CVE-2026-0001 | pkg:pypi/ray@2.6.3 | "
            "CVE-2026-0001 in ray: not affected",
            "package.version": "2.6.3",
            "package.purl": "pkg:pypi/ray@2.6.3",
            "vulnerability.aliases": ["GHSA-2222-3333-4444"],
            "vex.author": "Example",
            "vex.justification": "vulnerable_code_not_present",
            "vulnerability.vex": "not_affected",
            "package.name": "ray",
            "scan.tool": "vex",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "informational",
        },
        {
            "is": "Vulnerability Finding: Close",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["model:huggingface/example/writer"],
            "finding": "resolved | CVE-2026-0001 | None | CVE-2026-0001 in "
            "Example/Writer: not affected",
            "package.version": "0a1b",
            "package.purl": "pkg:huggingface/Example/Writer@0a1b",
            "vulnerability.aliases": ["GHSA-2222-3333-4444"],
            "vex.author": "Example",
            "vex.justification": "vulnerable_code_not_present",
            "vulnerability.vex": "not_affected",
            "package.name": "Example/Writer",
            "scan.tool": "vex",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "informational",
        },
        {
            "is": "Vulnerability Finding: Create",
            "time": "2026-03-05T00:00:00.000000Z",
            "of": ["application:pypi/ray@2.6.3"],
            "finding": "open | CVE-2026-0002 | None | CVE-2026-0002 in ray: affected",
            "package.version": "2.6.3",
            "package.purl": "pkg:pypi/ray@2.6.3",
            "vex.author": "Example",
            "vulnerability.vex": "affected",
            "package.name": "ray",
            "scan.tool": "vex",
            "vulnerability.id": "CVE-2026-0002",
            "vulnerability.severity": "informational",
        },
        {
            "is": "Vulnerability Finding: Create",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["application:apk/alpine/musl@1.1"],
            "finding": "open | CVE-2026-0003 | None | CVE-2026-0003 in alpine/musl: "
            "under investigation",
            "package.version": "1.1",
            "package.purl": "pkg:apk/alpine/musl@1.1?arch=x",
            "vex.author": "Example",
            "vulnerability.vex": "under_investigation",
            "package.name": "alpine/musl",
            "scan.tool": "vex",
            "vulnerability.id": "CVE-2026-0003",
            "vulnerability.severity": "informational",
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("wrong-shape", "a statement has products and a vulnerability"),
        ("wrong-shape", "a statement has a vulnerability and a known `status`"),
        ("wrong-shape", "a statement has a vulnerability and a known `status`"),
    ]
    assert rejected("openvex.bad.json") == said
