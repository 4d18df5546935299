"""/healthz, /readyz and /metrics of a live run."""

from __future__ import annotations

import socket
from pathlib import Path

import orjson

from tests.infra.service.configured import BUILTIN
from tests.infra.service.posted import export
from tests.infra.service.running import Running, eventually


def test_it_says_how_it_is(folder: Path) -> None:
    with Running(folder) as run:
        assert run.get("/healthz") == (200, "ok\n")
        status, body = run.get("/readyz")
        answer = orjson.loads(body)
        assert answer.pop("rules")["rules"] == BUILTIN + 1  # the built-in ones, and one of ours
        assert (status, answer) == (200, {"ready": True, "reasons": [], "sinks": {"store": "ok"}})
        assert run.get("/nothing")[0] == 404
        run.post("web", "/v1/traces", export(1, 2))
        run.post("web", "/v1/events?source=cloudtrail", b'{"eventName":1}')
        eventually(lambda: run.metrics()["barograph_records_read_total"] == 3)
        eventually(lambda: run.metrics()['barograph_sink_delivered_total{sink="store"}'] > 0)
        samples = run.metrics()
        assert samples["barograph_records_parsed_total"] == 2
        assert samples["barograph_records_rejected_total"] == 1
        assert samples["barograph_records_late_total"] == 0
        assert samples['barograph_state_keys{stage="assess/0"}'] == 1
        assert samples['barograph_sink_failures{sink="store"}'] == 0
        # The spans came 5 s ago, and their source lets others come 5 min later.
        assert 300 < samples['barograph_watermark_delay_seconds{input="web/otel"}'] < 400
        eventually(lambda: run.metrics()['barograph_sink_waiting{sink="store"}'] == 0)
        eventually(lambda: run.metrics().get('barograph_signals{level="high"}') == 2)
        assert run.metrics()["barograph_posture_up"] == 1


def test_what_is_no_http_fills_no_log(folder: Path) -> None:
    with Running(folder) as run:
        port = int(run.url.rpartition(":")[2])
        for sent in (b"\x16\x03\x01 hello\r\n\r\n", b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(sent)
                assert b" 400 " in connection.recv(100)
        assert run.stop() == 0
    assert "Traceback" not in "".join(run.said)
