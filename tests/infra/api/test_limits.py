"""What is refused: wrong, hostile, too much, too long, at the wrong time; each in a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.api import api
from infra.reading.snapshots import NO_STORE, NOT_YET, UNREADABLE
from sinks.store import Store
from tests.infra.api.conftest import Client, serving
from tests.infra.written import result

ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"


BOMB = "SELECT repeat('x', 100000000) FROM range(10000)"


async def refused(client: Client, path: str, **sent: Any) -> tuple[int, str]:  # noqa: ANN401
    method = "post" if sent else "get"
    async with client.request(method, f"/api/v1{path}", **sent) as answer:
        body = await answer.json()
        assert answer.headers["Cache-Control"] == "no-store"
        assert list(body) == ["error"]
        assert "Traceback" not in body["error"]
        return answer.status, body["error"]


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/alerts?stage=loud", 400, "parameter stage.0: Input should be 'outlook', 'watch' or"),
        ("/alerts?stages=watch", 400, "there is no parameter 'stages' here; there are status, "),
        ("/alerts?limit=0", 400, "parameter limit: Input should be greater than or equal to 1"),
        ("/alerts?limit=1&limit=2", 400, "limit is given 2 times; give it once"),
        ("/alerts?after=abc", 400, "after is no place in this list"),
        ("/alerts?after=W10", 400, "after is no place in this list"),
        ("/alerts?after=WyJ4IiwieSJd", 400, "after is no place in this list"),
        ("/alerts?order=pressing&after=WyJ4Il0", 400, "the most pressing alerts are one page"),
        ("/alerts/none", 404, "there is no alert 'none'"),
        ("/alerts/none/path", 404, "there is no alert 'none'"),
        ("/alerts/x?id=y", 400, "id stands in the path already"),
        ("/systems/none", 404, "there is no AI system 'none'"),
        ("/assets/model:none", 404, "the store knows no entity 'model:none'"),
        ("/assets?kind=person", 400, "parameter kind.0: Input should be 'principal', "),
        ("/lineage/model:none", 404, "the store knows no entity 'model:none'"),
        ("/lineage/model:m?depth=1000", 400, "parameter depth: Input should be less than or"),
        ("/lineage/model:m?as_of=yesterday", 400, "parameter as_of: not an RFC 3339 time"),
        ("/queries/none", 404, "no query is called 'none'"),
        ("/queries/new_tools?since=x", 400, "query 'new_tools': since cannot be 'x'; give it"),
        ("/queries/new_tools?sinse=3d", 400, "query 'new_tools' has no parameter 'sinse'"),
        ("/queries/blast_radius", 400, "query 'blast_radius' needs entity; it takes"),
        ("/nothing", 404, "there is no such path; /api/v1/openapi.json lists them"),
        ("/query", 405, "GET is not for this path; take POST"),
    ],
)
async def test_a_wrong_question(client: Client, path: str, status: int, error: str) -> None:
    code, said = await refused(client, path)
    assert code == status
    assert said.startswith(error), said


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"data": b"{"}, "the body is not JSON"),
        ({"data": b"[]"}, "the body is not a JSON object"),
        ({"json": {}}, "the field 'sql' is missing"),
        ({"json": {"sql": "", "x": 1}}, "field sql: String should have at least 1 character"),
        ({"json": {"sql": "SELEC 1"}}, "the query cannot be answered: Parser Error"),
        ({"json": {"sql": "FROM '/etc/passwd'"}}, "the query cannot be answered: Catalog"),
        ({"json": {"sql": "CREATE TABLE t(i int)"}}, "a query only asks: CREATE is not run"),
        ({"json": {"sql": "SELECT 1; SELECT 2"}}, "ask one thing at a time"),
        ({"json": {"sql": BOMB}}, "the query needs more than 1 GB of memory; narrow it"),
        ({"json": {"sql": "x" * 20_001}}, "field sql: String should have at most 20000"),
    ],
)
async def test_a_wrong_query(client: Client, sent: dict[str, Any], error: str) -> None:
    code, said = await refused(client, "/query", **sent)
    assert (code, said.startswith(error)) == (400, True), said


async def test_a_body_that_is_too_long(client: Client) -> None:
    assert await refused(client, "/query", data=b" " * (api.BODY + 1)) == (
        413,
        "a request has at most 64 KiB; send less",
    )


async def raw(client: Client, head: str, body: bytes = b"") -> bytes:
    """What is answered to these bytes; the connection is left to the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode() + body)
    try:
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_body_that_is_promised_and_does_not_come(demo: Path) -> None:
    async with serving(demo, seconds=0.2) as client:
        post = "POST /api/v1/query"
        huge = await raw(client, post, b"Content-Length: 99999999\r\n\r\n{")
        assert huge.startswith(b"HTTP/1.1 413 ")
        slow = await raw(client, post, b"Content-Length: 20\r\n\r\n{")
        assert b'{"error":"the body did not come within 0.2 s; send it whole"}' in slow


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/alerts/%ff%fe", 404),
        ("/api/v1/alerts/%00", 404),
        ("/api/v1/alerts/%ed%a0%80", 404),
        ("/api/v1/alerts/%", 404),
        ("/api/v1/alerts?system=%ed%a0%80", 200),
        ("/api/v1/alerts?%00=1", 400),
        ("/api/v1/../../etc/passwd", 404),
        ("/api/v1/assets/..%2f..%2fetc%2fpasswd", 404),
        ("/api/v1//alerts", 404),
        ("/api/v1/", 404),
    ],
)
async def test_a_path_that_no_client_would_send(client: Client, path: str, status: int) -> None:
    answer = await raw(client, f"GET {path}", b"\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"Traceback" not in answer


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe{}",
        b'{"sql":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"sql": "\\ud800"}',
        b'{"sql": "\\u0000"}',
        b'{"sql": 1e999}',
        b"null",
        b"",
    ],
)
async def test_a_body_that_no_client_would_send(client: Client, body: bytes) -> None:
    assert (await refused(client, "/query", data=body))[0] == 400


async def test_an_answer_that_is_too_long(client: Client) -> None:
    sql = "SELECT repeat('x', 1000000) FROM range(50)"
    assert await refused(client, "/query", json={"sql": sql}) == (
        400,
        "the answer has more than 32 MiB; ask for fewer rows",
    )


async def test_rows_are_cut_and_said_to_be(demo: Path) -> None:
    async with serving(demo, rows=3) as client:
        async with client.get("/api/v1/assets?limit=100") as answer:
            body = await answer.json()
            assert (len(body["rows"]), body["more"]) == (3, True)
        async with client.post("/api/v1/query", json={"sql": "FROM range(4)"}) as answer:
            body = await answer.json()
            assert (len(body["rows"]), body["more"]) == (3, True)


async def test_an_endless_query_is_interrupted_and_others_go_on(demo: Path) -> None:
    async with serving(demo, seconds=1.0) as client:
        endless = asyncio.create_task(refused(client, "/query", json={"sql": ENDLESS}))
        await asyncio.sleep(0)
        async with client.get("/api/v1/systems") as answer:
            assert answer.status == 200
        code, said = await endless
    assert (code, said) == (
        504,
        "the query took more than 1 s; narrow it or give it more time",
    )


async def test_too_much_at_once(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "WAITING", 2)
    async with serving(demo, seconds=1.0) as client:
        answers = await asyncio.gather(
            *(refused(client, "/query", json={"sql": ENDLESS}) for _ in range(5))
        )
    assert sorted(code for code, _ in answers) == [503, 503, 503, 504, 504]


async def test_without_a_store_or_before_its_first_snapshot(tmp_path: Path) -> None:
    async with serving(None) as client:
        assert await refused(client, "/alerts") == (503, NO_STORE)
    async with serving(tmp_path / "barograph.duckdb") as client:
        assert await refused(client, "/alerts") == (503, NOT_YET)
    (tmp_path / "odd.duckdb").write_bytes(b"x" * 20_000)
    async with serving(tmp_path / "odd.duckdb") as client:
        assert await refused(client, "/alerts") == (503, UNREADABLE)


async def test_pages_neither_repeat_nor_leave_out_while_the_store_changes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.open(None)

    def put(*numbers: int) -> None:
        for n in numbers:
            times = dict.fromkeys(
                ("first_time", "onset_time", "last_time"), f"2026-03-02T00:00:{n // 2:02}Z"
            )
            body = {"id": f"a{n:02}", "stage": "watch", "status": "open", "system": "s"}
            store.write([result("alert", n, body | times | {"meta": {"revision": 1}})])
        store.publish()

    put(*range(0, 40, 2))
    seen: list[str] = []
    async with serving(tmp_path / "barograph.duckdb") as client:
        path = "/api/v1/alerts?limit=3"
        for new in range(1, 41, 2):
            async with client.get(path) as answer:
                body = await answer.json()
            seen += [row["id"] for row in body["rows"]]
            if body["next"] is None:
                break
            put(new)  # between two pages there is one more
            path = f"/api/v1/alerts?limit=3&after={body['next']}"
    store.close()
    assert seen == sorted(seen, reverse=True)
    assert {f"a{n:02}" for n in range(0, 40, 2)} <= set(seen)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=60))
def test_a_hostile_name_is_never_part_of_a_query(demo: Path, text: str) -> None:
    async def ask() -> None:
        async with serving(demo) as client:
            for path in ("alerts", "systems", "assets", "lineage", "queries"):
                name = quote(text, safe="")
                async with client.get(f"/api/v1/{path}/{name}") as answer:
                    assert answer.status in (200, 404), await answer.text()
            for name in ("system", "after", "layer"):
                url = f"/api/v1/assets?{name}={quote(text, safe='')}"
                async with client.get(url) as answer:
                    assert answer.status in (200, 400), await answer.text()

    asyncio.run(ask())
