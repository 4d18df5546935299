"""How long things have stood, over a real store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from infra.report.ageing import Age, ageing, ages
from infra.report.snapshot import read
from schemas.config import SlaConfig
from schemas.errors import Mistake
from schemas.finding import State
from schemas.rows import Result
from schemas.times import DAY, HOUR, parse, rfc3339
from tests.infra.report.sample import CLAIMS, SUPPORT, warning
from tests.infra.written import result, written

NOW = parse("2026-11-20T00:00:00Z")
SLA = SlaConfig()


def alert(id_: str, days: float, state: State = "final", **more: Any) -> Result:  # noqa: ANN401
    since = rfc3339(int(NOW - days * DAY))
    body = warning() | {"id": id_, "onset_time": since, "system": CLAIMS} | more
    return Result("alert", id_, 0, state, body)


def fact(id_: str, days: float, **more: Any) -> Result:  # noqa: ANN401
    since = rfc3339(int(NOW - days * DAY))
    body = {"id": id_, "entity": "image:a", "name": "finding", "severity": "high", "state": "open"}
    return result("fact", id_, body | {"since": since} | more)


@pytest.fixture
def db(tmp_path: Path) -> Any:  # noqa: ANN401
    system = {"id": CLAIMS, "name": "claims-portal", "root": CLAIMS, "members": [CLAIMS, "image:a"]}
    file = written(
        tmp_path,
        [
            alert("a", 0.5),
            alert("b", 1),
            alert("c", 2),
            alert("d", 400, status="resolved"),
            alert("e", 400, "withdrawn"),
            alert("f", 40, stage="outlook", system=SUPPORT),
            fact("1", 30),
            fact("2", 30.5),
            fact("3", 6.9, severity="critical"),
            fact("4", 900, state="closed"),
            fact("5", 900, entity="vulnerability:CVE-2099-1"),
            fact("6", 900, severity="informational"),
            fact("7", 91, entity="image:b"),
            result("system", 0, system),
        ],
    )
    with duckdb.connect(str(file), read_only=True) as db:
        yield db


def test_each_class_has_its_ages_and_what_is_overdue(db: duckdb.DuckDBPyConnection) -> None:
    assert ages(db, SLA, NOW) == [
        Age("alert", "warning", DAY, 3, 1, 2 * DAY, (2, 1, 0, 0, 0)),
        Age("alert", "outlook", 14 * DAY, 1, 1, 40 * DAY, (0, 0, 0, 1, 0)),
        Age("fact", "critical", 7 * DAY, 1, 0, int(6.9 * DAY), (0, 1, 0, 0, 0)),
        Age("fact", "high", 30 * DAY, 3, 2, 91 * DAY, (0, 0, 1, 1, 1)),
    ]


def test_of_one_system_its_own(db: duckdb.DuckDBPyConnection) -> None:
    known = ages(db, SlaConfig(high=HOUR), NOW, CLAIMS, [CLAIMS, "image:a"])
    assert [(age.class_, age.total, age.overdue) for age in known] == [
        ("warning", 3, 1),
        ("critical", 1, 0),
        ("high", 2, 2),
    ]


def test_now_is_the_newest_time_of_the_store(db: duckdb.DuckDBPyConnection) -> None:
    (first, *_) = ages(db, SLA)
    newest = parse(warning()["last_time"])
    assert first.oldest == newest - int(NOW - 2 * DAY)


def test_the_table_says_what_is_overdue() -> None:
    html = ageing([Age("fact", "high", 30 * DAY, 3, 2, 91 * DAY, (0, 0, 1, 1, 1))])
    assert '<strong class="late">2 of 3</strong>' in html
    assert ageing([]) == "<p>Nothing is open.</p>"


def test_a_report_of_one_system(db: duckdb.DuckDBPyConnection) -> None:
    by_name, by_id = read(db, {}, system="claims-portal"), read(db, {}, system=CLAIMS)
    assert by_name == by_id
    assert {alert.id for alert in by_name.alerts} == {"a", "b", "c", "d"}
    assert [system.id for system in by_name.systems] == [CLAIMS]
    assert by_name.open_facts == 4
    assert [system.id for system in read(db, {}, system=SUPPORT).systems] == [SUPPORT]
    with pytest.raises(Mistake, match="no AI system is called nobody; there are claims-portal"):
        read(db, {}, system="nobody")
