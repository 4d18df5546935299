"""Elasticsearch and OpenSearch: every answer of the bulk API, against a cluster that keeps it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import AnySink
from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from sinks.formats.ecs import document
from tests.sinks.alerts import HOSTILE, NOON, alert, lives
from tests.sinks.bulk import Cluster, failed, refused
from tests.sinks.receiving import Receiver, Reply
from tests.sinks.storms import storm

A, B, C = "a" * 64, "b" * 64, "c" * 64
STREAM = "logs-barograph.alerts-default"
API_KEY = "ZXhhbXBsZTpub3QtYS1rZXk="


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def receiver(cluster: Cluster) -> Iterator[Receiver]:
    with Receiver(cluster.answer) as receiver:
        yield receiver


def entry(receiver: Receiver, **more: object) -> dict[str, object]:
    return {"name": "soc", "kind": "elasticsearch", "url": receiver.url} | more


def sink(receiver: Receiver, **more: object) -> Sink:
    return connect(AnySink.model_validate(entry(receiver, **more)), Path())


def sent(target: Sink, *batch: Result) -> Delivered:
    delivered = target.write(batch)
    target.flush()
    return delivered


def test_the_template_goes_first_and_each_revision_is_created(
    receiver: Receiver, cluster: Cluster
) -> None:
    target = sink(receiver)
    first, second = alert(A), alert(A, 2, "withdrawn", title=HOSTILE)
    assert sent(target, first, second) == Delivered(2)
    assert sent(target, alert(B)) == Delivered(1)
    assert [(one.method, one.path.partition("?")[0]) for one in receiver.got] == [
        ("GET", "/"),
        ("PUT", f"/_index_template/barograph-{STREAM}"),
        ("POST", f"/{STREAM}/_bulk"),
        ("POST", f"/{STREAM}/_bulk"),
    ]
    assert receiver.got[2].body.splitlines() == [
        orjson.dumps({"create": {"_id": f"{A}-1"}}),
        orjson.dumps(document(first.body)),
        orjson.dumps({"create": {"_id": f"{A}-2"}}),
        orjson.dumps(document(second.body)),
    ]
    assert receiver.got[2].headers["content-encoding"] == "gzip"
    assert set(cluster.streams[STREAM]) == {f"{A}-1", f"{A}-2", f"{B}-1"}


@pytest.mark.parametrize(
    ("distribution", "flattened"), [(None, "flattened"), ("opensearch", "flat_object")]
)
def test_the_template_is_in_the_words_of_the_product(
    distribution: str | None, flattened: str
) -> None:
    cluster = Cluster(distribution=distribution)
    with Receiver(cluster.answer) as receiver:
        assert sent(sink(receiver, stream="logs-soc-prod"), alert(A)) == Delivered(1)
    template = cluster.templates["barograph-logs-soc-prod"]
    assert template["index_patterns"] == ["logs-soc-prod"]
    properties = template["template"]["mappings"]["properties"]["barograph"]["properties"]
    assert properties["detail"]["type"] == flattened


def test_a_copy_is_a_success(receiver: Receiver, cluster: Cluster) -> None:
    assert sent(sink(receiver), alert(A), alert(B)) == Delivered(2)
    assert sent(sink(receiver), alert(A), alert(B), alert(A, 2)) == Delivered(3)
    assert [(one.id, one.revision) for one in cluster.told] == [(A, 1), (B, 1), (A, 2)]


def test_an_index_has_the_newest_revision_of_each_alert(
    receiver: Receiver, cluster: Cluster
) -> None:
    target = sink(receiver, index="alerts")
    assert sent(target, alert(A), alert(A, 3, status="resolved"), alert(A, 2)) == Delivered(3)
    assert orjson.loads(receiver.got[2].body.splitlines()[2]) == {
        "index": {"_id": A, "version": 3, "version_type": "external"}
    }
    ((version, kept),) = cluster.indices["alerts"].values()
    assert (version, kept["event"]["action"]) == (3, "alert-resolved")
    assert "data_stream" not in cluster.templates["barograph-alerts"]


# What is said of one document, the verdict, and what a person reads of it.
ITEMS: list[tuple[dict[str, Any], str, str]] = [
    (refused(409, "version_conflict_engine_exception", "it exists"), "ok", ""),
    (refused(429, "es_rejected_execution_exception", "queue full"), "retry", "queue full"),
    (refused(429, "circuit_breaking_exception", "too large"), "retry", "too large"),
    (refused(429, "cluster_block_exception", "flood-stage"), "retry", "flood-stage"),
    (refused(503, "unavailable_shards_exception", "not active"), "retry", "not active"),
    (refused(500, "node_disconnected", "gone"), "retry", "gone"),
    (refused(408, "timeout_exception", "slow"), "retry", "slow"),
    (
        refused(400, "document_parsing_exception", "failed to parse [x]", "not an ip"),
        "reject",
        "400: document_parsing_exception: failed to parse [x]: not an ip",
    ),
    (refused(400, "mapper_parsing_exception", "failed"), "reject", "failed"),
    (refused(400, "strict_dynamic_mapping_exception", "no [x]"), "reject", "no [x]"),
    (refused(400, "illegal_argument_exception", "Limit of total fields"), "reject", "Limit"),
    (
        refused(
            400, "mapper_parsing_exception", "value: 'only write ops with an op_type of create'"
        ),
        "reject",
        "mapper_parsing_exception",
    ),
    (refused(400, "index_closed_exception", "closed"), "config", "closed"),
    (
        refused(400, "illegal_argument_exception", "only write ops with an op_type of create"),
        "config",
        "it is a data stream: name it as stream, not as index",
    ),
    (refused(401, "security_exception", "no"), "config", "security_exception"),
    (refused(403, "security_exception", "unauthorized"), "config", "unauthorized"),
    (refused(403, "cluster_block_exception", "index write (api)"), "config", "index write"),
    (
        refused(404, "index_not_found_exception", "no such index"),
        "config",
        "make it, or have it made: template = true and action.auto_create_index",
    ),
]


@pytest.mark.parametrize(("said", "verdict", "reason"), ITEMS)
def test_every_error_of_a_document_has_its_verdict(
    receiver: Receiver, cluster: Cluster, said: dict[str, Any], verdict: str, reason: str
) -> None:
    target = sink(receiver)
    cluster.odd = {f"{B}-1": said}
    delivered = sent(target, alert(A), alert(B), alert(C))
    match verdict:
        case "ok":
            assert delivered == Delivered(3)
        case "reject":
            ((result, why),) = delivered.refused
            assert (delivered.taken, delivered.problem, result.id) == (3, None, B)
            assert reason in why
        case _:
            assert (delivered.taken, delivered.refused) == (1, ())
            assert delivered.misconfigured == (verdict == "config")
            assert reason in str(delivered.problem)
            assert sent(target, alert(B), alert(C)) == Delivered(2)
    known = {A, C} if verdict in ("ok", "reject") else {A, B, C}
    assert {one.id for one in cluster.told} == known
    assert len(cluster.told) == len(known)


def test_what_a_document_behind_the_busy_one_was_refused_for_is_told_once(
    receiver: Receiver, cluster: Cluster
) -> None:
    target = sink(receiver)
    cluster.odd = {
        f"{A}-1": refused(400, "mapper_parsing_exception", "no"),
        f"{B}-1": refused(429, "es_rejected_execution_exception", "queue full"),
        f"{C}-1": refused(400, "mapper_parsing_exception", "no"),
    }
    delivered = sent(target, alert(A), alert(B), alert(C))
    assert delivered.taken == 1
    assert [one.result.id for one in delivered.refused] == [A]


WHOLE: list[tuple[Reply, str, float, str]] = [
    (failed(429, "rejected_execution_exception", "coordinating"), "retry", 0.0, "coordinating"),
    (failed(429, "x", "slow down", {"retry-after": "7"}), "retry", 7.0, "slow down"),
    (failed(503, "cluster_block_exception", "no master"), "retry", 0.0, "no master"),
    (failed(500, "x", "y"), "retry", 0.0, "500"),
    (Reply(502, b"<html>bad gateway"), "retry", 0.0, "bad gateway"),
    (failed(401, "security_exception", "who"), "config", 0.0, "401"),
    (failed(403, "security_exception", "may not"), "config", 0.0, "may not"),
    (failed(404, "index_not_found_exception", "no such"), "config", 0.0, "no such"),
    (failed(405, "x", "PUT"), "config", 0.0, "405"),
    (failed(400, "illegal_argument_exception", "unknown parameter"), "config", 0.0, "unknown"),
    (failed(406, "media_type_header_exception", "NDJSON"), "config", 0.0, "NDJSON"),
    (Reply(302, b"", {"location": "http://elsewhere.example/"}), "config", 0.0, "302"),
    (Reply(200, b"<html>log in"), "config", 0.0, "give the url of the cluster"),
    (Reply(200, b"[]"), "config", 0.0, "give the url of the cluster"),
    (Reply(200, b'{"items":[]}'), "config", 0.0, "give the url of the cluster"),
]


@pytest.mark.parametrize(("reply", "verdict", "wait", "reason"), WHOLE)
def test_every_error_of_a_request_has_its_verdict(
    receiver: Receiver, cluster: Cluster, reply: Reply, verdict: str, wait: float, reason: str
) -> None:
    target = sink(receiver, template=False)
    cluster.whole = [reply]
    delivered = sent(target, alert(A), alert(B))
    assert (delivered.taken, delivered.refused, delivered.wait) == (0, (), wait)
    assert delivered.misconfigured == (verdict == "config")
    assert reason in str(delivered.problem)


@pytest.mark.parametrize(
    ("reply", "verdict", "wait", "reason"), [one for one in WHOLE if one[0].status != 200]
)
def test_nothing_is_sent_before_the_template_is_there(
    receiver: Receiver, cluster: Cluster, reply: Reply, verdict: str, wait: float, reason: str
) -> None:
    target = sink(receiver)
    cluster.whole = [Reply(200, b'{"version":{"number":"9.2.0"}}'), reply]
    delivered = sent(target, alert(A))
    assert (delivered.taken, delivered.wait) == (0, wait)
    assert delivered.misconfigured == (verdict == "config")
    assert reason in str(delivered.problem)
    assert cluster.told == []
    assert sent(target, alert(A)) == Delivered(1)
    assert list(cluster.streams) == [STREAM]


def test_who_may_not_put_a_template_reads_the_mend(receiver: Receiver, cluster: Cluster) -> None:
    cluster.whole = [
        Reply(200, b'{"version":{"number":"9.2.0"}}'),
        failed(403, "security_exception", "action [indices:admin/index_template/put]"),
    ]
    delivered = sent(sink(receiver), alert(A))
    assert str(delivered.problem).endswith("may not put its index template, see template = false")


def test_too_much_at_once_is_halved(receiver: Receiver, cluster: Cluster) -> None:
    target = sink(receiver, template=False, index="alerts")
    cluster.whole = [failed(413, "x", "too large"), failed(413, "x", "too large")]
    assert sent(target, *lives(4, 1)) == Delivered(4)
    assert cluster.counts == [1, 1, 2]
    cluster.whole = [Reply(413), Reply(413)]
    delivered = sent(target, alert(A), alert(B))
    assert [one.result.id for one in delivered.refused] == [A]


@pytest.mark.parametrize("reply", [failed(429, "x", "y"), None])
def test_a_busy_node_gets_less_until_it_has_room(
    receiver: Receiver, cluster: Cluster, reply: Reply | None
) -> None:
    target = sink(receiver, template=False, index="alerts", batch=8)
    batch = lives(12, 1)
    if reply is None:
        receiver.expect(["lost", "lost"])
    else:
        cluster.whole = [reply, reply]
    assert [sent(target, *batch).taken for _ in range(4)] == [0, 0, 2, 4]
    assert sent(target, *batch) == Delivered(12)
    assert cluster.counts[-4:] == [2, 4, 8, 4]


def test_requests_are_bounded_by_count_and_bytes(receiver: Receiver, cluster: Cluster) -> None:
    batch = lives(20, 1)
    assert sent(sink(receiver, batch=7), *batch) == Delivered(20)
    assert cluster.counts == [7, 7, 6]
    assert sent(sink(receiver, stream="logs-b-c", batch_bytes=65_536), *batch) == Delivered(20)
    sizes = [len(one.body) for one in receiver.got if one.method == "POST"][3:]
    assert len(sizes) > 1
    assert max(sizes) <= 65_536


def test_an_alert_that_is_too_large_is_shortened_and_says_so(
    receiver: Receiver, cluster: Cluster
) -> None:
    timeline = [{"time": NOON, "text": f"{number} {'x' * 7000}"} for number in range(12)]
    target = sink(receiver, batch_bytes=65_536)
    assert sent(target, alert(A, timeline=timeline)) == Delivered(1)
    (told,) = cluster.streams[STREAM].values()
    assert told["barograph"]["shortened"] == ["timeline"]
    assert told["barograph"]["detail"]["timeline"] == timeline[-1:]
    assert told["barograph"]["detail"]["why"] == alert(A).body["why"]
    delivered = sent(target, alert(B, system="y" * 70_000), alert(C))
    ((result, why),) = delivered.refused
    assert (delivered.taken, result.id, why) == (2, B, "it has more than 65536 bytes")


@pytest.mark.parametrize(
    ("more", "login"),
    [
        ({"secret": API_KEY}, f"ApiKey {API_KEY}"),
        (
            {"username": "barograph", "secret": "pass:wörd"},
            "Basic " + base64.b64encode("barograph:pass:wörd".encode()).decode(),
        ),
    ],
)
def test_it_logs_in_and_tells_nobody_how(more: dict[str, str], login: str) -> None:
    cluster = Cluster(login)
    with Receiver(cluster.answer) as receiver:
        target = sink(receiver, **more)
        assert sent(target, alert(A)) == Delivered(1)
        cluster.whole = [Reply(403, f"who sent {login}?".encode())]
        delivered = sent(target, alert(B))
        wrong = sent(sink(receiver, secret="b3RoZXI="), alert(B))  # noqa: S106 - nobody's
    assert str(delivered.problem).endswith(f"who sent {login.split(maxsplit=1)[0]} [secret]?")
    assert (wrong.taken, wrong.misconfigured) == (0, True)
    assert "b3RoZXI=" not in str(wrong.problem)


def test_a_path_of_the_url_stands_before_all_places(receiver: Receiver) -> None:
    sent(sink(receiver, url=f"{receiver.url}/es/"), alert(A))
    assert receiver.got[0].path == "/es/"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"stream": "logs-a-b", "index": "alerts"}, "a stream and an index; give one of them"),
        ({"username": "barograph"}, "username needs its password as secret"),
        ({"stream": "Logs-A"}, "has a wrong 'stream'"),
        ({"index": "../_all"}, "has a wrong 'index'"),
        ({"batch": 0}, "has a wrong 'batch'"),
        ({"shards": 1}, "knows no setting 'shards'"),
    ],
)
def test_settings_that_cannot_be_are_a_mistake(more: dict[str, Any], sentence: str) -> None:
    told = {"name": "soc", "kind": "elasticsearch", "url": "https://es.example:9200"} | more
    with pytest.raises(Mistake, match=f"sink 'soc' .*{sentence}"):
        connect(AnySink.model_validate(told), Path())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 600) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["items", "create", "status", "error", "type"]), inner)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=20) | JSON.map(orjson.dumps), st.sampled_from([200, 400, 429, 500]))
def test_nothing_that_is_answered_breaks_it_or_counts_as_taken(said: bytes, status: int) -> None:
    with Receiver(lambda _: Reply(status, said)) as receiver:
        target = sink(receiver, template=False)
        delivered = sent(target, alert(A), alert(B))
    assert (delivered.taken, delivered.refused) == (0, ())
    assert delivered.problem


@pytest.mark.parametrize("reply", [Reply(200, b"{}"), Reply(400, b"what?"), Reply(413)])
def test_a_stranger_is_sent_no_alert(receiver: Receiver, cluster: Cluster, reply: Reply) -> None:
    cluster.whole = [reply]
    delivered = sent(sink(receiver), alert(A))
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert "give the url of the cluster" in str(delivered.problem)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "more", [{"batch": 10}, {"batch": 10, "index": "alerts"}], ids=["data stream", "index"]
)
def test_a_storm(tmp_path: Path, more: dict[str, Any]) -> None:
    cluster = Cluster()
    with Receiver(cluster.answer) as receiver:
        settings = entry(receiver, timeout="2s", **more)
        figures = storm(receiver, tmp_path, settings, lambda: cluster.told, every=4)
    assert figures.copies == 0
    assert figures.kills > 0
