"""Sentinel against a double of Entra and of the Logs Ingestion API, which checks every column."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from hypothesis import given, settings

from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.bearer import EARLY
from sinks.delivery.sink import Delivered
from sinks.formats.log_analytics import COLUMNS, MOST_VALUE, row
from sinks.sentinel import Sentinel, Settings
from tests.sinks.alerts import EVIDENCE, HOSTILE, LATER, NOON, alert, body
from tests.sinks.formats.bodies import bodies
from tests.sinks.made import sink, verdict, written
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import Told, storm
from tests.sinks.tokens import Tokens

TENANT, CLIENT = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
RULE = "dcr-0123456789abcdef0123456789abcdef"
SECRET = "obviously~not/a+secret"  # noqa: S105 - as it says
PATH = f"/dataCollectionRules/{RULE}/streams/Custom-Barograph_CL?api-version=2023-01-01"
TYPES = {"string": str, "int": int, "real": float, "dynamic": list, "datetime": str}


class Azure(Tokens):
    """A login host and an ingestion endpoint."""

    def __init__(self, lifetime: int = 3599) -> None:
        super().__init__(lifetime)
        self.rows: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Reply:
        if request.path == f"/{TENANT}/oauth2/v2.0/token":
            return self._login(request)
        return self._take(request)

    def _login(self, request: Request) -> Reply:
        if self.logins:
            return self.logins.pop(0)
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        asked = {name: value for name, [value] in parse_qs(request.body.decode()).items()}
        wanted = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": "https://monitor.azure.com//.default",
        }
        if asked != wanted:
            return Reply.json(
                401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid"}
            )
        return self.grant()

    def _take(self, request: Request) -> Reply:  # noqa: PLR0911 - each refusal is one
        if not self.knows(request):
            return failure(401, "AuthenticationFailed")
        if request.path != PATH:
            return failure(404, "NotFound")
        if request.headers["content-type"] != "application/json":
            return failure(415, "UnsupportedMediaType")
        if request.headers.get("content-encoding") != "gzip":
            return failure(400, "InvalidContentEncoding")
        self.calls.append(len(request.body))
        if len(request.body) > 1_000_000:
            return failure(413, "ContentLengthLimitExceeded")
        if self.replies:
            return self.replies.pop(0)
        rows = orjson.loads(request.body)
        assert isinstance(rows, list)  # an object would be a 204, and lost
        for one in rows:
            checked(one)
        self.rows += rows
        return Reply(204)


def checked(one: dict[str, Any]) -> None:
    """As the stream is declared: no column more or less, no value that would be cut."""
    assert list(one) == list(COLUMNS)
    for name, type_ in COLUMNS.items():
        assert type(one[name]) is TYPES[type_], name
        assert len(orjson.dumps(one[name])) <= 4 * 8_000 + 800 or type_ != "dynamic"
        if type_ == "datetime":
            datetime.fromisoformat(one[name])
        elif type_ == "string":
            assert len(one[name].encode()) <= MOST_VALUE


def failure(status: int, code: str, **headers: str) -> Reply:
    return Reply.json(status, {"error": {"code": code, "message": "because"}}, **headers)


def entry(url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    return {
        "name": "soc",
        "kind": "sentinel",
        "url": url,
        "login": url,
        "rule": RULE,
        "tenant": TENANT,
        "client": CLIENT,
        "secret": SECRET,
        "timeout": "5s",
    } | more


GOLDEN: dict[str, Any] = {
    "TimeGenerated": LATER,
    "AlertId": "a1",
    "Revision": 1,
    "Change": "opened",
    "State": "provisional",
    "Status": "open",
    "Stage": "warning",
    "PeakStage": "warning",
    "Severity": "critical",
    "Priority": 87,
    "Confidence": 0.91,
    "System": "support-bot",
    "Convergence": "tool_poisoning",
    "Title": "A poisoned tool is at work in support-bot",
    "Summary": "An injection reached an agent that may send mail; three families agree.",
    "Thread": body("a1")["thread"],
    "FirstTime": NOON,
    "OnsetTime": NOON,
    "LastTime": LATER,
    "ExpiresAt": "2026-01-02T13:30:00.250000Z",
    "Entities": body("a1")["entities"],
    "Techniques": ["AML.T0051.001"],
    "Timeline": body("a1")["timeline"],
    "Path": body("a1")["path"],
    "Why": body("a1")["why"],
    "Next": body("a1")["next"],
    "Actions": body("a1")["actions"],
    "Tags": ["attack.initial_access", "atlas.aml.t0051.001", "owasp.llm01-2025"],
    "Evidence": EVIDENCE,
    "Findings": ["f" * 64],
    "Shortened": [],
    "BodySha256": body("a1")["body_sha256"],
}


def test_an_alert_is_a_row() -> None:
    azure = Azure()
    assert written(azure, entry, alert("a1")) == Delivered(1)
    assert azure.rows == [GOLDEN]


def test_ends_and_hostile_texts_arrive_as_they_are() -> None:
    azure = Azure()
    batch = [
        alert("a", 2, "final", status="resolved"),
        alert("b", 3, "withdrawn"),
        alert("c", 4, title=HOSTILE, summary=HOSTILE),
    ]
    assert written(azure, entry, *batch) == Delivered(3)
    told = [(one["Change"], one["Status"], one["State"]) for one in azure.rows]
    assert told == [
        ("resolved", "resolved", "final"),
        ("withdrawn", "open", "withdrawn"),
        ("updated", "open", "provisional"),
    ]
    assert azure.rows[2]["Title"] == azure.rows[2]["Summary"] == HOSTILE


@given(bodies())
@settings(max_examples=50)
def test_every_alert_is_a_row_of_the_table(one: dict[str, Any]) -> None:
    meta = one["meta"]
    checked(orjson.loads(orjson.dumps(row(Result("alert", one["id"], 0, meta["state"], one)))))


def test_the_template_declares_what_is_sent() -> None:
    text = Path(__file__).parents[2] / "docs" / "sinks" / "sentinel.json"
    table, rule = json.loads(text.read_text("utf-8"))["resources"]
    (stream,) = rule["properties"]["streamDeclarations"].items()
    assert stream[0] == "Custom-Barograph_CL"
    assert {one["name"]: one["type"] for one in stream[1]["columns"]} == COLUMNS
    columns = table["properties"]["schema"]["columns"]
    assert {one["name"]: one["type"].lower() for one in columns} == COLUMNS


def test_a_long_list_loses_its_oldest_and_says_so() -> None:
    timeline = [{"time": NOON, "text": f"{n} " + "y" * 900} for n in range(100)]
    told = row(alert("a", timeline=timeline))
    kept = len(told["Timeline"])
    assert 20 < kept < 35
    assert told["Timeline"] == timeline[-kept:]
    assert told["Shortened"] == ["timeline"]


def test_no_call_is_larger_than_it_may_be() -> None:
    azure = Azure()
    batch = [alert(str(n), summary="\u00fc" * 8000) for n in range(120)]
    assert written(azure, entry, *batch) == Delivered(120)
    assert len(azure.calls) == 3
    assert max(azure.calls) <= 1_000_000
    assert [one["AlertId"] for one in azure.rows] == [str(n) for n in range(120)]


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    azure, now = Azure(lifetime=600), [1000.0]
    with Receiver(azure) as receiver:
        one = Sentinel(Settings.model_validate(entry(receiver.url)), lambda: now[0])
        for at in (1000.0, 1599.0 - EARLY, 1600.0 - EARLY):
            now[0] = at
            assert one.write([alert("a")]) == Delivered(1)
        one.close()
    assert azure.issued == 2


def test_a_token_that_is_no_longer_taken_is_asked_for_anew_once() -> None:
    azure = Azure()
    with Receiver(azure) as receiver:
        one = sink(entry(receiver.url))
        assert one.write([alert("a")]) == Delivered(1)
        azure.good.clear()
        assert one.write([alert("b")]) == Delivered(1)
        assert azure.issued == 2
        azure.replies = [failure(401, "AuthenticationFailed")] * 2
        refused = one.write([alert("c")])
        one.close()
    assert (azure.issued, refused.taken, refused.misconfigured) == (3, 0, True)


@pytest.mark.parametrize(
    ("answer", "expected", "wait"),
    [
        (failure(400, "InvalidPayload"), "reject", 0.0),
        (failure(400, "InvalidStream"), "config", 0.0),
        (Reply(400, b"", {"x-ms-error-code": "InvalidStream"}), "config", 0.0),
        (failure(403, "OperationFailed"), "config", 0.0),
        (failure(404, "NotFound"), "config", 0.0),
        (failure(413, "ContentLengthLimitExceeded"), "reject", 0.0),
        (failure(429, "Throttled", **{"retry-after": "30"}), "retry", 30.0),
        (failure(500, "InternalServerError"), "retry", 0.0),
        (failure(503, "ServiceUnavailable", **{"retry-after": "5"}), "retry", 5.0),
        (Reply(200, b"<html>welcome</html>"), "config", 0.0),
        (Reply(302, b"", {"location": "https://elsewhere.example"}), "config", 0.0),
    ],
)
def test_each_answer_has_its_verdict(answer: Reply, expected: str, wait: float) -> None:
    azure = Azure()
    azure.replies = [answer]
    done = written(azure, entry, alert("a"))
    assert verdict(done) == expected
    assert done.wait == wait
    assert SECRET not in str(done)
    assert "token-1" not in str(done)


@pytest.mark.parametrize(
    ("answer", "misconfigured", "words"),
    [
        (Reply.json(400, {"error": "unauthorized_client"}), True, "unauthorized_client"),
        (Reply.json(401, {"error": "invalid_client"}), True, "invalid_client"),
        (Reply(404, b"no tenant"), True, "no tenant"),
        (Reply(429, b"slow down"), False, "slow down"),
        (Reply(503, b"not now"), False, "not now"),
        (Reply(200, b"<html>welcome</html>"), True, "is it the login host?"),
        (Reply.json(200, {"access_token": "x"}), True, "is it the login host?"),
    ],
)
def test_an_error_of_the_login_is_told_as_one(
    answer: Reply,
    misconfigured: bool,  # noqa: FBT001 - a column of the table
    words: str,
) -> None:
    azure = Azure()
    azure.logins = [answer, answer]
    done = written(azure, entry, alert("a"))
    assert (done.taken, done.misconfigured) == (0, misconfigured)
    assert f"/{TENANT}/oauth2/v2.0/token" in str(done.problem)
    assert words in str(done.problem)
    assert azure.calls == []


def test_one_bad_row_does_not_hold_up_its_neighbours() -> None:
    class Picky(Azure):
        def __call__(self, request: Request) -> Reply:
            bad = b'"bad one"' in request.body
            return failure(400, "InvalidPayload") if bad else super().__call__(request)

    azure = Picky()
    batch = [alert(id_, title="bad one" if id_ == "c" else "good") for id_ in "abcde"]
    done = written(azure, entry, *batch)
    assert (done.taken, [one.result.id for one in done.refused]) == (5, ["c"])
    assert [one["AlertId"] for one in azure.rows] == ["a", "b", "d", "e"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret": None}, "has no secret"),
        ({"rule": "my-rule"}, "wrong 'rule'"),
        ({"stream": "a/b"}, "wrong 'stream'"),
        ({"login": "login.example"}, "no usable url"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Mistake, match=words) as caught:
        sink(entry("https://soc.example", **change))
    assert SECRET not in str(caught.value)


def test_a_storm(tmp_path: Path) -> None:
    azure = Azure(lifetime=121)  # seconds, so it is soon over

    def told() -> list[Told]:
        ended = {"withdrawn", "resolved"}
        return [Told(one["AlertId"], one["Revision"], one["Change"] in ended) for one in azure.rows]

    with Receiver(azure) as receiver:
        long = entry(receiver.url, timeout="2s", request_bytes=2**15)
        figures = storm(receiver, tmp_path, long, told, alerts=30, every=4)
    assert figures.requests > 10
