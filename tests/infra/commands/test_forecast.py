import json

import pytest

from infra.cli import main
from infra.exits import Exit
from tests.infra.report.sample import CLAIMS, FRAUD, forecast, warning
from tests.infra.written import result, written


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("store")
    said = {"alert": warning()["id"], "horizon": "24h"}
    systems = [
        {"id": s, "name": s.partition(":")[2], "root": s, "members": []} for s in (CLAIMS, FRAUD)
    ]
    written(
        folder,
        [
            result("alert", 0, warning()),
            *(result("system", 0, system) for system in systems),
            result("forecast", 1, {**forecast("open", 0.62), **said}),
            result("forecast", 2, {**forecast("open", 0.7), **said, "technique": "AML.T0051"}),
            result("forecast", 3, {**forecast("hit", 0.5), **said}),
            result("forecast", 4, {**forecast("false_alarm", 0.1), **said}),
        ],
    )
    return str(folder)


def test_open_forecasts_and_how_others_came_out(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forecast", "--store", store]) == Exit.OK
    assert capsys.readouterr().out.splitlines() == [
        "application:claims-portal",
        "    70 % until 2026-11-21 21:33:58: LLM Prompt Injection (AML.T0051)",
        "    62 % until 2026-11-21 21:33:58: Exfiltration via AI Agent Tool Invocation (AML.T0086)",
        "         needs       the agent can call fetch_page (edge observed 2026-11-20)",
        "         stopped by  Take fetch_page from the agent's tools",
        "",
        "4 issued, 2 open, 1 hit, 1 false alarm; Brier score 0.130, 0 is perfect",
    ]


@pytest.mark.parametrize("system", [FRAUD, "fraud-scoring"])
def test_a_system_without_forecast(
    store: str, system: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forecast", system, "--store", store]) == Exit.OK
    assert capsys.readouterr().out.splitlines() == [
        "No forecast is open.",
        "0 issued, 0 open, 0 hit, 0 false alarm",
    ]


def test_the_record_for_programs(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["forecast", CLAIMS, "--store", store, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert [f["probability"] for f in said["open"]] == [0.7, 0.62]
    assert said["verification"] == {
        "issued": 4,
        "open": 2,
        "hits": 1,
        "false_alarms": 1,
        "brier": 0.13,
    }


def test_an_unknown_system_is_one_sentence(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "nobody", "--store", store]) == Exit.USAGE
    assert "holds no system nobody; barograph query" in capsys.readouterr().err
