from typing import Any

import orjson
import pytest

from streams.sources import pip_audit
from tests.streams.sources.reports import found, refused, short, told

RAY: dict[str, Any] = {
    "name": "ray",
    "version": "2.6.3",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.8.1"], "aliases": ["CVE-2026-0001"]}],
}
SKIPPED = {"name": "local", "skip_reason": "not on PyPI"}


@pytest.mark.parametrize("document", [[RAY, SKIPPED], {"dependencies": [RAY, SKIPPED]}])
def test_a_vulnerable_package(document: object) -> None:
    (event,) = told(pip_audit, orjson.dumps(document))
    assert short(event) == ("CVE-2026-0001", "open", "medium", "repo:unnamed")
    assert (found(event).package, found(event).fixed_version) == ("ray", "2.8.1")
    assert event.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.aliases": ["PYSEC-2026-1"],
        "vulnerability.severity": "medium",
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.ecosystem": "PyPI",
        "package.fixed_version": "2.8.1",
        "scan.tool": "pip_audit",
        "time.unknown": True,
    }


@pytest.mark.parametrize("document", [b"[]", b'{"dependencies": []}'])
def test_nothing_found(document: bytes) -> None:
    assert told(pip_audit, document) == []


@pytest.mark.parametrize("document", [b"{}", b"[7]", b'[{"name": "a", "vulns": [{}]}]'])
def test_what_is_no_report(document: bytes) -> None:
    assert refused(pip_audit, document)[0] == "wrong-shape"
