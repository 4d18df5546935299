"""Webhook against a real receiver on the loopback: one that fails, flaps, is busy, and lies."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from schemas.config import AnySink
from schemas.errors import Mistake
from schemas.finding import State
from schemas.rows import Result
from sinks.delivery.courier import Courier
from sinks.delivery.kinds import connect
from sinks.delivery.letters import DeadLetters
from sinks.delivery.sink import Delivered, Sink
from sinks.delivery.wire import Wire, judged
from sinks.formats.ocsf import detection_finding
from sinks.webhook import Settings, Webhook, signature
from streams.journal import Journal
from tests.sinks import alerts, receiving
from tests.sinks.storms import Told, storm

T = "2026-01-01T12:00:00.000000Z"
SECRET = "whsec_b2J2aW91c2x5IG5vdCBhIHNlY3JldA=="  # noqa: S105 - "obviously not a secret"
KEY = b"obviously not a secret"

Answer = Callable[[], web.Response | Awaitable[web.Response]]


class Receiver:
    """Answers as told, then 200; keeps what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Answer] = []
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.raw: list[bytes] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.raw.append(body)
        self.got.append((dict(request.headers), orjson.loads(body)))
        if not self.answers:
            return web.Response()
        answer = self.answers.pop(0)()
        return answer if isinstance(answer, web.Response) else await answer

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


async def served(receiver: Receiver, context: ssl.SSLContext | None = None) -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    scheme = "http" if context is None else "https"
    receiver.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/hook?team=a"
    return runner


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = await served(receiver)
    yield receiver
    await runner.cleanup()


def sink(receiver: Receiver, **more: object) -> Sink:
    config = {"name": "soc", "kind": "webhook", "url": receiver.url, "secret": SECRET} | more
    return connect(AnySink.model_validate(config), Path())


def alert(id_: str, revision: int = 1, state: State = "provisional", **more: object) -> Result:
    meta = {"state": state, "revision": revision, "emitted": T}
    body: dict[str, object] = {"id": id_, "stage": "watch", "peak_stage": "watch"}
    body |= {"status": "open", "system": "support-bot", **more}
    return Result("alert", id_, 0, state, body | {"meta": meta})


async def sent(hook: Sink, *batch: Result) -> Delivered:
    delivered = await asyncio.to_thread(hook.write, batch)
    hook.flush()
    return delivered


def status(code: int, **headers: str) -> Answer:
    return lambda: web.Response(status=code, text="because", headers=headers)


async def test_an_alert_arrives_signed_with_its_revision(receiver: Receiver) -> None:
    hook = sink(receiver)
    assert await sent(hook, alert("a1", 3)) == Delivered(1)
    ((headers, body),) = receiver.got
    assert body == {"type": "alert.updated", "timestamp": T, "data": alert("a1", 3).body}
    assert headers["webhook-id"] == "a1-3"
    stamp = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(KEY, "a1-3", stamp, receiver.raw[0])
    assert headers["Content-Type"] == "application/json"


def test_the_signature_is_that_of_openssl() -> None:
    expected = "v1,hCIRb8MvmoNxKcBFJ1JDvE5O3o9Ul2CsrbOLDB3Aj5E="
    assert signature(KEY, "a1-1", 1767268800, b'{"a":1}') == expected


async def test_the_type_says_what_happened(receiver: Receiver) -> None:
    await sent(
        sink(receiver),
        alert("a"),
        alert("a", 2),
        alert("a", 3, status="expired"),
        alert("b", 2, "withdrawn"),
    )
    assert [body["type"] for _, body in receiver.got] == [
        "alert.opened",
        "alert.updated",
        "alert.expired",
        "alert.withdrawn",
    ]


async def test_an_alert_arrives_as_ocsf(receiver: Receiver) -> None:
    whole = alerts.alert("a1", 2)
    assert await sent(sink(receiver, format="ocsf"), whole) == Delivered(1)
    ((headers, body),) = receiver.got
    assert body == detection_finding(whole.body)
    assert headers["webhook-id"] == body["metadata"]["uid"] == "a1-2"
    stamp = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(KEY, "a1-2", stamp, receiver.raw[0])


async def test_an_alert_is_followed_from_the_stage_that_was_asked_for(receiver: Receiver) -> None:
    await sent(
        sink(receiver, stages=["warning"]),
        alert("a"),
        alert("a", 2, stage="warning", peak_stage="warning"),
        alert("a", 3, stage="outlook", peak_stage="warning"),
        alert("b"),
    )
    assert receiver.ids == ["a-2", "a-3"]


async def test_the_first_that_has_to_wait_stops_the_batch(receiver: Receiver) -> None:
    receiver.answers = [status(200), status(503)]
    hook = sink(receiver)
    delivered = await sent(hook, alert("a"), alert("b"), alert("c"))
    assert (delivered.taken, delivered.wait, delivered.misconfigured) == (1, 0.0, False)
    assert delivered.problem is not None
    assert delivered.problem.startswith("http://127.0.0.1:")
    assert delivered.problem.endswith("/hook answered 503 Service Unavailable: because")
    assert (await sent(hook, alert("b"), alert("c"))).taken == 2
    assert receiver.ids == ["a-1", "b-1", "b-1", "c-1"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", 0.0),
    ],
)
async def test_a_busy_receiver_says_how_long(
    receiver: Receiver, header: str, seconds: float
) -> None:
    receiver.answers = [status(429, **{"Retry-After": header})]
    settings = Settings(name="soc", kind="webhook", url=receiver.url)
    hook = Webhook(Wire(settings, clock=lambda: 1767268800.0), None)
    delivered = await sent(hook, alert("a"))
    assert (delivered.taken, delivered.wait) == (0, seconds)


async def test_a_record_that_it_will_never_take_is_refused_and_the_rest_goes_on(
    receiver: Receiver,
) -> None:
    receiver.answers = [status(200), status(422), status(200)]
    delivered = await sent(sink(receiver), alert("a"), alert("b"), alert("c"))
    assert (delivered.taken, delivered.problem) == (3, None)
    ((refused, reason),) = delivered.refused
    assert refused.id == "b"
    assert reason.endswith("answered 422 Unprocessable Entity: because")


@pytest.mark.parametrize("code", [302, 401, 403, 404, 410])
async def test_what_a_person_has_to_mend_keeps_the_alert(receiver: Receiver, code: int) -> None:
    receiver.answers = [status(code, Location="http://elsewhere.example/")]
    delivered = await sent(sink(receiver), alert("a"))
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert delivered.problem is not None


def test_every_status_has_a_verdict() -> None:
    verdicts = {code: judged(code, "", 0).verdict for code in range(100, 600)}
    assert {verdicts[code] for code in (200, 202, 204)} == {"ok"}
    assert {verdicts[code] for code in (408, 425, 429, 500, 502, 503, 504)} == {"retry"}
    assert {verdicts[code] for code in (301, 307, 401, 407)} == {"config"}
    assert {verdicts[code] for code in (400, 409, 415, 422)} == {"reject"}
    assert verdicts[413] == "split"


async def test_a_receiver_that_hangs_is_left_after_the_timeout(receiver: Receiver) -> None:
    released = asyncio.Event()

    async def hang() -> web.Response:
        await released.wait()
        return web.Response()

    receiver.answers = [hang]
    delivered = await sent(sink(receiver, timeout="1s"), alert("a"))
    released.set()
    assert (delivered.taken, delivered.misconfigured) == (0, False)
    assert delivered.problem is not None
    assert "cannot be reached: timed out" in delivered.problem


async def test_nobody_there_is_a_problem_that_passes(receiver: Receiver) -> None:
    hook = sink(receiver, url="http://127.0.0.1:9/hook")
    delivered = await sent(hook, alert("a"))
    assert delivered.problem == (
        "http://127.0.0.1:9/hook cannot be reached: [Errno 111] Connection refused"
    )
    assert not delivered.misconfigured


async def test_a_long_answer_is_not_read_to_the_end(receiver: Receiver) -> None:
    receiver.answers = [lambda: web.Response(status=400, text="x" * 1_000_000)]
    delivered = await sent(sink(receiver), alert("a"), alert("b"))
    assert delivered.taken == 2
    assert len(delivered.refused[0].reason) < 400


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here: apt-get install openssl")
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*words, "-keyout", key, "-out", cert, *name], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


async def test_a_certificate_that_nobody_trusts_is_a_misconfiguration(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    receiver = Receiver()
    runner = await served(receiver, context)
    delivered = await sent(sink(receiver), alert("a"))
    await runner.cleanup()
    assert delivered.misconfigured
    assert delivered.problem is not None
    assert "has a certificate that is not trusted: self-signed certificate" in delivered.problem
    assert receiver.got == []


async def test_a_trusted_certificate_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    receiver = Receiver()
    runner = await served(receiver, context)
    delivered = await sent(sink(receiver), alert("a"))
    await runner.cleanup()
    assert delivered == Delivered(1)


@pytest.mark.parametrize("url", ["receiver.example/hook", "ftp://x/", "https://u:p@x/"])
def test_a_url_that_cannot_be_used_is_a_mistake(url: str) -> None:
    with pytest.raises(Mistake, match="sink 'soc' has no usable url"):
        connect(AnySink.model_validate({"name": "soc", "kind": "webhook", "url": url}), Path())


def test_a_secret_that_is_none_is_a_mistake_that_does_not_quote_it() -> None:
    entry = {"name": "soc", "kind": "webhook", "url": "https://x/", "secret": "p@ss"}
    config = AnySink.model_validate(entry)
    with pytest.raises(Mistake, match="not `whsec_` and base64") as caught:
        connect(config, Path())
    assert "p@ss" not in str(caught.value)


async def test_a_receiver_that_flaps_gets_each_revision_in_order(
    receiver: Receiver, tmp_path: Path
) -> None:
    """The whole way: journal, courier, webhook; the receiver is idempotent by `webhook-id`."""

    async def drop() -> web.Response:
        raise asyncio.CancelledError

    receiver.answers = [status(500), status(200), status(429), drop, status(200), status(400)]
    hook = sink(receiver)
    stamp: dict[str, Any] = {"first_time": T, "last_time": T, "thread": "t"}
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.subscribe({"soc": hook.kinds})
        results = [alert("a", body_sha256=str(n), **stamp) for n in range(4)]
        journal.commit({}, {}, [msgspec.msgpack.encode(result) for result in results])
        letters = DeadLetters(tmp_path / "dead-letters.jsonl", lambda: 0)
        courier = Courier("soc", hook, journal, letters, jitter=lambda: 0.0)
        waits: Sequence[float] = [await asyncio.to_thread(courier.step) for _ in range(6)]
        assert journal.backlog("soc") == 0
    assert list(dict.fromkeys(receiver.ids)) == ["a-1", "a-2", "a-3", "a-4"]
    assert receiver.ids == ["a-1", "a-1", "a-2", "a-2", "a-2", "a-3", "a-4"]
    assert waits[0] == 0.0
    assert (courier.status.delivered, letters.count) == (3, 1)


def test_a_storm(tmp_path: Path) -> None:
    with receiving.Receiver(lambda _: receiving.Reply(204)) as receiver:

        def told() -> list[Told]:
            heard = [(orjson.loads(request.body)) for request in receiver.got]
            return [
                Told(
                    one["data"]["id"],
                    one["data"]["meta"]["revision"],
                    one["type"] not in ("alert.opened", "alert.updated"),
                )
                for one in heard
            ]

        entry = {"name": "soc", "kind": "webhook", "url": receiver.url, "timeout": "2s"}
        figures = storm(receiver, tmp_path, entry, told)
    assert figures.requests >= 40 * 4
