"""A format that no source knows: written down, checked, parsed, followed to the store."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from infra.cli import main

MAPPING = """\
title: Tool gate
sniff: [gate.version, decision]
uid: {template: "{gate.id}/{seq}"}
time: {path: ts, format: epoch_ms}
class: {path: kind, map: {call: api_activity, review: compliance_finding}}
activity: op
status: {path: decision, map: {allow: success, deny: failure}}
severity: {path: risk, map: {"3": high, "2": medium}, else: informational}
actor: {kind: principal, id: user.mail}
client: {ip: from}
entities:
  tool: {each: tools, kind: tool, id: {template: "{^.gate.id}/{name}"}, name: name}
  agent: {kind: agent, id: agent}
edges:
  - {from: agent, relation: uses, to: tool}
finding:
  check: check.id
  title: check.text
  state: {path: check.ok, map: {"true": resolved}, else: open}
attributes:
  gen_ai.operation.name: op
  gate.reason: reason
private:
  gen_ai.tool.call.arguments: args
"""
CASES = """\
- record: {gate: {version: 2, id: g1}, decision: deny, ts: 1772600400000, kind: call, agent: a}
  event: {status: failure, time: "2026-03-04T05:00:00.000000Z", entities: [{kind: agent, id: a}]}
- record: {gate: {version: 2, id: g1}, decision: deny, kind: call}
  reject: no-time
"""
RECORD = {
    "gate": {"version": 2, "id": "g1"},
    "seq": 7,
    "decision": "allow",
    "ts": 1772600400000,
    "kind": "call",
    "op": "execute_tool",
    "risk": 3,
    "user": {"mail": "kim@example.com"},
    "from": "203.0.113.9",
    "tools": [{"name": "fetch"}, {"name": "send"}],
    "agent": "triage",
    "reason": "https://kim:fake-password@pages.example/",
    "args": {"prompt": "do-not-store"},
}

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command in a folder with `mappings/gate.yml` and `gate.ndjson`."""
    monkeypatch.chdir(tmp_path)
    Path("mappings").mkdir()
    Path("mappings/gate.yml").write_text(MAPPING)
    Path("mappings/gate.cases.yml").write_text(CASES)
    lines = [RECORD, {**RECORD, "seq": 8, "ts": None}]
    Path("gate.ndjson").write_text("\n".join(map(json.dumps, lines)))

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_parsed_by_its_keys_and_by_name(told: Told) -> None:
    for words in (("gate.ndjson",), ("--source", "generic:gate", "gate.ndjson")):
        code, out, err = told("parse", *words)
        assert code == 0
        body = json.loads(out)
        assert body.pop("evidence")["origin"] == "file:gate.ndjson#1"
        assert body == {
            "uid": "g1/7",
            "time": "2026-03-04T05:00:00.000000Z",
            "source": "generic:gate",
            "class_uid": 6003,
            "class_name": "API Activity",
            "activity": "execute_tool",
            "status": "success",
            "severity": "high",
            "message": "",
            "actor": {"kind": "principal", "id": "kim@example.com"},
            "client": {"ip": "203.0.113.9"},
            "entities": [
                {"kind": "tool", "id": "g1/fetch", "name": "fetch"},
                {"kind": "tool", "id": "g1/send", "name": "send"},
                {"kind": "agent", "id": "triage"},
            ],
            "edges": [
                {
                    "from": {"kind": "agent", "id": "triage"},
                    "relation": "uses",
                    "to": {"kind": "tool", "id": f"g1/{name}", "name": name},
                    "declared": False,
                    "state": "open",
                }
                for name in ("fetch", "send")
            ],
            "attributes": {"gen_ai.operation.name": "execute_tool"},
        }
        reject, count = err.splitlines()
        assert json.loads(reject)["reason"] == "no-time"
        assert count == "read 2, parsed 1, rejected 1"


def test_followed_to_the_store(told: Told) -> None:
    review = {"kind": "review", "check": {"id": "owner", "text": "No owner", "ok": False}}
    later = {"ts": 1772604000000, "check": {"id": "owner", "text": "No owner", "ok": True}}
    records = [RECORD | review | {"tools": []}, RECORD | review | {"tools": [], "seq": 9} | later]
    Path("gate.ndjson").write_text("\n".join(map(json.dumps, records)))
    assert told("replay", "gate.ndjson")[0] == 0
    with duckdb.connect("out/barograph.duckdb", read_only=True) as db:
        found = db.execute("SELECT entity, title, state FROM facts").fetchall()
    assert found == [("agent:triage", "No owner", "resolved")]


def test_records_inside_a_document(told: Told) -> None:
    Path("mappings/list.yml").write_text(
        "records: report.rows\ntime: $.report_time\nclass: scan_activity\n"
        "uid: {template: '{$.scanner.name}/{id}'}\nentities: {host: {kind: host, id: host}}\n"
    )
    rows = [{"id": 1, "host": "h-1"}, {"id": 2, "host": "h-2"}]
    whole = {
        "scanner": {"name": "s"},
        "report_time": "2026-03-04T05:00:00Z",
        "report": {"rows": rows},
    }
    Path("whole.json").write_text(json.dumps(whole))
    _, out, err = told("parse", "--source", "generic:list", "whole.json")
    assert [json.loads(line)["uid"] for line in out.splitlines()] == ["s/1", "s/2"]
    assert err == "read 2, parsed 2, rejected 0\n"
    Path("whole.json").write_text('{"report": 7}')
    _, _, err = told("parse", "--source", "generic:list", "whole.json")
    assert json.loads(err.splitlines()[0])["reason"] == "wrong-shape"


def test_cases(told: Told) -> None:
    assert told("mappings") == (
        0,
        "mappings/gate.yml: generic:gate: 2 of 2 cases hold\n",
        "",
    )
    Path("mappings/gate.cases.yml").write_text(
        CASES.replace("failure", "success").replace("no-time", "bad-time") + "- {record: 1}\n"
    )
    code, out, _ = told("mappings", "mappings/gate.yml")
    assert code == 2
    shape, event, reject = out.splitlines()[:3]
    assert shape.startswith("mappings/gate.cases.yml:5: a case has the keys `record` and either")
    assert event == "mappings/gate.cases.yml:1: `status` is 'failure', not 'success'"
    assert reject.startswith("mappings/gate.cases.yml:3: rejected, no-time: the record says no")
    Path("mappings/gate.cases.yml").write_text(CASES.replace("failure", "success"))
    code, out, _ = told("mappings", "--json")
    assert (code, json.loads(out)["cases"]) == (1, 2)


def test_a_mapping_with_a_mistake_stops_everything(told: Told) -> None:
    Path("mappings/gate.yml").write_text(MAPPING.replace("actor:", "acto:"))
    code, _, err = told("parse", "gate.ndjson")
    assert code == 2
    assert err.startswith("barograph: mappings/gate.yml:9: `acto` is no key here; did you mean")
    assert told("mappings")[0] == 2


def test_no_mapping(told: Told) -> None:
    for name in ("generic:none", "generic:../mappings/gate", "generic:gate.cases"):
        code, _, err = told("parse", "--source", name, "gate.ndjson")
        assert (code, f"no source is called {name!r}" in err) == (2, True)
    assert told("mappings", "nowhere.yml")[0] == 2
    assert told("mappings", "mappings/gate.cases.yml")[0] == 2


def test_a_page_of_records_and_a_record_alone(told: Told) -> None:
    """An API answers with pages; a queue brings the same records one by one."""
    Path("mappings/gate.yml").write_text(MAPPING + "records: result.rows\n")
    Path("gate.ndjson").write_text(json.dumps(RECORD) + "\n" + json.dumps({"decision": "deny"}))
    Path("page.json").write_text(json.dumps({"result": {"rows": [RECORD, RECORD]}}))
    _, out, err = told("parse", "--source", "generic:gate", "page.json", "gate.ndjson")
    assert [json.loads(line)["uid"] for line in out.splitlines()] == ["g1/7"] * 3
    reject = json.loads(err.splitlines()[0])
    assert reject["detail"] == "there is no `result` where the records should be"
    assert told("mappings")[0] == 0, "a case is a record alone"


def test_people_and_hosts_are_named_as_all_sources_name_them(told: Told) -> None:
    Path("mappings/gate.yml").write_text(
        MAPPING.replace("agent: {kind: agent, id: agent}", "agent: {kind: host, id: agent}")
    )
    said = {**RECORD, "user": {"mail": "Kim@Example.COM"}, "agent": "Gate-7.Example"}
    Path("gate.ndjson").write_text(json.dumps(said))
    event = json.loads(told("parse", "gate.ndjson")[1])
    assert event["actor"] == {"kind": "principal", "id": "kim@example.com"}
    assert event["entities"][-1] == {"kind": "host", "id": "gate-7.example"}


def test_a_case_without_a_record(told: Told) -> None:
    Path("mappings/gate.cases.yml").write_text("- {record: [], event: {}}\n")
    code, out, _ = told("mappings")
    assert code == 1
    assert out.splitlines()[0] == "mappings/gate.cases.yml:1: there is no record in it"
