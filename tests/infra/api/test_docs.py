"""docs/api.md says what the code does: rules of the verdict, paths, metrics."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.core import Metric

from infra.api.openapi import plain
from infra.api.route import routes
from infra.posture.posture import Posture
from infra.reading.snapshots import Snapshots
from infra.verdict.rules import RULES
from schemas.config import SlaConfig
from tests.infra.written import written

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
ELSEWHERE = {"barograph_ready", "barograph_api_requests_total", "barograph_api_seconds_total"}


def test_the_table_of_the_verdict_is_its_rules() -> None:
    rows = "".join(f"| `{rule.name}` | {rule.verdict} | {rule.tells} |\n" for rule in RULES)
    assert f"| rule | verdict | when |\n|---|---|---|\n{rows}\n" in TEXT


def test_every_path_is_in_the_table() -> None:
    table = TEXT.partition("| path | answer |")[2].partition("\n\n")[0]
    told = set(re.findall(r"(?:POST )?(/[\w{}/]+)", table))
    assert told == {plain(route.path) for route in routes()}


def test_every_metric_of_the_posture_is_told(tmp_path: Path) -> None:
    found: list[Metric] = [*Posture(Snapshots(written(tmp_path)), (), SlaConfig()).metrics(0)]
    section = TEXT.partition("## Metrics of the posture")[2].partition("\n## ")[0]
    told = set(re.findall(r"`(barograph_\w+)", section))
    assert told == {metric.name for metric in found} | ELSEWHERE
