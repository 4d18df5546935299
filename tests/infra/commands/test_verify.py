"""`barograph verify`: every claim is recomputed, and a changed byte is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from correlators.ruleset import builtin, parse
from infra.cli import main
from infra.demo import scenario
from infra.replaying import Order, replay
from schemas.canonical import body_sha256
from schemas.config import Config
from tests.streams.trail import call

Verified = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's `in` and the `out` of its replay, by relative paths."""
    folder = tmp_path_factory.mktemp("played")
    scenario.write(folder / "in")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        replay(Config(), parse(builtin()), ["in"], Path("out"), Order())
    return folder


@pytest.fixture
def folder(played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may change, and work in."""
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> Verified:
    """Run the command; exit code, checks and what it said."""

    def run(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        assert folder == Path.cwd()
        code = main(["verify", "--json", *words])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def newest(name: str) -> list[dict[str, Any]]:
    lines = Path("out", name).read_text().splitlines()
    return list({body["id"]: body for body in map(json.loads, lines)}.values())


@pytest.mark.parametrize("name", ["alerts.jsonl", "findings.jsonl", "signals.jsonl"])
def test_everything_that_the_demo_says_is_proved(verified: Verified, name: str) -> None:
    code, checks, said = verified(f"out/{name}")
    assert (code, said) == (0, "")
    assert all(check["ok"] for check in checks)
    proved = {(check["id"], check["what"]) for check in checks}
    for body in newest(name):
        assert ("body_sha256" in body) == ((body["id"], "body") in proved)
        claims = [body, *body.get("why", ()), *body.get("timeline", ())]
        cited = {piece["event"] for claim in claims for piece in claim.get("evidence", ())}
        assert cited
        assert {(body["id"], f"event {event}") for event in cited} <= proved


def test_an_alert_is_found_by_the_start_of_its_id(verified: Verified) -> None:
    alert = newest("alerts.jsonl")[0]
    code, checks, _ = verified(alert["id"][:10])
    assert code == 0
    assert {check["id"] for check in checks} == {alert["id"]}
    assert checks[0] == {
        "id": alert["id"],
        "what": "body",
        "ok": True,
        "detail": "as it was hashed",
    }


@pytest.mark.usefixtures("folder")
def test_the_last_line_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "out/alerts.jsonl"]) == 0
    out, err = capsys.readouterr()
    checks = len(out.splitlines())
    assert err == f"{checks} checks: {checks} as they were, 0 not, 0 gone\n"


def test_a_changed_byte_of_a_record_is_found(verified: Verified) -> None:
    warning = next(a for a in newest("alerts.jsonl") if a["peak_stage"] == "warning")
    _, checks, _ = verified(warning["id"])
    cited = next(c for c in checks if "ndjson#" in c["detail"])
    origin = cited["detail"].removesuffix(" has the hash")
    path, _, number = origin.removeprefix("file:").partition("#")
    lines = Path(path).read_bytes().split(b"\n")
    place = int(number) - 1
    lines[place] = lines[place].replace(b'"awsRegion":"e', b'"awsRegion":"E')
    Path(path).write_bytes(b"\n".join(lines))
    code, checks, _ = verified("out/alerts.jsonl")
    assert code == 1
    wrong = {(c["what"], c["detail"]) for c in checks if not c["ok"]}
    assert wrong == {(cited["what"], f"{origin} was changed")}


def test_a_lost_record_and_a_lost_file_are_found(verified: Verified) -> None:
    (stream,) = Path("in/cloudtrail").glob("*.ndjson")
    stream.write_bytes(b"\n".join(stream.read_bytes().split(b"\n")[:3]))
    shutil.rmtree("in/otel")
    code, checks, _ = verified("out/alerts.jsonl")
    assert code == 1
    wrong = [check["detail"] for check in checks if not check["ok"]]
    assert any(
        detail.startswith(f"file:{stream}#") and detail.endswith("is gone") for detail in wrong
    )
    assert any("cannot be read: cannot read in/otel/" in detail for detail in wrong)


def test_a_changed_body_is_found(verified: Verified) -> None:
    alert = newest("alerts.jsonl")[0]
    Path("alert.json").write_text(json.dumps(alert | {"priority": alert["priority"] + 1}, indent=1))
    code, checks, _ = verified("alert.json")
    assert code == 1
    assert [c["detail"] for c in checks if not c["ok"]] == ["was changed after it was hashed"]


def test_what_the_store_does_not_know_is_not_proved(verified: Verified) -> None:
    body = {"id": "x" * 32, "evidence": [{"event": "nobody", "sha256": "0" * 64}]}
    body["body_sha256"] = body_sha256(body)
    Path("x.json").write_text(json.dumps(body))
    code, checks, _ = verified("x.json", "--store", "out")
    assert code == 1
    assert checks[1] == {
        "id": "x" * 32,
        "what": "event nobody",
        "ok": False,
        "detail": "the store does not say where its record lies",
    }


def test_records_are_found_from_another_folder(
    verified: Verified, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "other").mkdir()
    code, _, _ = verified("out/alerts.jsonl")
    assert code == 0
    monkeypatch.chdir(folder / "other")
    assert main(["verify", "../out/alerts.jsonl", "--store", "../out", "--root", ".."]) == 0
    assert main(["verify", "../out/alerts.jsonl", "--store", "../out"]) == 1


@pytest.mark.usefixtures("folder")
def test_records_of_a_format_that_was_named_are_found() -> None:
    # A dot that is written as \u002e keeps every source from knowing the format.
    record = call(0, "GetFoundationModelAvailability", eventSource="bedrock.amazonaws.com")
    odd = record.replace(b".amazonaws", b"\\u002eamazonaws").replace(b"eventID", b"odd")
    Path("odd").write_bytes(odd)
    assert main(["replay", "odd", "--source", "cloudtrail", "--out", "there"]) == 0
    assert Path("there/signals.jsonl").read_text()
    assert main(["verify", "there/signals.jsonl", "--store", "there"]) == 0
    Path("odd").write_bytes(odd + b" ")  # white space around a record is not the record
    assert main(["verify", "there/signals.jsonl", "--store", "there"]) == 0
    Path("odd").write_bytes(odd.replace(b"ann", b"bob"))
    assert main(["verify", "there/signals.jsonl", "--store", "there"]) == 1


def test_people_read_a_line_a_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder == Path.cwd()
    alert = newest("alerts.jsonl")[0]
    assert main(["verify", alert["id"]]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"ok      {alert['id'][:12]} body: as it was hashed"
    assert second.startswith(f"ok      {alert['id'][:12]} event ")
    assert second.endswith(" has the hash")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.jsonl is empty; name an id, or a file of alerts, findings or signals"),
        ('{"id":"a"}\n\n{', "x.jsonl:3: unexpected end of data: line 1 column 2 (char 1);"),
        ("[1]", "x.jsonl:1 is no alert, finding or signal; name an id or a file of them"),
    ],
)
def test_another_file_is_a_mistake(verified: Verified, text: str, sentence: str) -> None:
    Path("x.jsonl").write_text(text)
    code, checks, said = verified("x.jsonl")
    assert (code, checks) == (2, [])
    assert said.startswith(f"barograph: {sentence}")


def test_an_unknown_id_and_a_missing_store_are_mistakes(verified: Verified) -> None:
    code, _, said = verified("0000aaaa")
    assert code == 2
    assert said.startswith(
        "barograph: out/barograph.duckdb holds no alert, finding or signal 0000aaaa;"
    )
    code, _, said = verified("0000aaaa", "--store", "none")
    assert code == 2
    assert said.startswith("barograph: none is no store;")
