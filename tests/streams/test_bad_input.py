"""Files that broke on their way: counted, told with a reason, and nothing hangs or falls over."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
import zstandard

from infra.cli import main
from schemas.config import Limits
from tests.streams.trail import call, envelope

MOST = 1_000_000  # bytes of a document, for these tests
BEDROCK = {"eventSource": "bedrock.amazonaws.com"}
LINES = b"\n".join(call(n) for n in range(3))
PACKED = gzip.compress(LINES, mtime=0)
PRETTY = json.dumps({"Records": [orjson.loads(call(n)) for n in range(2)]}, indent=2).encode()
REPORT = (
    b'{"SchemaVersion":2,"ArtifactName":"x","CreatedAt":"2026-03-02T12:00:00Z",'
    b'"Results":[{"Target":"t","Vulnerabilities":[1,{}]}]}'
)
NO_TIMES = ("", 7, "2026-02-30T00:00:00Z", "9" * 5000, None, [1], "0000-00-00T00:00:00Z")


def nested(depth: int) -> Any:  # noqa: ANN401 - JSON
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def ending(more: bytes) -> bytes:
    """A record that is normalised, with these bytes at its end."""
    return call(0, **BEDROCK)[:-1] + b"," + more + b"}"


# name -> bytes, how many records can be read, and why others cannot
FILES: dict[str, tuple[bytes, int, Sequence[str]]] = {
    "empty.json": (b"", 0, ["empty"]),
    "blank.ndjson": (b" \n\r\n\t\n", 0, ["empty"]),
    "binary.json": (Random(1).randbytes(50_000), 0, ["unknown-format"]),
    "nul.json": (b"\0" * 5000, 0, ["unknown-format"]),
    "page.json": (b"<html><body>503</body></html>", 0, ["unknown-format"]),
    "utf-16.json": (LINES.decode().encode("utf-16"), 0, ["encoding"]),
    "byte-order-mark.ndjson": (b"\xef\xbb\xbf" + LINES, 3, []),
    "latin-1.ndjson": (LINES.replace(b"ann", b"j\xfcrg"), 0, ["encoding"] * 3),
    "windows-lines.ndjson": (LINES.replace(b"\n", b"\r\n"), 3, []),
    "half-written.ndjson": (LINES[:-40], 2, ["truncated"]),
    "start-lost.ndjson": (LINES[40:], 2, ["not-json"]),
    "pretty.json": (PRETTY, 2, []),
    "half-written.json": (PRETTY[:-50], 0, ["truncated"]),
    "odd-records.json": (envelope(call(0), b"[]", b"null", b"1"), 1, ["wrong-shape"] * 3),
    "deep.ndjson": (LINES + b'\n{"eventName":' + b"[" * 10_000, 3, ["too-deep"]),
    "deep-record.ndjson": (call(0, requestParameters=nested(120), **BEDROCK), 0, ["too-deep"]),
    "huge-line.ndjson": (LINES + b"\n" + call(3, userAgent="x" * 2 * MOST), 3, ["too-large"]),
    "many-keys.ndjson": (ending(b",".join(b'"k%d":1' % n for n in range(50_000))), 1, []),
    "key-twice.ndjson": (ending(b'"eventTime":"2026-03-02T13:00:00Z"'), 1, []),
    "huge-number.ndjson": (ending(b'"n":1e999,"m":' + b"9" * 10_000), 0, ["not-json"]),
    "half-a-character.ndjson": (ending(rb'"n":"\ud800"'), 0, ["encoding"]),
    "no-times.ndjson": (
        b"\n".join(call(0, eventTime=time) for time in NO_TIMES),
        0,
        ["no-time", "no-time", *["bad-time"] * 5],
    ),
    "plain.gz": (LINES, 3, []),
    "cut.ndjson.gz": (PACKED[:-6], 2, ["truncated"]),
    "damaged.ndjson.gz": (PACKED[:40] + b"\xff" * 8 + PACKED[48:], 0, ["encoding"]),
    "bomb.json.gz": (gzip.compress(b" " * 64 * MOST), 0, ["too-large"]),
    "cut.ndjson.zst": (zstandard.compress(LINES)[:-6], 0, ["truncated"]),
    "odd-spans.jsonl": (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{},7,null]}]}]}\n{"resourceSpans":7}\n{"reso',
        0,
        ["no-time", *["wrong-shape"] * 3, "truncated"],
    ),
    "no-parts.json": (b'{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}', 0, []),
    "no-runs.sarif": (b'{"version":"2.1.0","$schema":"sarif-2.1.0.json","runs":[]}', 0, []),
    "odd-report.json": (REPORT, 1, ["wrong-shape"] * 2),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder whose configuration bounds documents."""
    monkeypatch.chdir(tmp_path)
    Path("barograph.toml").write_text(f"[limits]\ndocument_bytes = {MOST}\n")
    assert Limits().document_bytes > MOST


def replayed(*inputs: str) -> tuple[dict[str, Any], Counter[str]]:
    """The summary, and the reasons of the rejects."""
    assert main(["replay", *inputs, "--out", "out"]) == 0
    rejects = [json.loads(line) for line in Path("out/rejects.jsonl").read_text().splitlines()]
    assert all(reject["detail"] and len(reject["detail"]) <= 300 for reject in rejects)
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["read"] == summary["parsed"] + summary["rejected"]
    assert summary["rejected"] == len({reject["origin"] for reject in rejects})
    return summary, Counter(reject["reason"] for reject in rejects)


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_counted(name: str) -> None:
    data, parsed, reasons = FILES[name]
    Path(name).write_bytes(data)
    summary, told = replayed(name)
    assert (summary["parsed"], told) == (parsed, Counter(reasons))


def test_a_folder_of_them_stops_nobody() -> None:
    Path("in").mkdir()
    for name, (data, _, _) in FILES.items():
        Path("in", name).write_bytes(data)
    Path("in", "folder.json").mkdir()
    Path("in", "gone.json").symlink_to("nowhere")
    summary, told = replayed("in")
    assert summary["parsed"] == sum(parsed for _, parsed, _ in FILES.values())
    assert told == Counter(reason for _, _, reasons in FILES.values() for reason in reasons)


def test_the_same_bytes_are_rejected_in_any_order() -> None:
    Path("in.ndjson").write_bytes(b"\n".join([LINES, b"{", b"[1]", call(600), call(3), b"x"]))
    summary, told = replayed("in.ndjson")
    before = Path("out/rejects.jsonl").read_text()
    assert replayed("in.ndjson", "--shuffle", "600", "--seed", "3")[1] == told
    assert sorted(Path("out/rejects.jsonl").read_text().splitlines()) == sorted(before.splitlines())
    assert summary["rejected"] == 3
