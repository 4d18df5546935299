"""The rules for Prometheus: checked by promtool, and evaluated over a real run."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml

from tests.infra.service.configured import CONFIG, RULE
from tests.infra.service.posted import export
from tests.infra.service.running import PATIENCE, Running, eventually

FOLDER = Path(__file__).parents[3] / "infra" / "deploy" / "prometheus"
FILES = ("recording", "pipeline", "posture")
RULES: list[dict[str, Any]] = [
    rule
    for name in FILES
    for group in yaml.safe_load((FOLDER / f"{name}.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
TESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "tests.yml").read_text("utf-8"))["tests"]
# Only workers with Kafka have stages that lag, and rows that others wrote.
OF_WORKERS = {"barograph_stage_lag_records", "barograph_stage_refused_records_total"}
# What a run has from the first forecast that was decided on.
LATER = {"barograph_forecast_brier_score"}
METRIC = re.compile(r"(?<![:\w])barograph_\w+")


def promtool(*words: str | Path, given: str | None = None) -> None:
    done = subprocess.run(
        ["promtool", *words], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Running]:
    """A run whose store has published something."""
    (tmp_path / "barograph.toml").write_text(CONFIG)
    (tmp_path / "answered.yml").write_text(RULE)
    with Running(tmp_path) as running:
        running.post("web", "/v1/traces", export(1, 2))
        assert running.get("/api/v1/nothing")[0] == 404
        eventually(lambda: running.metrics().get('barograph_signals{level="high"}') == 2)
        yield running


@pytest.mark.prometheus
def test_promtool_finds_nothing_wrong() -> None:
    promtool("check", "config", "--lint-fatal", FOLDER / "prometheus.yml")
    promtool("check", "rules", "--lint-fatal", *(FOLDER / f"{name}.yml" for name in FILES))


@pytest.mark.prometheus
def test_each_alert_fires_when_it_should_and_not_before() -> None:
    promtool("test", "rules", FOLDER / "tests.yml")


def test_each_alert_is_tried_both_ways() -> None:
    silent, firing = set[str](), set[str]()
    for one in TESTS:
        for tried in one.get("alert_rule_test", ()):
            (firing if tried.get("exp_alerts") else silent).add(tried["alertname"])
        for asked in one.get("promql_expr_test", ()):
            firing |= set(re.findall(r'alertname="(\w+)"', asked["expr"]))
    names = {rule["alert"] for rule in ALERTS}
    assert (silent, firing) == (names, names)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert all(len(text) > 20 for text in rule["annotations"].values())
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


@pytest.mark.prometheus
def test_a_run_has_every_metric_that_rules_ask_for(run: Running) -> None:
    text = run.get("/metrics")[1]
    promtool("check", "metrics", given=text)
    told = set(re.findall(r"(?m)^(barograph_\w+)", text))
    asked = {name for rule in RULES for name in METRIC.findall(rule["expr"])}
    assert asked - told == OF_WORKERS | LATER
    assert re.findall(r"(?m)^# TYPE (\w+) ", text).count("barograph_ready") == 1


@pytest.mark.prometheus
def test_a_real_prometheus_scrapes_a_run_and_answers(run: Running, tmp_path: Path) -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    (scrape,) = config["scrape_configs"]
    scrape["scrape_timeout"] = "1s"
    scrape["static_configs"] = [{"targets": [run.url.removeprefix("http://")]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    with prometheus(tmp_path) as url:

        def answer(query: str) -> list[dict[str, Any]]:
            body = asked(f"{url}/api/v1/query?query={quote(query)}")
            assert body["status"] == "success"
            found: list[dict[str, Any]] = body["data"]["result"]
            return found

        eventually(lambda: bool(answer('barograph_signals{level="high"} == 2')))
        eventually(lambda: bool(answer("instance:barograph_snapshot_age_seconds")))
        eventually(lambda: len(answer("job:barograph_alerts_open:sum")) == 3)
        groups = asked(f"{url}/api/v1/rules")["data"]["groups"]
        health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
        assert set(health.values()) <= {"ok", "unknown"}
        assert len(health) == len(RULES)
        run.process.kill()
        eventually(lambda: bool(answer('ALERTS{alertname="BarographDown"}')))


@contextmanager
def prometheus(folder: Path) -> Generator[str]:
    """A real one on a free port, with the configuration in `folder`."""
    words = (
        *("prometheus", "--config.file", str(folder / "prometheus.yml")),
        *("--storage.tsdb.path", str(folder / "tsdb"), "--web.listen-address", "127.0.0.1:0"),
    )
    with (
        (folder / "prometheus.log").open("w+") as log,
        subprocess.Popen(words, stderr=log) as process,
    ):
        try:
            port: list[str] = []

            def listens() -> bool:
                said = (folder / "prometheus.log").read_text()
                port[:] = re.findall(r'msg="Listening on" address=127.0.0.1:(\d+)', said)
                assert process.poll() is None, said
                return bool(port) and "Server is ready to receive web requests" in said

            eventually(listens)
            yield f"http://127.0.0.1:{port[0]}"
        finally:
            process.kill()


def asked(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - a URL of our own
        body: dict[str, Any] = json.load(answer)
        return body
