"""The gauges of a store: what they count, and when they look again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from prometheus_client.core import Metric

from infra.posture.gauges import GAUGES, SYSTEMS
from infra.posture.posture import Posture
from infra.reading.snapshots import Snapshots
from schemas.config import SlaConfig
from schemas.times import DAY, HOUR, MINUTE, rfc3339
from schemas.times import parse as time_of
from sinks.store import SNAPSHOT, Store
from tests.infra.written import result, written

NOW = time_of("2026-03-09T12:00:00Z")


def alert(number: int, age: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    """The fields of an alert that are counted; it began so many microseconds before NOW."""
    onset = rfc3339(NOW - age)
    times = {"first_time": onset, "onset_time": onset, "last_time": onset}
    stated = {"stage": "watch", "status": "open", "severity": "high", "priority": 40}
    meta = {"revision": 1, "state": "final"}
    said = {"id": f"a{number}", "system": "application:shop", "meta": meta}
    return said | times | stated | more


def system(name: str) -> dict[str, Any]:
    root = f"application:{name}"
    return {"id": root, "name": name, "root": root, "members": [root]}


def read(path: Path | None, approved: Iterable[str] = ()) -> dict[str, float]:
    return samples(Posture(Snapshots(path), [*approved], SlaConfig()).metrics(NOW))


def samples(metrics: Iterable[Metric]) -> dict[str, float]:
    found: dict[str, float] = {}
    for metric in metrics:
        for sample in metric.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert name not in found, "Prometheus refuses a scrape with a sample twice"
            found[name] = sample.value
    return found


def told(found: dict[str, float], name: str) -> dict[str, float]:
    """The samples of a metric that are not 0, by their labels."""
    begin = f"barograph_{name}{{"
    return {n.removeprefix(begin)[:-1]: v for n, v in found.items() if n.startswith(begin) and v}


def test_alerts_are_counted_by_stage_severity_and_status(tmp_path: Path) -> None:
    alerts = [
        alert(1, HOUR),
        alert(2, 2 * HOUR, stage="warning", severity="critical", priority=80),
        alert(3, DAY, status="expired"),
        alert(4, DAY, system="apikey:AKIAEXAMPLE", priority=12, severity="low"),
    ]
    withdrawn = replace(result("alert", 5, alert(5, HOUR)), state="withdrawn")
    systems = [result("system", n, system(n)) for n in ("shop", "desk")]
    found = read(written(tmp_path, [*[result("alert", 0, a) for a in alerts], withdrawn, *systems]))
    assert told(found, "alerts_open") == {
        "severity=high,stage=watch": 1,
        "severity=critical,stage=warning": 1,
        "severity=low,stage=watch": 1,
    }
    assert found["barograph_alerts_open{severity=medium,stage=outlook}"] == 0
    assert told(found, "alerts") == {
        "stage=watch,status=open": 2,
        "stage=warning,status=open": 1,
        "stage=watch,status=expired": 1,
    }
    assert told(found, "alert_oldest_seconds") == {"stage=watch": 86_400, "stage=warning": 7_200}
    # The id of what belongs to no system is no label.
    assert told(found, "system_priority") == {"system=shop": 80, "system=other": 12}
    assert found["barograph_system_priority{system=desk}"] == 0
    assert found["barograph_systems"] == 2


def test_ages_are_those_at_the_time_of_the_scrape(tmp_path: Path) -> None:
    ages = (HOUR, HOUR + MINUTE, 3 * DAY, 100 * DAY, -HOUR)
    alerts = [result("alert", n, alert(n, age)) for n, age in enumerate(ages)]
    posture = Posture(Snapshots(written(tmp_path, alerts)), [], SlaConfig(watch=3 * DAY))
    at = "barograph_alerts_age_seconds_bucket{{le={},severity=high}}"
    found = samples(posture.metrics(NOW))
    bounds = ("3600.0", "14400.0", "86400.0", "259200.0", "7776000.0", "+Inf")
    assert [found[at.format(bound)] for bound in bounds] == [2, 3, 3, 4, 4, 5]
    assert found["barograph_alerts_age_seconds_count{severity=high}"] == 5
    assert found["barograph_alerts_age_seconds_sum{severity=high}"] == 3600 + 3660 + 103 * 86_400
    assert told(found, "alerts_overdue") == {"stage=watch": 1}  # 3 days to the second are not
    later = samples(posture.metrics(NOW + DAY))
    assert [later[at.format(bound)] for bound in bounds] == [0, 0, 1, 3, 4, 5]
    assert told(later, "alerts_overdue") == {"stage=watch": 2}


def test_assets_facts_forecasts_and_the_rest(tmp_path: Path) -> None:
    seen = {"first_seen": rfc3339(NOW), "last_seen": rfc3339(NOW), "sources": ["otel"]}
    work = {"observed_from": rfc3339(NOW), "observed_seen": rfc3339(NOW)}
    model = {"kind": "model", "id": "m", "attributes": {}}
    mine = {"kind": "tool", "id": "desk/send", "attributes": {}}
    forecast = {"alert": "a1", "system": "s", "issued": rfc3339(NOW), "technique": "AML.T0051"}
    fact = {"name": "finding", "since": rfc3339(NOW - 31 * DAY), "confidence": 1.0}
    rows = [
        result("asset", "model:m", model | seen | work),
        result("asset", "tool:desk/send", mine | seen | work),
        *[
            result("fact", n, fact | {"entity": entity, "state": state, "severity": severity})
            for n, (entity, state, severity) in enumerate(
                [
                    ("model:m", "open", "high"),
                    ("image:i", "open", "high"),
                    ("image:i", "resolved", "low"),
                    ("vulnerability:CVE-2026-0001", "open", "critical"),
                ]
            )
        ],
        *[
            result("forecast", n, forecast | {"outcome": outcome, "probability": probability})
            for n, (outcome, probability) in enumerate(
                [("hit", 0.5), ("false_alarm", 0.1), ("open", 0.9)]
            )
        ],
        result("signal", 1, {"time": rfc3339(NOW), "detection": "d", "level": "low"}),
    ]
    found = read(written(tmp_path, rows), approved=["model:*"])
    assert told(found, "assets") == {
        "kind=model,layer=models and endpoints": 1,
        "kind=tool,layer=agents and tools": 1,
    }
    assert found["barograph_assets_shadow"] == 1
    assert told(found, "facts_open") == {
        "layer=models and endpoints,severity=high": 1,
        "layer=data, code, infrastructure,severity=high": 1,
    }
    assert told(found, "facts_overdue") == {"severity=high": 2}
    assert told(found, "facts_closed") == {"severity=low": 1}
    assert told(found, "forecasts") == {
        "outcome=hit": 1,
        "outcome=false_alarm": 1,
        "outcome=open": 1,
    }
    assert found["barograph_forecast_brier_score"] == (0.25 + 0.01) / 2
    assert told(found, "signals") == {"level=low": 1}


def test_of_many_systems_only_the_highest_have_a_sample(tmp_path: Path) -> None:
    names = [f"s{n:03}" for n in range(SYSTEMS + 10)]
    rows = [result("system", n, system(n)) for n in names]
    rows += [
        result("alert", n, alert(n, HOUR, system=f"application:{name}", priority=n))
        for n, name in enumerate(names)
    ]
    found = told(read(written(tmp_path, rows)), "system_priority")
    assert sorted(found) == [f"system={name}" for name in names[10:]]


def test_an_empty_store_has_zeros_and_one_that_is_none_says_so(tmp_path: Path) -> None:
    empty = read(written(tmp_path))
    assert {name for name, value in empty.items() if value} == {
        "barograph_posture_up",
        "barograph_snapshot_timestamp_seconds",
    }
    assert read(None) == {}
    assert read(tmp_path / "missing.duckdb") == {"barograph_posture_up": 0}
    (tmp_path / "odd.duckdb").write_bytes(b"no store")
    assert read(tmp_path / "odd.duckdb") == {"barograph_posture_up": 0}


def test_a_new_snapshot_is_asked_and_the_old_one_only_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.open(None)
    store.publish()
    posture = Posture(Snapshots(tmp_path / SNAPSHOT), [], SlaConfig())
    first = next(metric for metric in posture.metrics(NOW) if metric.name == "barograph_systems")
    again = next(metric for metric in posture.metrics(NOW) if metric.name == "barograph_systems")
    assert first is again
    store.write([result("system", "shop", system("shop"))])
    store.publish()
    assert samples(posture.metrics(NOW))["barograph_systems"] == 1
    store.close()


def test_no_label_can_name_an_asset() -> None:
    labels = {label for gauge in GAUGES for label in gauge.labels}
    assert labels == {
        *("stage", "severity", "status", "system", "kind", "layer"),
        *("level", "state", "outcome", "source"),
    }
