"""The sink `elasticsearch` against a real OpenSearch node: what it answers, and a storm with it."""

from __future__ import annotations

import itertools
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from infra.dev.opensearch.node import Node
from schemas.config import AnySink
from schemas.rows import Result
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from sinks.formats.ecs import document
from tests.sinks import storms
from tests.sinks.alerts import HOSTILE, NOON, alert, lives
from tests.sinks.bulk import state
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import Carrier, closed, survived, weathered

pytestmark = pytest.mark.opensearch

A, B, C = "a" * 64, "b" * 64, "c" * 64
NUMBERS = itertools.count(1)
DOCS = Path(__file__).parents[2] / "docs" / "sinks" / "elasticsearch.md"


@pytest.fixture
def stream() -> str:
    """Name a stream of its own for each test."""
    return f"logs-barograph.alerts-test{next(NUMBERS)}"


def sink(node: Node, **more: object) -> Sink:
    told = {"name": "soc", "kind": "elasticsearch", "url": node.url} | more
    return connect(AnySink.model_validate(told), Path())


def sent(target: Sink, *batch: Result) -> Delivered:
    delivered = target.write(batch)
    target.flush()
    return delivered


def held(node: Node, target: str) -> list[dict[str, Any]]:
    """What is in there, in the order in which it was taken."""
    node.ask("POST", f"/{target}/_refresh")
    query = {"size": 1000, "sort": [{"_seq_no": "asc"}]}
    return list(node.ask("POST", f"/{target}/_search", query).body["hits"]["hits"])


def query(number: int) -> dict[str, Any]:
    """One of the searches that the documentation shows."""
    found: dict[str, Any] = json.loads(
        re.findall(r"(?s)```json\n(.*?)```", DOCS.read_text())[number]
    )
    return found


def test_documents_arrive_as_they_are(opensearch: Node, stream: str) -> None:
    batch = [
        alert(A),
        alert(A, 2, "final", status="resolved"),
        alert(B, 3, "withdrawn", title=HOSTILE, system=HOSTILE, tags=[HOSTILE]),
        alert(C, timeline=[{"time": NOON, "text": "\U0001f480" * 40_000}], summary="y" * 100_000),
    ]
    assert sent(sink(opensearch, stream=stream), *batch) == Delivered(4)
    found = held(opensearch, stream)
    assert [one["_id"] for one in found] == [f"{A}-1", f"{A}-2", f"{B}-3", f"{C}-1"]
    assert [one["_source"] for one in found] == [document(one.body) for one in batch]
    ((known,),) = (opensearch.ask("GET", f"/_data_stream/{stream}").body["data_streams"],)
    assert known["template"] == f"barograph-{stream}"


@pytest.mark.parametrize(
    ("field", "value", "many"),
    [
        ("related.ip", "198.51.100.0/24", 2),
        ("barograph.detail.next.technique", "AML.T0086", 2),
        ("barograph.detail.timeline.text", "mcp-mail/send was called from 198.51.100.7", 2),
        ("threat.technique.subtechnique.id", "AML.T0051.001", 2),
        ("threat.tactic.id", "AML.TA0005", 2),
        ("gen_ai.request.model", "gpt-4o-2024-08-06", 2),
        ("barograph.entities", "tool:mcp-mail/send", 2),
        ("barograph.closed", True, 1),
        ("event.risk_score", 87, 2),
    ],
)
def test_fields_are_found_by_their_values(
    opensearch: Node, field: str, value: object, many: int
) -> None:
    target = sink(opensearch, stream="logs-barograph.alerts-fields")
    assert sent(target, alert(A), alert(B, 1, "withdrawn")) == Delivered(2)
    opensearch.ask("POST", "/logs-barograph.alerts-fields/_refresh")
    asked = {"query": {"term": {field: {"value": value}}}}
    answer = opensearch.ask("POST", "/logs-barograph.alerts-fields/_count", asked)
    assert (answer.status, answer.body.get("count")) == (200, many)


def test_a_copy_changes_nothing(opensearch: Node, stream: str) -> None:
    assert sent(sink(opensearch, stream=stream), alert(A), alert(B)) == Delivered(2)
    again = alert(A, title="another")
    assert sent(sink(opensearch, stream=stream), again, alert(B), alert(A, 2)) == Delivered(3)
    assert [one["_source"] for one in held(opensearch, stream)] == [
        document(one.body) for one in (alert(A), alert(B), alert(A, 2))
    ]


def test_an_index_has_the_newest_revision_of_each_alert(opensearch: Node) -> None:
    target = sink(opensearch, index="alerts")
    ended = alert(A, 3, status="resolved")
    assert sent(target, alert(A), ended, alert(A, 2), alert(B)) == Delivered(4)
    assert sent(target, alert(A), ended) == Delivered(2)
    assert {one["_id"]: one["_source"] for one in held(opensearch, "alerts")} == {
        A: document(ended.body),
        B: document(alert(B).body),
    }


def test_a_document_that_it_does_not_understand_is_refused_alone(
    opensearch: Node, stream: str
) -> None:
    target = sink(opensearch, stream=stream)
    undated = alert(C)
    del undated.body["last_time"]
    delivered = sent(target, alert(A), alert(B, onset_time="yesterday"), undated, alert(A, 2))
    assert (delivered.taken, delivered.problem) == (4, None)
    wrong, missing = delivered.refused
    assert (wrong.result.id, missing.result.id) == (B, C)
    assert "400: mapper_parsing_exception: failed to parse field [barograph.onset_time]" in (
        wrong.reason
    )
    assert "documents must contain a single-valued timestamp field" in missing.reason
    assert [one["_id"] for one in held(opensearch, stream)] == [f"{A}-1", f"{A}-2"]


def test_a_target_that_is_not_there_is_for_a_person(opensearch: Node) -> None:
    delivered = sent(sink(opensearch, stream="missing-1", template=False), alert(A))
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert "404: index_not_found_exception" in str(delivered.problem)
    assert "action.auto_create_index" in str(delivered.problem)


def test_a_stream_named_as_index_is_for_a_person(opensearch: Node, stream: str) -> None:
    assert sent(sink(opensearch, stream=stream), alert(A)) == Delivered(1)
    delivered = sent(sink(opensearch, index=stream, template=False), alert(A, 2))
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert "it is a data stream: name it as stream, not as index" in str(delivered.problem)


def test_an_index_that_is_blocked_keeps_the_alerts_waiting(opensearch: Node) -> None:
    target = sink(opensearch, index="blocked")
    assert sent(target, alert(A)) == Delivered(1)
    opensearch.ask("PUT", "/blocked/_settings", {"index.blocks.write": True})
    delivered = sent(target, alert(A, 2))
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert "403: cluster_block_exception" in str(delivered.problem)
    opensearch.ask("PUT", "/blocked/_settings", {"index.blocks.write": False})
    opensearch.ask("POST", "/blocked/_close")
    delivered = sent(target, alert(A, 2))
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert "400: index_closed_exception" in str(delivered.problem)
    opensearch.ask("POST", "/blocked/_open")
    assert sent(target, alert(A, 2)) == Delivered(1)


def test_a_node_without_room_gets_it_in_smaller_requests(opensearch: Node, stream: str) -> None:
    target, batch = sink(opensearch, stream=stream), lives(150, 2)
    taken: list[int] = []
    while sum(taken) < len(batch):
        delivered = sent(target, *batch[sum(taken) :])
        if delivered.taken == 0:
            assert (delivered.wait, delivered.misconfigured) == (0.0, False)
            assert "answered 429 Too Many Requests" in str(delivered.problem)
            assert "rejected execution of coordinating operation" in str(delivered.problem)
        taken.append(delivered.taken)
    assert taken[:2] == [0, 0]
    assert len(held(opensearch, stream)) == len(batch)


def test_a_template_that_a_person_puts_is_the_same(opensearch: Node) -> None:
    template = json.loads((files("sinks") / "templates" / "opensearch.json").read_text("utf-8"))
    (name,) = template["index_patterns"]
    assert opensearch.ask("PUT", f"/_index_template/barograph-{name}", template).status == 200
    assert sent(sink(opensearch, template=False), alert(A)) == Delivered(1)
    assert sent(sink(opensearch), alert(A, 2)) == Delivered(1)
    assert len(held(opensearch, name)) == 2


def test_the_searches_of_the_documentation_show_the_newest_revisions(
    opensearch: Node, stream: str
) -> None:
    batch = lives(20)
    assert sent(sink(opensearch, stream=stream, batch=10), *batch) == Delivered(80)
    opensearch.ask("POST", f"/{stream}/_refresh")
    wanted = {one.id: (one.body["meta"]["revision"], closed(one)) for one in batch}
    answer = opensearch.ask("POST", f"/{stream}/_search", query(0))
    shown = [state(hit["_source"]) for hit in answer.body["hits"]["hits"]]
    assert {one.id: (one.revision, one.closed) for one in shown} == wanted
    assert len(shown) == 20
    answer = opensearch.ask("POST", f"/{stream}/_search", query(1))
    buckets = answer.body["aggregations"]["alerts"]["buckets"]
    assert {one["key"] for one in buckets} == {
        id_ for id_, (_, ended) in wanted.items() if not ended
    }


def test_a_storm_in_which_the_node_is_killed_too(
    opensearch: Node, stream: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storms, "PATIENCE", 180.0)  # a node starts in the middle of it
    counts = itertools.count(1)

    def relay(request: Request) -> Reply:
        if next(counts) == 9:
            opensearch.kill()
            opensearch.start()
        return forwarded(opensearch, request)

    results = lives(30)
    with Receiver(relay) as receiver:
        entry = {"name": "soc", "kind": "elasticsearch", "url": receiver.url, "stream": stream}
        carrier = Carrier(tmp_path, entry | {"timeout": "2s", "batch": 10}, results)
        kills = weathered(receiver, carrier, seed=1, kills=2, every=5)
    found = [state(one["_source"]) for one in held(opensearch, stream)]
    assert survived(carrier, results, found, kills, len(receiver.got)) == 0


def forwarded(node: Node, request: Request) -> Reply:
    """What the node says to a request that came to somebody else."""
    body: Any = request.body
    if request.method == "PUT":
        body = json.loads(body)
    said = node.ask(request.method, request.path, body or None)
    return Reply(said.status, json.dumps(said.body).encode())
