"""Five scanners look at one image: they name one weakness of one thing."""

from pathlib import Path

import pytest

from schemas.config import Limits
from schemas.event import Reject
from streams.reading import outcomes

EXAMPLES = Path(__file__).parent / "sources/examples"
IMAGE = "image:sha256:" + "a1" * 32


@pytest.mark.parametrize(
    "name",
    ["grype.json", "ocsf.jsonl", "sarif.json", "trivy.operator.json", "wiz.cli.json"],
)
def test_all_of_them_say_the_same(name: str) -> None:
    said = {
        (result.event.entities[0].key, result.event.finding.vulnerability)
        for result, _ in outcomes(str(EXAMPLES / name), Limits())
        if not isinstance(result, Reject)
        and result.event.finding
        and result.event.finding.package == "ray"
    }
    assert said == {(IMAGE, "CVE-2026-0001")}
