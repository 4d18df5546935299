"""Assessor: what it says of the bundled scenario, written out; time, mending and order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from infra.compliance.assessor import Assessor, rule_ids
from infra.replaying import Order, replay
from infra.rules import load
from schemas.config import Config, InventoryConfig, RulesConfig, SlaConfig
from schemas.times import HOUR, MINUTE
from schemas.times import parse as time_of
from sinks.store import SNAPSHOT, Store
from tests.infra.played import event, link, store

EXPECTED = Path(__file__).with_name("demo.yml")
QUERIES = {
    "criteria": "SELECT scope, criterion, status FROM criteria",
    "controls": "SELECT scope, framework || ' ' || control, status FROM controls",
}
RULES = load(RulesConfig())
SHOP = "application:shop"
CLAIMS, POLICY = "application:claims-triage", "application:policy-assistant"


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / SNAPSHOT), read_only=True) as db:
        return db.execute(query).fetchall()


def answers(folder: Path, table: str = "criteria") -> dict[str, dict[str, str]]:
    """The answers of each scope: by criterion, or by framework and control."""
    found: dict[str, dict[str, str]] = {}
    for scope, name, status in rows(folder, QUERIES[table]):
        found.setdefault(scope, {})[name] = status
    return found


def bodies(folder: Path) -> list[str]:
    query = "SELECT body FROM controls UNION ALL SELECT body FROM criteria"
    return sorted(row[0] for row in rows(folder, query))


def copied(demo: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / SNAPSHOT).write_bytes((demo / SNAPSHOT).read_bytes())
    return folder


def assessed(folder: Path, until: str, config: Config | None = None) -> dict[str, dict[str, str]]:
    """The answers about a store, as of that time."""
    assessor = Assessor(lambda: rule_ids(RULES), config or Config())
    assessor.until = time_of(until)
    with duckdb.connect(str(folder / SNAPSHOT)) as db:
        assessor(db)
    return answers(folder)


def test_what_is_said_of_the_scenario(demo: Path) -> None:
    expected = yaml.safe_load(EXPECTED.read_text("utf-8"))
    assert answers(demo) == expected["criteria"]
    assert answers(demo, "controls") == expected["controls"]


def test_why_the_controls_of_one_system_stand_as_they_do(demo: Path) -> None:
    query = """
        SELECT control, status, reason FROM controls
        WHERE framework = 'owasp_llm_2025' AND scope = 'application:claims-triage'
        ORDER BY control"""
    image = "image:sha256:6efee81332b591a20017f1bb991e551721441366c7347362034203863c066549"
    model = "model:sha256:42d6ffec53615888b93114d9928bf27070915c5a6f14db2393babd0f2d6f0326"
    assert rows(demo, query) == [
        (
            "LLM01",
            "fail",
            (
                "not met: Whatever calls a model is guarded (calls model:amazon.nova-lite-v1:0"
                f" and no guardrail on {CLAIMS})"
            ),
        ),
        (
            "LLM02",
            "fail",
            f"not met: No credential lies in an image (Credential left in an image on {image})",
        ),
        (
            "LLM03",
            "fail",
            (
                "not met: No image has an exploitable vulnerability in AI software (Exploitable"
                f" vulnerability in AI serving software on {image} and 1 more)"
            ),
        ),
        ("LLM04", "not_assessed", f"{model} was not scanned within 30 d (and 1 more)"),
        ("LLM06", "not_assessed", "there is nothing here that it could be asked of"),
        (
            "LLM08",
            "not_assessed",
            "datastore:s3/quillhaven-claims-documents was not scanned within 7 d (and 1 more)",
        ),
        (
            "LLM10",
            "not_assessed",
            (
                "`access_as_granted` is asked of the estate as a whole, and fails there: whether"
                " here is not known"
            ),
        ),
    ]


def test_every_answer_is_hashed_and_its_evidence_lies_in_the_store(demo: Path) -> None:
    known = dict(rows(demo, "SELECT uid, sha256 FROM events"))
    cited = 0
    for text in bodies(demo):
        body = json.loads(text)
        for one in body.get("evidence", ()):
            assert known[one["event"]] == one["sha256"]
            cited += 1
        if body["status"] == "pass" and "criterion" in body:
            assert body["heard"], body["id"]
        if body["status"] == "fail" and "criterion" in body:
            assert body["against"], body["id"]
        if body["status"] == "not_assessed":
            assert body["missing"], body["id"]
    assert cited > 100


def test_the_order_of_arrival_changes_no_byte(demo: Path, tmp_path: Path) -> None:
    order = Order(shuffle=5 * MINUTE, seed=1)
    replay(Config(), RULES, [str(demo / "input")], tmp_path, order)
    assert bodies(tmp_path) == bodies(demo)


def test_time_that_passes_without_news_ends_every_pass(demo: Path, tmp_path: Path) -> None:
    folder = copied(demo, tmp_path)
    told = assessed(folder, "2026-03-06T00:00:00Z")[POLICY]
    assert told["activity_recorded"] == "not_assessed"  # heard two days and seven hours ago
    assert told["images_without_secrets"] == "pass"  # scanned three days ago
    months = assessed(folder, "2026-06-10T00:00:00Z")
    assert {status for told in months.values() for status in told.values()} == {
        "fail",
        "not_assessed",
    }


def test_a_weakness_that_is_mended_turns_a_fail_into_a_pass(demo: Path, tmp_path: Path) -> None:
    night = time_of("2026-03-03T00:00:00Z")
    order = Order(until=night, not_after=night)
    replay(Config(), RULES, [str(demo / "input")], tmp_path, order)
    fraud = "application:fraud-lens"
    assert answers(tmp_path)[fraud]["exploitable_weaknesses_mended"] == "fail"
    assert answers(demo)[fraud]["exploitable_weaknesses_mended"] == "pass"


def test_what_the_configuration_says_counts(demo: Path, tmp_path: Path) -> None:
    config = Config(
        inventory=InventoryConfig(approved=("model:amazon.*",)),
        sla=SlaConfig(medium=HOUR, warning=HOUR),
    )
    told = assessed(copied(demo, tmp_path), "2026-03-03T23:30:00Z", config)
    assert told["estate"]["ai_declared"] == "pass"
    assert told[CLAIMS]["weaknesses_mended_in_time"] == "fail"
    assert told[CLAIMS]["alerts_handled_in_time"] == "fail"
    assert told[POLICY]["alerts_handled_in_time"] == "pass"


def test_a_thing_under_two_names_is_one(tmp_path: Path) -> None:
    """The scan names the image by its tag, the bill of materials by its digest."""
    digest, tag = "image:sha256:aa", "image:shop:1"
    folder = store(
        [
            event(
                0,
                "cyclonedx",
                5020,
                edges=[link("application:shop", "uses", digest, declared=True)],
            ),
            event(1, "trivy", 5020, edges=[link(tag, "same_as", digest)]),
            event(1, "trivy", 6007, [tag], class_name="Scan Activity"),
        ],
        tmp_path,
    )
    told = assessed(folder, "2026-03-04T00:00:00Z")
    assert told[SHOP]["images_without_secrets"] == "pass"


@pytest.mark.parametrize("events", [[], None])
def test_an_empty_store_has_no_rows(tmp_path: Path, events: list[Any] | None) -> None:
    with_assessor = Store(tmp_path, finite=True, derive=Assessor(frozenset, Config()))
    with_assessor.open(None)
    if events is not None:
        assert with_assessor.write(events).problem is None
    with_assessor.close()
    assert bodies(tmp_path) == []


def test_what_is_no_control_any_more_is_gone(tmp_path: Path, demo: Path) -> None:
    before = bodies(copied(demo, tmp_path))
    with duckdb.connect(str(tmp_path / SNAPSHOT)) as db:
        db.execute("INSERT INTO controls (framework, control, scope) VALUES ('old', 'A', 'estate')")
        db.execute("UPDATE controls SET status = 'pass'")
        Assessor(lambda: rule_ids(RULES), Config())(db)
    assert bodies(tmp_path) == before
    assert rows(tmp_path, "SELECT 1 FROM controls WHERE framework = 'old'") == []
