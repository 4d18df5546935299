"""A source whose time is a number, and whose ordinary records are not normalised."""

from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document
from correlators.routes import Routes
from correlators.ruleset import parse
from schemas.config import Limits
from schemas.event import Reject
from schemas.rows import Output, Result
from streams.ingest import Ingest, Progress
from streams.input import Chunk
from streams.matchers import Matchers
from streams.reading import Reader
from streams.source import named

RULE: Final = """
title: Somebody signs in
logsource: {product: openai, service: audit}
detection:
  login: {type: login.succeeded, actor.session.ip_address: 192.0.2.66}
  condition: login
"""


def record(kind: str, at: Any, address: str = "192.0.2.7") -> bytes:  # noqa: ANN401 - JSON
    session = {"user": {"id": "user-1", "email": "mara@claims.example"}, "ip_address": address}
    told = {"id": f"audit_log-{kind}-{at}", "type": kind, "effective_at": at}
    actor = {"type": "session", "session": session}
    return orjson.dumps(told | {"object": "organization.audit_log", "actor": actor})


def ingested(
    documents: list[bytes], *rules: str, source: str = "openai"
) -> tuple[Progress, list[Output]]:
    ruleset = parse(Document(f"{n}.yml", one) for n, one in enumerate(rules))
    assert not ruleset.problems
    stage = Ingest("i", Matchers(ruleset.rules), Routes(ruleset), named, None, Limits())
    chunk = Chunk(source, "file:x", documents, None, None, first=True)
    return stage.step(Progress(), chunk)


def kinds(outputs: list[Output]) -> list[str]:
    return [
        one.body["activity"] for one in outputs if isinstance(one, Result) and one.kind == "event"
    ]


def test_what_is_ordinary_is_counted_and_not_kept() -> None:
    documents = [
        record("login.succeeded", 1772352000),
        record("api_key.created", 1772352060),
        record("login.failed", 1772352061),
        record("something.new", 1772352062),
        record("logout.succeeded", "1772352063"),
    ]
    progress, outputs = ingested(documents)
    assert progress.counts() == {"read": 5, "parsed": 5, "rejected": 0, "late": 0}
    assert kinds(outputs) == ["api_key.created", "login.failed", "something.new"]
    assert progress.latest == 1_772_352_063_000_000


def test_a_rule_that_asks_for_it_has_it() -> None:
    documents = [
        record("login.succeeded", 1772352000),
        record("login.succeeded", 1772352001, "192.0.2.66"),
    ]
    _, outputs = ingested(documents, RULE)
    assert kinds(outputs) == ["login.succeeded"]
    signals = [one for one in outputs if isinstance(one, Result) and one.kind == "signal"]
    assert [one.time for one in signals] == [1_772_352_001_000_000]


@pytest.mark.parametrize(
    ("source", "ordinary", "kept"),
    [
        (
            "anthropic",
            {"type": "sso_login_succeeded"},
            [{"type": "sso_login_failed"}, {"type": "claude_chat_created"}, {"type": "new_kind"}],
        ),
        (
            "databricks",
            {"serviceName": "clusters", "actionName": "start"},
            [
                {"serviceName": "accounts", "actionName": "tokenLogin"},
                {"serviceName": "newService", "actionName": "query"},
            ],
        ),
    ],
)
def test_only_what_is_known_to_be_ordinary_is_passed_over(
    source: str, ordinary: dict[str, str], kept: list[dict[str, str]]
) -> None:
    records: dict[str, dict[str, Any]] = {
        "anthropic": {
            "created_at": "2026-03-01T08:00:00Z",
            "organization_id": "o",
            "actor": {"type": "user_actor", "email_address": "mara@claims.example"},
        },
        "databricks": {"timestamp": 1772352000000, "workspaceId": "1", "requestParams": {}},
    }
    documents = [orjson.dumps(records[source] | one) for one in (ordinary, *kept)]
    progress, outputs = ingested(documents, source=source)
    assert (progress.read, progress.rejected) == (len(documents), 0)
    assert kinds(outputs) == [one.get("type") or one["actionName"] for one in kept]
    assert progress.latest == 1_772_352_000_000_000


TIMES: Final = st.one_of(
    st.integers(-10, 2**65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.booleans(),
    st.none(),
    st.just("2026-03-01T08:00:00Z"),
    st.integers(10**9, 2 * 10**9).map(str),
)
KINDS: Final = st.sampled_from(["api_key.created", "login.succeeded", "LOGIN.succeeded", "a.b"])


@given(st.lists(st.tuples(KINDS, TIMES), max_size=6))
def test_times_are_those_of_a_whole_reading(given_: list[tuple[str, Any]]) -> None:
    """Whatever stands for the time: the same are rejected, and time has come as far."""
    documents = []
    for kind, at in given_:
        written = record(kind, 1).replace(b'"effective_at":1', b'"effective_at":@')
        documents.append(written.replace(b"@", b"%d" % at if type(at) is int else orjson.dumps(at)))
    progress, outputs = ingested(documents)
    reader = Reader(named("openai"), "file:x", Limits())
    whole = [next(iter(reader.read(one, n))).result for n, one in enumerate(documents)]
    times = [one.event.time for one in whole if not isinstance(one, Reject)]
    assert progress.read == len(documents)
    assert progress.rejected == len(documents) - len(times)
    assert progress.latest == max(times, default=Progress().latest)
    rejects = {one.id for one in outputs if isinstance(one, Result) and one.kind == "reject"}
    assert rejects == {one.origin for one in whole if isinstance(one, Reject)}
