from pathlib import Path

import duckdb
import pytest

from infra.report.estate import Estate
from infra.report.report import headline, render
from infra.report.snapshot import MAX_FACTS, read
from schemas.rows import Result
from schemas.times import parse
from tests.infra.report.sample import AGENT, CLAIMS, SUMMARY, TOOL, expired, tables, warning
from tests.infra.written import result, written


def revision(number: int, time: str, points: int, stage: str) -> Result:
    base = {"term": "base", "value": 1, "weight": -2200, "points": -2200}
    more = {"term": "used/x", "value": 1, "weight": 2000, "points": points}
    said = {"stage": stage, "peak_stage": stage, "last_time": time, "why": [base, more]}
    return result("alert", 0, warning() | said | {"meta": {"state": "settled", "revision": number}})


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    sample = tables()
    system = {"id": CLAIMS, "name": "claims-portal", "root": CLAIMS, "members": [CLAIMS, AGENT]}
    extra = [{**sample["facts"][0], "title": f"fact {n}"} for n in range(MAX_FACTS + 5)]
    file = written(
        tmp_path_factory.mktemp("store"),
        [revision(1, "2026-11-20T21:02:11.000000Z", 900, "outlook"), result("system", 0, system)],
        [
            revision(2, "2026-11-20T21:33:58.250000Z", 4500, "warning"),
            result("alert", 0, expired()),
            Result("alert", "gone", 0, "withdrawn", {**expired(), "id": "gone"}),
            *(result("edge", n, edge) for n, edge in enumerate(sample["edges"])),
            *(result("fact", n, fact) for n, fact in enumerate([*extra, *sample["facts"]])),
            *(result("forecast", n, body) for n, body in enumerate(sample["forecasts"])),
        ],
    )
    with duckdb.connect(str(file), read_only=True) as db:
        return read(db, SUMMARY)


def test_the_newest_state_of_each_alert_is_read(known: Estate) -> None:
    assert headline(known) == "1 warning, 1 watch expired, 1 system"
    assert [alert.meta.state for alert in known.alerts] == ["settled", "final"]


def test_each_stored_ledger_is_a_reading(known: Estate) -> None:
    assert [r[1:] for r in known.readings(CLAIMS)][1:] == [
        (parse("2026-11-20T21:02:11Z"), 21, "outlook"),
        (parse("2026-11-20T21:33:58.25Z"), 91, "warning"),
    ]


def test_only_lineage_that_is_drawn_is_read(known: Estate) -> None:
    assert (AGENT, "uses", TOOL) in known.edges
    assert {edge.from_ for edge in known.edges} == {CLAIMS, AGENT}


def test_the_gravest_facts_are_read_and_all_are_counted(known: Estate) -> None:
    assert len(known.facts) == MAX_FACTS
    assert known.facts[0].severity == "critical"
    assert known.open_facts == MAX_FACTS + 8
    assert "8 facts more" in render(known)


def test_an_empty_store_is_an_empty_estate(tmp_path: Path) -> None:
    with duckdb.connect(str(written(tmp_path)), read_only=True) as db:
        assert read(db, {}) == Estate()
