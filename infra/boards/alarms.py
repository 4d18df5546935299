"""Alarms: the alert rules that come for Prometheus, as rules that Grafana evaluates itself.

For those who have no Alertmanager. One text for both: what `infra/deploy/prometheus/` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Final

import yaml

import infra
from correlators.sigma.values import is_object
from infra.boards.parts.board import TAG
from infra.boards.parts.source import Json

FOLDER: Final = TAG  # uid of the folder for boards and rules
_PARTS: Final = re.compile(r"(\d+)(ms|s|m|h|d|w|y)")
_RECORD: Final = re.compile(r"[A-Za-z_]\w*(?::\w+)+")  # a name with colons is of a rule
_VALUE: Final = re.compile(r"\$value\b")
_DAY: Final = 86_400
_SECONDS: Final[Mapping[str, float]] = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": _DAY,
    "w": 7 * _DAY,
    "y": 365 * _DAY,
}
WINDOW: Final = 600  # seconds that a query may look back; the newest value is taken
EVERY: Final = 60  # seconds between evaluations, where a group does not say


def groups(prometheus: str) -> Iterator[Json]:
    """Those of `infra/deploy/prometheus/`; `prometheus` is the uid of the data source."""
    folder = files(infra).joinpath("deploy", "prometheus")
    found: list[Json] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yml"):
            document: object = yaml.safe_load(file.read_text(encoding="utf-8"))
            if is_object(document):  # beside rules lie their tests and a scrape configuration
                found += document.get("groups", ())
    return converted(found, prometheus)


def converted(found: Sequence[Json], prometheus: str) -> Iterator[Json]:
    """Each group with an alert rule in it as the provisioning API keeps it.

    What another rule records is written out: Grafana may ask a Prometheus without our rules.
    """
    recorded = {
        str(rule["record"]): f"({_line(rule['expr'])})"
        for group in found
        for rule in group["rules"]
        if "record" in rule
    }
    for group in found:
        rules = [rule for rule in group["rules"] if "alert" in rule]
        if rules:
            name = str(group["name"])
            yield {
                "title": name,
                "folderUid": FOLDER,
                "interval": round(seconds(group.get("interval", f"{EVERY}s"))),
                "rules": [_rule(rule, name, prometheus, recorded) for rule in rules],
            }


def seconds(duration: str) -> float:
    """A duration of Prometheus: `5m`, `1h30m`."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _PARTS.findall(duration))


def _rule(rule: Json, group: str, prometheus: str, recorded: Mapping[str, str]) -> Json:
    """A series that the expression leaves is a fault, whatever its value: as Prometheus has it."""
    name = str(rule["alert"])
    expr = _RECORD.sub(lambda found: recorded.get(found[0], found[0]), _line(rule["expr"]))
    return {
        "uid": f"barograph-{_kebab(name.removeprefix('Barograph'))}"[:40],
        "title": name,
        "folderUID": FOLDER,
        "ruleGroup": group,
        "condition": "fault",
        "data": [
            _step("series", prometheus, {"expr": expr, "instant": True, "range": False}),
            _step(
                "there",
                "__expr__",
                {
                    "type": "math",
                    "expression": "is_number($series) || is_nan($series) || is_inf($series)",
                },
            ),
            _step(
                "fault",
                "__expr__",
                {
                    "type": "threshold",
                    "expression": "there",
                    "conditions": [{"evaluator": {"type": "gt", "params": [0]}}],
                },
            ),
        ],
        "noDataState": "OK",  # no series is left: nothing is wrong
        "execErrState": "Error",
        "for": rule.get("for", "0s"),
        "labels": rule.get("labels", {}),
        "annotations": {
            # What Prometheus calls $value is the value of the query, by its name.
            key: _VALUE.sub("$values.series.Value", _line(text))
            for key, text in rule.get("annotations", {}).items()
        },
        "isPaused": False,
    }


def _step(ref: str, source: str, model: Json) -> Json:
    kind = "__expr__" if source == "__expr__" else "prometheus"
    return {
        "refId": ref,
        "queryType": "",
        "relativeTimeRange": {"from": WINDOW if kind == "prometheus" else 0, "to": 0},
        "datasourceUid": source,
        # Grafana sets these where they are absent: stated, so that what comes back is what went.
        "model": model
        | {
            "refId": ref,
            "datasource": {"type": kind, "uid": source},
            "intervalMs": 1000,
            "maxDataPoints": 43200,
        },
    }


def _line(text: object) -> str:
    return " ".join(str(text).split())


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+|_", "-", name).lower().strip("-")
