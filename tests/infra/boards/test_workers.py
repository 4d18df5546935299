"""The board of the pipeline asked about a real Kafka worker that takes the demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.boards.dashboards import pipeline
from infra.boards.parts.panel import Panel
from infra.cli import main
from infra.demo import scenario
from infra.dev.broker import Broker
from infra.dev.prometheus import Prometheus, until
from tests.infra.service.running import Running, eventually
from tests.streams.kafka.site import SOURCES

CONFIG = """
[server]
port = 0
[kafka]
bootstrap = "{bootstrap}"
prefix = "{prefix}"
partitions = 2
[[sink]]
name = "store"
kind = "store"
"""
# Workers change their rules by being started anew; only an embedded run reloads them.
OF_EMBEDDED = {"Last reload of rules"}


@pytest.fixture
def prometheus(
    broker: Broker, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Prometheus]:
    """One that scrapes a worker from its start, whose raw topics hold the demo in the end."""
    config = CONFIG.format(bootstrap=broker.bootstrap, prefix=prefix)
    (tmp_path / "barograph.toml").write_text(config)
    monkeypatch.chdir(tmp_path)
    scenario.write(tmp_path / "demo")
    raw = [word for source in SOURCES.values() for word in ("--raw", source)]
    assert main(["topics", "create", *raw]) == 0
    found = Prometheus(tmp_path)
    with Running(tmp_path) as worker:
        try:
            found.scrape(worker.url.removeprefix("http://"))
            for folder, source in SOURCES.items():
                assert main(["produce", f"demo/{folder}", "--topic", f"raw.{source}"]) == 0
            eventually(lambda: worker.get("/api/v1/systems")[0] == 200)
            yield found
        finally:
            found.stop()


@pytest.mark.kafka
@pytest.mark.prometheus
def test_every_panel_has_data_of_a_worker(prometheus: Prometheus) -> None:
    asked = {panel.title: queries(panel) for panel in pipeline.BOARD.panels}

    def silent() -> set[str]:
        return {title for title, some in asked.items() if not all(map(prometheus.instant, some))}

    until(lambda: silent() == OF_EMBEDDED)


def queries(panel: Panel) -> list[str]:
    """What it asks of Prometheus."""
    return [target["expr"] for target in panel.json(1, 0, 0)["targets"] if "expr" in target]
