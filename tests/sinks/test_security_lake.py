"""Security Lake against a double of S3 that checks what S3 checks, and against moto's server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3  # type: ignore[import-untyped]
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from schemas.config import AnySink
from schemas.errors import Mistake
from schemas.rows import Result
from schemas.times import DAY, MINUTE, SECOND, parse, rfc3339
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from sinks.formats.ocsf import detection_finding
from sinks.security_lake import LOOK, SecurityLake, Settings
from tests.sinks.alerts import HOSTILE, LATER, alert
from tests.sinks.formats.test_ocsf_parquet import plain, stored
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import Told, storm

BUCKET = "lake-of-the-soc"
FOLDER = "ext/barograph/region=eu-central-1/accountId=111122223333/eventDay="
SECRET = "obviously-not-a-secret"  # noqa: S105 - as it says


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE00000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


class S3:
    """PutObject: a signed whole object into one bucket, the newest body under each key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts: list[str] = []
        self.replies: list[Reply] = []

    def __call__(self, request: Request) -> Reply:  # noqa: PLR0911 - each refusal is one
        _, bucket, key = unquote(urlsplit(request.path).path).split("/", 2)
        headers = request.headers
        signed = headers.get("authorization", "")
        if request.method != "PUT":
            return refusal(405, "MethodNotAllowed")
        if not signed.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE00000000/"):
            return refusal(403, "AccessDenied")
        if "/eu-central-1/s3/aws4_request" not in signed:
            return refusal(400, "AuthorizationHeaderMalformed")
        if headers.get("x-amz-content-sha256") != hashlib.sha256(request.body).hexdigest():
            return refusal(400, "XAmzContentSHA256Mismatch")
        if bucket != BUCKET:
            return refusal(404, "NoSuchBucket")
        if self.replies:
            return self.replies.pop(0)
        assert headers["content-type"] == "application/vnd.apache.parquet"
        self.objects[key] = request.body
        self.puts.append(key)
        return Reply(200, b"", {"etag": '"e"'})

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows of the lake, as the objects came."""
        return [row for body in self.objects.values() for row in read(body)]


def read(body: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(BytesIO(body)).to_pylist(maps_as_pydicts="strict")
    return rows


def refusal(status: int, code: str) -> Reply:
    text = f"<Error><Code>{code}</Code><Message>because</Message></Error>"
    return Reply(status, text.encode(), {"content-type": "application/xml"})


def entry(url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    return {
        "name": "lake",
        "kind": "security_lake",
        "bucket": BUCKET,
        "region": "eu-central-1",
        "account": "111122223333",
        "endpoint": url,
        "interval": "0s",
        "timeout": "5s",
    } | more


def sink(url: str, **more: Any) -> Sink:  # noqa: ANN401 - settings
    return connect(AnySink.model_validate(entry(url, **more)), Path())


def said(id_: str, at: str, revision: int = 1) -> Result:
    one = alert(id_, revision)
    one.body["meta"]["emitted"] = at
    return one


def written(s3: S3, *batch: Result, **more: Any) -> Delivered:  # noqa: ANN401
    with Receiver(s3) as receiver:
        lake = sink(receiver.url, **more)
        delivered = lake.write(batch)
        lake.close()
    return delivered


def test_alerts_lie_where_the_lake_looks_for_them() -> None:
    batch = [
        alert("a"),
        alert("b", 2, "withdrawn"),
        alert("c", 3, "final", status="resolved"),
        alert("d", title=HOSTILE, summary=HOSTILE),
    ]
    s3 = S3()
    assert written(s3, *batch) == Delivered(4)
    ((key, body),) = s3.objects.items()
    folder, _, name = key.rpartition("/")
    assert folder == f"{FOLDER}20260101"
    assert name.endswith(".parquet")
    assert [plain(row) for row in read(body)] == [
        stored(detection_finding(one.body)) for one in batch
    ]


def test_each_day_has_its_files_and_no_file_more_than_so_many_rows() -> None:
    days = ["2026-01-01T23:59:59.999999Z"] * 3 + ["2026-01-02T00:00:00.000000Z"] * 2
    s3 = S3()
    assert written(s3, *(said(str(n), at) for n, at in enumerate(days)), rows=2) == Delivered(5)
    told = [(key.split("=")[-1][:8], len(read(body))) for key, body in s3.objects.items()]
    assert told == [("20260101", 2), ("20260101", 1), ("20260102", 2)]


def test_what_comes_again_writes_the_same_object() -> None:
    """A kill after the upload: the batch begins with the same revision, and may have grown."""
    s3 = S3()
    written(s3, alert("a"), alert("b"))
    written(s3, alert("a"), alert("b"), alert("c"))
    assert len(s3.puts) == 2
    assert [row["finding_info"]["uid"] for row in s3.rows] == ["a", "b", "c"]


class Clock:
    """Says the time that a test sets, in microseconds after the alerts of tests were said."""

    def __init__(self) -> None:
        self.after = 0

    def __call__(self) -> float:
        return (parse(LATER) + self.after) / SECOND


def test_a_file_is_written_when_it_is_due() -> None:
    s3, clock = S3(), Clock()
    with Receiver(s3) as receiver:
        settings = Settings.model_validate(entry(receiver.url, interval="5m", rows=3))
        lake = SecurityLake(settings, clock)
        two = [alert("a"), alert("b")]
        assert lake.write(two) == Delivered(0, wait=LOOK)
        clock.after = 5 * MINUTE - SECOND
        assert lake.write(two) == Delivered(0, wait=1.0)
        assert s3.puts == []
        assert lake.write([*two, alert("c"), alert("d")]) == Delivered(3, wait=1.0)
        clock.after = 5 * MINUTE
        assert lake.write([alert("d")]) == Delivered(1)
        lake.close()
    assert [len(read(body)) for body in s3.objects.values()] == [3, 1]


def test_a_day_that_is_over_is_not_waited_for_longer_than_any_other() -> None:
    s3, clock = S3(), Clock()
    clock.after = DAY
    with Receiver(s3) as receiver:
        lake = SecurityLake(Settings.model_validate(entry(receiver.url, interval="1h")), clock)
        now = rfc3339(parse(LATER) + DAY)
        delivered = lake.write([alert("a"), said("b", now)])
        lake.close()
    assert delivered == Delivered(1, wait=LOOK)


@pytest.mark.parametrize(
    ("status", "code", "misconfigured"),
    [
        (400, "AuthorizationHeaderMalformed", True),
        (400, "ExpiredToken", True),
        (400, "InvalidBucketName", True),
        (400, "RequestTimeout", False),
        (403, "AccessDenied", True),
        (403, "AllAccessDisabled", True),
        (403, "InvalidAccessKeyId", True),
        (403, "RequestTimeTooSkewed", False),
        (403, "SignatureDoesNotMatch", True),
        (404, "NoSuchBucket", True),
        (409, "OperationAborted", False),
        (429, "TooManyRequests", False),
        (500, "InternalError", False),
        (503, "ServiceUnavailable", False),
        (503, "SlowDown", False),
    ],
)
def test_each_error_has_its_verdict(status: int, code: str, misconfigured: bool) -> None:  # noqa: FBT001 - a column of the table
    s3 = S3()
    s3.replies = [refusal(status, code)]
    done = written(s3, alert("a"))
    assert (done.taken, done.refused, done.misconfigured) == (0, (), misconfigured)
    assert f"was refused: {status} {code}: because" in str(done.problem)
    assert SECRET not in str(done)


def test_nobody_there_passes_and_no_credentials_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    lake = sink("http://127.0.0.1:9")
    away = lake.write([alert("a")])
    lake.close()
    assert (away.taken, away.misconfigured) == (0, False)
    assert "cannot be written" in str(away.problem)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    lake = sink("http://127.0.0.1:9")
    nobody = lake.write([alert("a")])
    lake.close()
    assert (nobody.taken, nobody.misconfigured) == (0, True)
    assert "Unable to locate credentials" in str(nobody.problem)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"endpoint": "s3.example"}, "no usable endpoint"),
        ({"endpoint": "https://a:b@s3.example"}, "no usable endpoint"),
        ({"account": "12"}, "wrong 'account'"),
        ({"bucket": "No_Bucket"}, "wrong 'bucket'"),
        ({"interval": "2d"}, "wrong 'interval'"),
        ({"rows": 0}, "wrong 'rows'"),
        ({"ca": "none.pem"}, "cannot use none.pem"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Mistake, match=words):
        sink("https://s3.example", **change)


@pytest.fixture
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_server_of_s3_has_what_was_written(moto: str) -> None:
    lake = sink(moto)
    missing = lake.write([alert("a")])
    assert (missing.taken, missing.misconfigured) == (0, True)
    assert "404 NoSuchBucket" in str(missing.problem)
    client = boto3.client("s3", endpoint_url=moto, region_name="eu-central-1")
    where = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    assert lake.write([alert("a"), alert("b")]) == Delivered(2)
    lake.close()
    (found,) = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert found["Key"].startswith(f"{FOLDER}20260101/")
    with client.get_object(Bucket=BUCKET, Key=found["Key"])["Body"] as body:
        assert [row["finding_info"]["uid"] for row in read(body.read())] == ["a", "b"]
    client.close()


def test_a_storm(tmp_path: Path) -> None:
    s3 = S3()

    def told() -> list[Told]:
        return [
            Told(row["finding_info"]["uid"], row["metadata"]["sequence"], row["activity_id"] == 3)
            for row in s3.rows
        ]

    with Receiver(s3) as receiver:
        figures = storm(receiver, tmp_path, entry(receiver.url, rows=7), told, alerts=30, every=5)
    assert figures.copies == 0  # in the lake itself, not only after its reader
    assert len(s3.puts) > len(s3.objects)
