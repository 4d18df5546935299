"""What each route answers over the store of the demo."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.infra.api.conftest import Client, Get

WARNING = "6bc6fdf8a1c670f29957ddb145167c28"
TRIAGE = "application:claims-triage"
IMAGE = "image:sha256:6efee81332b591a20017f1bb991e551721441366c7347362034203863c066549"


def column(answer: dict[str, Any], name: str) -> list[Any]:
    return [row[name] for row in answer["rows"]]


async def test_alerts_newest_first_and_by_what_they_are(get: Get) -> None:
    everything = await get("/alerts")
    assert column(everything, "onset_time") == [
        "2026-03-03T16:11:00.000000Z",
        "2026-03-03T13:05:00.000000Z",
        "2026-03-02T08:18:00.000000Z",
        "2026-03-02T02:00:00.000000Z",
    ]
    assert (everything["more"], everything["next"]) == (False, None)
    first = everything["rows"][1]
    assert {name: first[name] for name in ("id", "stage", "priority", "system", "root")} == {
        "id": WARNING,
        "stage": "warning",
        "priority": 63,
        "system": "claims-triage",
        "root": TRIAGE,
    }
    assert column(await get("/alerts?status=open&stage=watch,outlook"), "priority") == [19, 38]
    assert column(await get("/alerts?system=claims-triage&system="), "priority") == [63, 38]
    assert column(await get(f"/alerts?system={TRIAGE}&severity=critical"), "id") == [WARNING]
    assert column(await get("/alerts?status=open&order=pressing"), "priority") == [63, 38, 19]
    top = await get("/alerts?order=pressing&limit=2")
    assert (column(top, "stage"), top["more"], top["next"]) == (["warning", "watch"], True, None)


async def test_one_alert_is_whole_and_has_a_path(get: Get) -> None:
    alert = await get(f"/alerts/{WARNING}")
    assert [action["effect"] for action in alert["actions"]] == [
        "priority 63 -> 21",
        "priority 63 -> 38",
        "priority 63 -> 43",
    ]
    assert sum(term["points"] for term in alert["why"]) == 546
    graph = await get(f"/alerts/{WARNING}/path")
    workload = "workload:ecs/ml-serving/claims-triage"
    assert graph["edges"][0] == {
        "id": f"{TRIAGE} runs_on {workload}",
        "source": TRIAGE,
        "target": workload,
        "mainstat": "runs_on",
        "color": "#3274d9",
    }
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert next(iter(nodes)) == TRIAGE
    image = next(node for node in graph["nodes"] if node["subtitle"] == "image")
    assert (image["mainstat"], image["secondarystat"], image["color"]) == (
        "critical",
        "28 open",
        "#c4162a",
    )


async def test_systems_and_one_of_them(get: Get) -> None:
    found = await get("/systems")
    assert column(found, "name") == ["claims-triage", "fraud-lens", "policy-assistant"]
    assert column(found, "open_alerts") == [2, 0, 0]
    assert column(found, "grave_facts") == [2, 0, 0]
    one = await get("/systems/claims-triage")
    assert one["system"] == found["rows"][0]
    assert one == await get(f"/systems/{TRIAGE}")
    assert [row["priority"] for row in one["alerts"]] == [63, 38]
    assert len(one["members"]) == 7
    assert [row["outcome"] for row in one["forecasts"]] == ["open"] * 3


async def test_assets_and_one_of_them(get: Get) -> None:
    models = await get("/assets?kind=model")
    assert column(models, "entity") == [
        "model:amazon.nova-lite-v1:0",
        "model:amazon.nova-pro-v1:0",
        "model:amazon.titan-embed-text-v2:0",
        "model:sha256:42d6ffec53615888b93114d9928bf27070915c5a6f14db2393babd0f2d6f0326",
    ]
    layer = "agents%20and%20tools,models%20and%20endpoints"
    mixed = await get(f"/assets?kind=model,tool,apikey&layer={layer}&system=fraud-lens")
    assert {row["entity"].partition(":")[0] for row in mixed["rows"]} == {"model", "tool"}
    infrastructure = await get("/assets?layer=data,%20code,%20infrastructure&kind=account")
    assert column(infrastructure, "entity") == ["account:111122223333"]
    assert column(await get("/assets?shadow=true"), "known") == ["observed"]
    one = await get(f"/assets/{quote(IMAGE, safe='')}")
    assert one["asset"]["systems"] == ["claims-triage"]
    assert [(w["weakness"], w["severity"]) for w in one["weaknesses"]][:2] == [
        ("CVE-2023-6019", "critical"),
        ("aws-access-key-id", "critical"),
    ]


async def test_lineage_both_ways_at_a_time(get: Get) -> None:
    async def ids(path: str) -> list[str]:
        return [node["id"] for node in (await get(path))["nodes"]]

    assert await ids(f"/lineage/{TRIAGE}?direction=upstream") == [TRIAGE]
    assert await ids(f"/lineage/{TRIAGE}?as_of=2026-01-01T00:00:00Z") == [TRIAGE]
    below = await ids(f"/lineage/{TRIAGE}?direction=downstream&depth=1")
    assert below == [
        TRIAGE,
        "model:amazon.nova-lite-v1:0",
        "workload:ecs/ml-serving/claims-triage",
        "dataset:claims-history-2025",
        "datastore:s3/quillhaven-claims-documents",
        IMAGE,
        "model:sha256:42d6ffec53615888b93114d9928bf27070915c5a6f14db2393babd0f2d6f0326",
    ]
    assert set(below) <= set(await ids(f"/lineage/{TRIAGE}"))
    hit = await get("/lineage/vulnerability:CVE-2023-6019?depth=2")
    has = next(edge for edge in hit["edges"] if edge["mainstat"] == "affected_by")
    assert (has["source"], has["target"]) == (IMAGE, "vulnerability:CVE-2023-6019")
    assert len(hit["nodes"]) == 5


async def test_forecasts_controls_and_queries(get: Get) -> None:
    found = await get("/forecasts?system=claims-triage&outcome=open")
    assert column(found, "technique") == ["AML.T0055", "AML.T0051", "AML.T0035"]
    assert column(found, "name")[1] == "LLM Prompt Injection"
    assert found["rows"][1]["precondition"] == "text that others write reaches the prompt"
    controls = await get("/controls?framework=owasp_llm_2025&scope=estate")
    assert column(controls, "control") == [f"LLM{number:02}" for number in range(1, 11)]
    failing = await get("/controls?framework=owasp_llm_2025&scope=estate&status=fail")
    assert column(failing, "control") == ["LLM01", "LLM02", "LLM03"]
    assert failing["rows"][1]["reason"].startswith("not met: No credential lies in an image")
    # What held in March holds no more: nothing was heard since.
    stale = await get("/controls?framework=nist_ai_rmf&scope=application:fraud-lens")
    assert set(column(stale, "status")) == {"not_assessed"}
    assert "nothing was heard in time" in column(stale, "reason")
    known = {row["name"]: row for row in (await get("/queries"))["rows"]}
    assert known["new_tools"]["parameters"] == [
        {"name": "since", "type": "INTERVAL", "default": "7d"}
    ]
    assert len((await get("/queries/new_tools?since=3d"))["rows"]) == 9
    assert (await get("/queries/new_tools?since=12h"))["rows"] == []
    answer = await get("/queries/alerts")
    assert answer["columns"][0] == {"name": "stage", "type": "VARCHAR"}
    assert column(answer, "priority") == [63, 38, 19]


async def test_any_query_in_sql(client: Client) -> None:
    sql = "SELECT 1 AS a, NULL AS b, [TIMESTAMP '2026-03-02 08:18:00'] AS a, 2::HUGEINT ** 100 AS c"
    async with client.post("/api/v1/query", json={"sql": sql}) as answer:
        body = await answer.json()
    assert body["columns"] == [
        {"name": "a", "type": "INTEGER"},
        {"name": "b", "type": '"NULL"'},
        {"name": "a_1", "type": "TIMESTAMP[]"},
        {"name": "c", "type": "DOUBLE"},
    ]
    assert body["rows"] == [
        {"a": 1, "b": None, "a_1": ["2026-03-02T08:18:00.000000Z"], "c": 2.0**100}
    ]
