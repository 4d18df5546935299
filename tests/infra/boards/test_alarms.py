"""Rules for Prometheus as rules of Grafana: the same expression, and any series left is a fault."""

from __future__ import annotations

import re

import pytest
import yaml

from infra.boards.alarms import converted, groups, seconds

RULES = """\
groups:
  - name: barograph-pipeline
    interval: 30s
    rules:
      - record: barograph:read:rate5m
        expr: sum(rate(barograph_records_read_total[5m]))
      - alert: SinkFailing2Long
        expr: |
          max by (sink) (barograph_sink_failures)
            > 3 and on () barograph:read:rate5m > 0
        for: 10m
        labels: {severity: high}
        annotations:
          summary: "{{ $labels.sink }} is away: {{ $value | humanize }} {{ $values }}"
          description: >
            Its receiver does not answer.
  - name: only-records
    rules:
      - record: a
        expr: b
"""


def test_an_alert_rule_keeps_expression_time_labels_and_texts() -> None:
    (group,) = converted(yaml.safe_load(RULES)["groups"], "prom-uid")
    rules = group.pop("rules")
    assert group == {"title": "barograph-pipeline", "folderUid": "barograph", "interval": 30}
    (rule,) = rules
    series, there, fault = rule.pop("data")
    assert rule == {
        "uid": "barograph-sink-failing2-long",
        "title": "SinkFailing2Long",
        "folderUID": "barograph",
        "ruleGroup": "barograph-pipeline",
        "condition": "fault",
        "noDataState": "OK",
        "execErrState": "Error",
        "for": "10m",
        "labels": {"severity": "high"},
        "annotations": {
            "summary": (
                "{{ $labels.sink }} is away: {{ $values.series.Value | humanize }} {{ $values }}"
            ),
            "description": "Its receiver does not answer.",
        },
        "isPaused": False,
    }
    assert series["datasourceUid"] == "prom-uid"
    assert series["model"]["expr"] == (
        "max by (sink) (barograph_sink_failures) > 3"
        " and on () (sum(rate(barograph_records_read_total[5m]))) > 0"
    )
    assert (series["model"]["instant"], series["relativeTimeRange"]["from"]) == (True, 600)
    assert there["model"]["expression"] == (
        "is_number($series) || is_nan($series) || is_inf($series)"
    )
    assert fault["model"]["expression"] == "there"
    assert [step["refId"] for step in (series, there, fault)] == ["series", "there", "fault"]
    assert {step["datasourceUid"] for step in (there, fault)} == {"__expr__"}


@pytest.mark.parametrize(
    ("text", "value"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1d", 86_400), ("250ms", 0.25)]
)
def test_durations_of_prometheus(text: str, value: float) -> None:
    assert seconds(text) == value


def test_what_is_shipped_fits_what_grafana_takes() -> None:
    shipped = list(groups("uid"))
    assert shipped != []
    rules = [rule for group in shipped for rule in group["rules"]]
    uids = [rule["uid"] for rule in rules]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)
    assert all(group["interval"] % 10 == 0 for group in shipped)  # Grafana's own clock ticks so
    assert all(rule["annotations"].get("summary") for rule in rules)
    # What Prometheus records has colons in its name: Grafana may ask one without our rules.
    exprs = [re.sub(r'"[^"]*"|\[[^\]]*\]', "", rule["data"][0]["model"]["expr"]) for rule in rules]
    assert [expr for expr in exprs if ":" in expr] == []
