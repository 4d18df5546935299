"""SecOps against a double of Google's login, which verifies the JWT, and of the Chronicle API."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from schemas.errors import Mistake
from sinks.delivery.sink import Delivered
from sinks.formats.envelope import envelope
from sinks.formats.udm import event
from tests.sinks.alerts import HOSTILE, LATER, NOON, alert
from tests.sinks.formats.udm_extract import Udm
from tests.sinks.made import sink, verdict, written
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import Told, storm
from tests.sinks.tokens import Tokens

INSTANCE = "projects/soc/locations/eu/instances/00000000-0000-0000-0000-00000000000a"
MAIL = "barograph@soc.iam.example"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC = PRIVATE.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
AUDIENCE = "https://oauth2.googleapis.com/token"  # whichever host is asked
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Google(Tokens):
    """A login and an instance."""

    def __init__(self, lifetime: int = 3599, method: str = "events:import") -> None:
        super().__init__(lifetime)
        self.method = method
        self.taken: list[dict[str, Any]] = []
        self.sources: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Reply:
        return self._login(request) if request.path == "/token" else self._take(request)

    def _login(self, request: Request) -> Reply:
        if self.logins:
            return self.logins.pop(0)
        asked = {name: value for name, [value] in parse_qs(request.body.decode()).items()}
        decode: Any = jwt.decode
        said = decode(asked["assertion"], certs=PUBLIC, audience=AUDIENCE)
        assert asked["grant_type"] == GRANT
        assert said["iss"] == MAIL
        assert said["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        assert said["exp"] - said["iat"] <= 3600
        return self.grant()

    def _take(self, request: Request) -> Reply:
        if not self.knows(request):
            return failure(401, "UNAUTHENTICATED")
        if request.method != "POST" or request.path != f"/v1/{INSTANCE}/{self.method}":
            return failure(404, "NOT_FOUND")
        assert request.headers["content-type"] == "application/json"
        self.calls.append(len(request.body))
        if len(request.body) > 4_000_000:
            return failure(413, "FAILED_PRECONDITION")
        if self.replies:
            return self.replies.pop(0)
        ((union, source),) = orjson.loads(request.body).items()
        assert union == "inlineSource"
        some = source.pop("events" if self.method == "events:import" else "logs")
        if not all(map(valid, some)):
            return failure(400, "INVALID_ARGUMENT")  # one that is not valid, and none is taken
        self.taken += some
        self.sources.append(source)
        return Reply(200, b"{}\n", {"content-type": "application/json"})


def valid(one: dict[str, Any]) -> bool:
    """True for an event of UDM, or a log; both with nothing else."""
    if set(one) == {"udm"}:
        Udm.model_validate(one["udm"])
        return bool(one["udm"]["metadata"]["description"] != "a bad one")
    assert set(one) == {"data", "logEntryTime", "collectionTime"}
    orjson.loads(base64.b64decode(one["data"], validate=True))
    return True


def failure(status: int, code: str, **headers: str) -> Reply:
    error = {"code": status, "message": "because", "status": code}
    return Reply.json(status, {"error": error}, **headers)


def key(url: str) -> str:
    """The key file of a service account."""
    info = {
        "type": "service_account",
        "project_id": "soc",
        "private_key_id": "0" * 40,
        "private_key": PEM,
        "client_email": MAIL,
        "token_uri": f"{url}/token",
    }
    return orjson.dumps(info).decode()


def entry(url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    project, region, instance = INSTANCE.split("/")[1::2]
    return {
        "name": "soc",
        "kind": "secops",
        "url": url,
        "project": project,
        "region": region,
        "instance": instance,
        "secret": key(url),
        "timeout": "5s",
    } | more


def test_alerts_are_events_of_udm() -> None:
    google = Google()
    batch = [
        alert("a"),
        alert("b", 2, "final", status="resolved"),
        alert("c", 3, "withdrawn"),
        alert("d", title=HOSTILE, summary=HOSTILE),
    ]
    assert written(google, entry, *batch) == Delivered(4)
    assert google.taken == [{"udm": event(one)} for one in batch]
    assert google.sources == [{}]


@pytest.mark.parametrize(
    ("more", "source"),
    [({}, {}), ({"forwarder": "f1"}, {"forwarder": f"{INSTANCE}/forwarders/f1"})],
)
def test_alerts_are_raw_logs(more: dict[str, str], source: dict[str, str]) -> None:
    google = Google(method="logTypes/BAROGRAPH_CUSTOM/logs:import")
    batch = [alert("a"), alert("b", 2, "withdrawn", title=HOSTILE)]
    raw = {"format": "raw", "log_type": "BAROGRAPH_CUSTOM"}
    assert written(google, entry, *batch, **raw, **more) == Delivered(2)
    assert google.taken == [
        {
            "data": base64.b64encode(orjson.dumps(envelope(one))).decode(),
            "logEntryTime": LATER,
            "collectionTime": LATER,
        }
        for one in batch
    ]
    assert google.sources == [source]


def test_no_request_is_larger_than_it_may_be() -> None:
    google = Google()
    batch = [alert(str(n), summary="s" * 100_000) for n in range(90)]
    assert written(google, entry, *batch) == Delivered(90)
    assert len(google.calls) == 3
    assert max(google.calls) <= 4_000_000


def test_a_huge_alert_is_shortened_and_says_so() -> None:
    google = Google()
    timeline = [{"time": NOON, "text": f"{n} " + "y" * 100_000} for n in range(50)]
    assert written(google, entry, alert("a", timeline=timeline)) == Delivered(1)
    told = google.taken[0]["udm"]["additional"]
    assert (told["shortened"], told["timeline"]) == (["timeline"], timeline[-1:])


def test_an_event_that_is_not_valid_is_found_alone() -> None:
    google = Google()
    batch = [alert(id_, title="a bad one" if id_ == "c" else "good") for id_ in "abcde"]
    done = written(google, entry, *batch)
    assert (done.taken, [one.result.id for one in done.refused]) == (5, ["c"])
    told = [one["udm"]["metadata"]["productLogId"] for one in google.taken]
    assert told == ["a-1", "b-1", "d-1", "e-1"]


def test_a_token_is_kept_and_asked_for_anew_when_it_is_no_longer_taken() -> None:
    google = Google()
    with Receiver(google) as receiver:
        one = sink(entry(receiver.url))
        assert one.write([alert("a")]) == Delivered(1)
        assert one.write([alert("b")]) == Delivered(1)
        assert google.issued == 1
        google.good.clear()
        assert one.write([alert("c")]) == Delivered(1)
        assert google.issued == 2
        one.close()


def test_a_token_that_is_almost_over_is_not_used() -> None:
    google = Google(lifetime=60)
    with Receiver(google) as receiver:
        one = sink(entry(receiver.url))
        for id_ in "ab":
            assert one.write([alert(id_)]) == Delivered(1)
        one.close()
    assert google.issued == 2


@pytest.mark.parametrize(
    ("answer", "expected", "wait"),
    [
        (failure(400, "INVALID_ARGUMENT"), "reject", 0.0),
        (failure(403, "PERMISSION_DENIED"), "config", 0.0),
        (failure(404, "NOT_FOUND"), "config", 0.0),
        (failure(413, "FAILED_PRECONDITION"), "reject", 0.0),
        (failure(429, "RESOURCE_EXHAUSTED", **{"retry-after": "30"}), "retry", 30.0),
        (failure(500, "INTERNAL"), "retry", 0.0),
        (failure(503, "UNAVAILABLE"), "retry", 0.0),
        (failure(504, "DEADLINE_EXCEEDED"), "retry", 0.0),
        (Reply(200, b"<html>welcome</html>"), "config", 0.0),
        (Reply(302, b"", {"location": "https://elsewhere.example"}), "config", 0.0),
    ],
)
def test_each_answer_has_its_verdict(answer: Reply, expected: str, wait: float) -> None:
    google = Google()
    google.replies = [answer]
    done = written(google, entry, alert("a"))
    assert verdict(done) == expected
    assert done.wait == wait
    assert "token-1" not in str(done)


@pytest.mark.parametrize(
    ("answer", "misconfigured", "words"),
    [
        (
            Reply.json(400, {"error": "invalid_grant", "error_description": "Invalid JWT"}),
            True,
            "invalid_grant",
        ),
        (Reply.json(401, {"error": "invalid_client"}), True, "invalid_client"),
        (Reply(200, b"<html>welcome</html>"), True, "no token from Google"),
    ],
)
def test_an_error_of_the_login_is_told_as_one(
    answer: Reply,
    misconfigured: bool,  # noqa: FBT001 - a column of the table
    words: str,
) -> None:
    google = Google()
    google.logins = [answer]
    done = written(google, entry, alert("a"))
    assert (done.taken, done.misconfigured) == (0, misconfigured)
    assert words in str(done.problem)
    assert "PRIVATE KEY" not in str(done)
    assert google.calls == []


def test_a_login_that_is_away_passes() -> None:
    google = Google()
    done = written(google, entry, alert("a"), secret=key("http://127.0.0.1:9"))
    assert (done.taken, done.misconfigured) == (0, False)
    assert str(done.problem).startswith("no token from Google: ")


def test_workload_identity_logs_in_by_its_token_file(tmp_path: Path) -> None:
    """A machine elsewhere trades the token that its own cloud gives it."""
    subject = tmp_path / "subject"
    subject.write_text("a-token-of-the-cloud")
    google = Google()

    def answer(request: Request) -> Reply:
        if request.path != "/sts":
            return google(request)
        asked = {name: value for name, [value] in parse_qs(request.body.decode()).items()}
        assert asked["subject_token"] == "a-token-of-the-cloud"  # noqa: S105 - as it says
        google.good.add("token-of-sts")
        said = {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}
        said |= {"access_token": "token-of-sts", "token_type": "Bearer"}
        return Reply.json(200, {"expires_in": 3599, **said})

    with Receiver(answer) as receiver:
        info = {
            "type": "external_account",
            "audience": "//iam.example/projects/1/locations/global/workloadIdentityPools/p",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{receiver.url}/sts",
            "credential_source": {"file": str(subject)},
        }
        one = sink(entry(receiver.url, secret=orjson.dumps(info).decode()))
        assert one.write([alert("a")]) == Delivered(1)
        one.close()


def test_a_machine_without_identity_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    done = written(Google(), entry, alert("a"), secret=None)
    assert (done.taken, done.misconfigured) == (0, True)
    assert "none.json" in str(done.problem)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret": "no JSON"}, "no credentials of Google"),
        ({"secret": '{"type": "service_account"}'}, "no credentials of Google"),
        ({"secret": "[]"}, "no credentials of Google"),
        ({"secret": '{"type": "authorized_user"}'}, "no credentials of Google"),
        ({"secret": '{"type": "external_account"}'}, "no credentials of Google"),
        ({"format": "raw"}, "log_type is what raw logs have"),
        ({"log_type": "X"}, "log_type is what raw logs have"),
        ({"forwarder": "f"}, "only raw logs have a forwarder"),
        ({"region": "e/u"}, "wrong 'region'"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Mistake, match=words) as caught:
        sink(entry("https://soc.example", **change))
    assert "PRIVATE KEY" not in str(caught.value)


@pytest.mark.parametrize("format_", ["udm", "raw"])
def test_a_storm(tmp_path: Path, format_: str) -> None:
    raw = {"format": "raw", "log_type": "BAROGRAPH_CUSTOM"}
    method = "events:import" if format_ == "udm" else "logTypes/BAROGRAPH_CUSTOM/logs:import"
    google = Google(lifetime=121, method=method)  # seconds, so it is soon over

    def told() -> list[Told]:
        return [said(one) for one in google.taken]

    with Receiver(google) as receiver:
        more: dict[str, Any] = raw if format_ == "raw" else {}
        long = entry(receiver.url, timeout="2s", request_bytes=2**15, **more)
        figures = storm(receiver, tmp_path, long, told, alerts=30, every=4)
    assert figures.requests > 10


def said(one: dict[str, Any]) -> Told:
    if "data" in one:
        told = orjson.loads(base64.b64decode(one["data"]))
        ended = told["type"] not in ("alert.opened", "alert.updated")
        return Told(told["data"]["id"], told["data"]["meta"]["revision"], ended)
    id_, _, revision = one["udm"]["metadata"]["productLogId"].rpartition("-")
    kind = one["udm"]["metadata"]["productEventType"]
    return Told(id_, int(revision), kind not in ("alert.opened", "alert.updated"))
