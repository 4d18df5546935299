import json
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from infra.exits import Exit
from tests.infra.report.sample import FINDING, SIGNAL, evidence, expired, warning
from tests.infra.written import result, written

EVENT: dict[str, Any] = {
    "uid": evidence("turned")[0]["event"],
    "time": "2026-11-20T21:20:40.000000Z",
    "source": "otel",
    "message": "tool turned \x1b[2J",
    "actor": {"kind": "principal", "id": "ana"},
    "client": {"ip": "198.51.100.7"},
    "attributes": {"mcp.tool": "fetch_page", "n": 1},
    "evidence": {"origin": "file:logs/otel.jsonl#811", "sha256": evidence("turned")[0]["sha256"]},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("store")
    earlier = {
        **warning(),
        "id": warning()["id"][:6] + "0" * 26,
        "onset_time": "2026-11-01T00:00:00.000000Z",
        "title": "The episode before",
    }
    written(
        folder,
        [
            result("alert", 0, warning()),
            result("alert", 0, earlier),
            result("alert", 0, expired()),
            result("finding", 0, FINDING),
            result("signal", 0, SIGNAL),
            result("event", EVENT["uid"], EVENT),
        ],
    )
    return str(folder)


def explained(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["explain", *argv])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_an_alert(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = explained(capsys, warning()["id"], "--store", store)
    assert code == Exit.OK
    assert out.startswith(f"warning, priority 91: {warning()['title']}\n")
    assert f"      {EVENT['uid']}  file:logs/otel.jsonl#811" in out
    assert "origin not in this store" in out


@pytest.mark.parametrize(
    ("id_", "start"),
    [
        (expired()["id"][:8], "watch expired, priority 38:"),
        (FINDING["id"][:8], "finding (high):"),
        (SIGNAL["id"][:8], "signal (high):"),
        (warning()["thread"], f"warning, priority 91: {warning()['title']}"),
    ],
    ids=["alert", "finding", "signal", "newest of a thread"],
)
def test_the_beginning_of_an_id(
    store: str, id_: str, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = explained(capsys, id_, "--store", store)
    assert code == Exit.OK
    assert out.startswith(start)


def test_an_event(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = explained(capsys, EVENT["uid"][:8], "--store", store)
    assert code == Exit.OK
    assert out == (
        "event: tool turned \\x1b[2J\n"
        "\n"
        "  time    2026-11-20 21:20:40\n"
        "  source  otel\n"
        "  actor   principal ana\n"
        "  from    198.51.100.7\n"
        f"  id      {EVENT['uid']}\n"
        "  origin  file:logs/otel.jsonl#811\n"
        f"  sha256  {EVENT['evidence']['sha256']}\n"
        "\n"
        "Fields\n"
        "  mcp.tool = fetch_page\n"
        "  n = 1\n"
    )


def test_the_record_for_programs(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = explained(capsys, warning()["id"], "--store", store, "--json")
    assert json.loads(out) == warning()
    assert out.isascii()


def test_what_cannot_be_found_is_one_sentence(
    store: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    both = warning()["id"][:6]
    for argv, part in (
        ([both, "--store", store], f"{both} is the beginning of 2 ids; give more of it: {both}"),
        (["abc", "--store", store], "'abc' is too short for an id; give 4 characters or more"),
        (
            ["zzzz", "--store", store],
            "holds no alert, finding, signal or event zzzz; barograph query",
        ),
        (["abcd", "--store", str(tmp_path / "no.duckdb")], "is no store; name a file like"),
    ):
        code, out, err = explained(capsys, *argv)
        assert (code, out) == (Exit.USAGE, "")
        assert part in err
        assert len(err.splitlines()) == 1
