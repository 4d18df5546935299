"""Rules of a live run change: by SIGHUP, over HTTP, by themselves; a broken set changes none."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.request import Request

import pytest

from correlators.ruleset import Ruleset
from infra.rules import seen
from infra.service.reload import Reload
from infra.service.reload import Running as Known
from infra.service.worker import ROLL
from infra.settings import load
from tests.infra.service.configured import BUILTIN, CONFIG
from tests.infra.service.posted import call, export
from tests.infra.service.running import PATIENCE, Running, eventually
from tests.infra.service.running import asked as answered

MANY = """\
title: Answers
name: answers
level: high
correlation:
  type: event_count
  rules: [answered]
  group-by: [gen_ai.conversation.id]
  timespan: 1h
  condition: {gte: 2}
"""
READ = "barograph_records_read_total"


@pytest.fixture
def rules(folder: Path) -> Path:
    """The folder of rules of the configuration, with one in it."""
    (folder / "barograph.toml").write_text(CONFIG.replace("answered.yml", "rules"))
    (folder / "rules").mkdir()
    return (folder / "answered.yml").rename(folder / "rules" / "answered.yml").parent


def reload(run: Running, **headers: str) -> tuple[int, Any]:
    request = Request(f"{run.url}/-/reload", method="POST", headers=headers)  # noqa: S310 - our own
    status, body = answered(request)
    return status, json.loads(body) if status != 403 else body


def rows(folder: Path) -> list[Any]:
    path = folder / "barograph-data" / "journal.sqlite"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=60)) as db:
        found = db.execute("SELECT value FROM succession ORDER BY sequence").fetchall()
    return [json.loads(value) for (value,) in found]


def test_a_signal_changes_the_rules(folder: Path, rules: Path) -> None:
    with Running(folder) as run:
        before = run.ready()["rules"]
        (rules / "many.yml").write_text(MANY)
        run.process.send_signal(signal.SIGHUP)
        eventually(lambda: run.metrics()["barograph_rules_reloads_total"] == 1)
        after = run.ready()["rules"]
        assert (before["rules"], after["rules"]) == (BUILTIN + 1, BUILTIN + 2)
        assert before["sha256"] != after["sha256"]
        assert before["since"] < after["since"]
        assert run.metrics()[f'barograph_rules_info{{sha256="{after["sha256"]}"}}'] == 1
        assert run.metrics()["barograph_rules"] == BUILTIN + 2
        assert run.stop() == 0
    said = f"{BUILTIN + 2} rules ({after['sha256']}) hold from the first record on"
    assert run.said[-1] == f"barograph: {said}: 1 added, 0 changed, 0 taken out\n"
    assert [row["added"]["first"] for row in rows(folder)[1:]] == [["correlation answers"]]


def test_a_start_with_other_rules_says_what_changed(folder: Path, rules: Path) -> None:
    with Running(folder) as run:
        assert run.stop() == 0
    assert not any(" hold from " in line for line in run.said)
    (rules / "many.yml").write_text(MANY)
    with Running(folder) as run:
        sha256 = run.ready()["rules"]["sha256"]
        assert run.stop() == 0
    said = f"{BUILTIN + 2} rules ({sha256}) hold from the first record on"
    said += ": 1 added, 0 changed, 0 taken out"
    assert run.said[-2] == f"barograph: {said}\n"
    assert run.said[-1].startswith("barograph: ready, ")


def test_a_broken_set_replaces_none(folder: Path, rules: Path) -> None:
    with Running(folder) as run:
        before = run.ready()["rules"]
        (rules / "broken.yml").write_text("title: x\nlevel: high\ndetection: [no\n")
        (rules / "dangling.yml").write_text(MANY.replace("answered", "nobody"))
        status, body = reload(run)
        assert status == 422
        assert body["reloaded"] is False
        assert body["said"] == [
            "rules/broken.yml:4: not YAML: did not find expected ',' or ']'",
            "rules/dangling.yml:6: `nobody` is no rule that is loaded",
            f"the rules stay as they are ({before['sha256']})",
        ]
        assert run.get("/readyz")[0] == 200
        assert run.ready()["rules"] == before | {"problem": body["said"][0]}
        assert run.metrics()["barograph_rules_reload_failures_total"] == 1
        assert run.metrics()["barograph_rules_last_reload_successful"] == 0
        assert run.post("web", "/v1/traces", export(1))[0] == 200
        eventually(lambda: run.rows("SELECT count(*) FROM signals") == [(1,)])
        (rules / "broken.yml").unlink()
        (rules / "dangling.yml").unlink()
        assert reload(run) == (
            200,
            {"reloaded": True, "said": [f"the rules are those that run ({before['sha256']})"]},
        )
        assert run.ready()["rules"] == before
        assert run.metrics()["barograph_rules_last_reload_successful"] == 1
        assert run.stop() == 0
    assert [line for line in run.said if "dangling" in line] == [
        "barograph: rules/dangling.yml:6: `nobody` is no rule that is loaded\n"
    ]


def test_what_else_can_be_wrong_is_said(folder: Path, rules: Path) -> None:
    with Running(folder) as run:
        rules.rename(folder / "away")
        status, body = reload(run)
        assert (status, body["said"][0]) == (
            422,
            "cannot read rules: No such file or directory; name a file or folder of rules",
        )
        (folder / "away").rename(rules)
        config = (folder / "barograph.toml").read_text()
        (folder / "barograph.toml").write_text(config + "x = [\n")
        assert reload(run)[1]["said"][0].startswith("barograph.toml is not TOML: ")
        (folder / "barograph.toml").write_text(
            config.replace("[rules]", "[rules]\nbuiltin = false")
        )
        assert reload(run)[1]["said"][0].endswith(f" 0 added, 0 changed, {BUILTIN} taken out")
        (folder / "barograph.toml").write_text(config.replace('"web"', '"net"'))
        status, body = reload(run)
        assert status == 200
        assert body["said"][1:] == [
            "settings other than [rules] and [intel] changed; they hold after a restart"
        ]
        assert reload(run, Origin="http://evil.example")[0] == 403
        assert run.get("/-/reload")[0] == 405
        assert run.stop() == 0


def test_files_that_are_watched_are_taken_when_they_are_at_rest(folder: Path, rules: Path) -> None:
    config = (folder / "barograph.toml").read_text()
    (folder / "barograph.toml").write_text(config.replace("[rules]", "[rules]\nwatch = true"))
    with Running(folder) as run:
        (rules / "many.yml").write_text(MANY)
        eventually(lambda: run.ready()["rules"]["rules"] == BUILTIN + 2)
        (rules / "many.yml").unlink()
        eventually(lambda: run.ready()["rules"]["rules"] == BUILTIN + 1)
        assert run.metrics()["barograph_rules_reloads_total"] == 2
        assert run.stop() == 0


def test_what_changes_while_a_run_starts_is_taken(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rules.parent)
    config = load("barograph.toml")
    before = seen(config.rules)
    (rules / "many.yml").write_text(MANY)
    taken = asyncio.Event()
    looked, missed = Path.rglob, list[str]()

    def swapped(folder: Path, pattern: str) -> Iterator[Path]:
        if not missed:  # as where a checkout, or a ConfigMap, puts another folder in its place
            missed.append(pattern)
            raise FileNotFoundError(2, "No such file or directory", str(folder))
        return looked(folder, pattern)

    monkeypatch.setattr(Path, "rglob", swapped)

    async def adopt(ruleset: Ruleset) -> None:
        assert (
            len(ruleset.rules) + len(ruleset.correlations) + len(ruleset.convergences)
            == BUILTIN + 2
        )
        taken.set()

    async def watched() -> None:
        now = Known("0" * 64, 1, 0)
        reload = Reload(lambda: config, config, before, adopt, lambda: now, lambda _: None)
        watching = asyncio.create_task(reload.watch())
        await asyncio.wait_for(taken.wait(), PATIENCE)
        watching.cancel()
        assert missed

    asyncio.run(watched())


@pytest.fixture
def posting() -> Iterator[Any]:
    """Post calls until told to stop; how many were accepted."""
    stop, accepted, threads = Event(), [0], list[Thread]()

    def start(run: Running) -> tuple[Event, list[int]]:
        def work() -> None:
            while not stop.wait(0.02) and accepted[0] < 2000:
                lines = b"\n".join(call(f"{accepted[0]}-{m}") for m in range(20))
                if run.post("web", "/v1/events", lines, "application/x-ndjson")[0] == 200:
                    accepted[0] += 20

        threads.append(Thread(target=work))
        threads[0].start()
        return stop, accepted

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def test_changes_under_load_lose_nothing(folder: Path, rules: Path, posting: Any) -> None:  # noqa: ANN401 - a fixture that starts
    with Running(folder) as run:
        stop, accepted = posting(run)
        for n in range(15):
            changed = MANY.replace("name: answers", f"name: answers{n}")
            (rules / "many.yml").write_text(changed if n % 5 else "title: [")
            status, _ = reload(run)
            assert status == (200 if n % 5 else 422)
        stop.set()
        eventually(lambda: run.metrics()[READ] == accepted[0])
        assert accepted[0] > 0
        assert run.metrics()["barograph_rules_reloads_total"] == 12
        assert run.metrics()["barograph_rules_reload_failures_total"] == 3
        assert run.stop() == 0
        assert run.rows("SELECT count(*), count(DISTINCT id) FROM signals") == [
            (accepted[0], accepted[0])
        ]
    assert len(rows(folder)) == 13


def test_a_kill_in_the_midst_leaves_one_set_or_the_other(folder: Path, rules: Path) -> None:
    """Whatever a kill leaves, the next start goes on with what lies there, and counts on."""
    many = rules / "many.yml"
    many.write_text(MANY)
    for n in range(4):
        with Running(folder) as run:
            many.write_text(MANY.replace("1h", f"{n + 2}h"))
            assert run.post("web", "/v1/traces", export(n + 1))[0] == 200
            run.process.send_signal(signal.SIGHUP)
            time.sleep(0.03 * n)  # in reading, in the change, or behind it
            run.process.send_signal(signal.SIGKILL)
            run.process.wait()
    with Running(folder) as run:
        eventually(lambda: run.rows("SELECT count(*) FROM signals") == [(4,)])
        assert run.metrics()[READ] == 4
        assert run.ready()["rules"]["rules"] == BUILTIN + 2
        assert run.stop() == 0
    hashes = [row["sha256"] for row in rows(folder)]
    assert len(hashes) == 5  # each set once, by the reload or by the start after it
    assert len(set(hashes)) == 5


def test_a_worker_says_how_rules_change_and_changes_none(folder: Path) -> None:
    """It needs no broker for that: here there is none."""
    config = (folder / "barograph.toml").read_text().partition("[[input]]")[0]
    (folder / "barograph.toml").write_text(config + '[kafka]\nbootstrap = "127.0.0.1:9"\n')
    words = (sys.executable, "-m", "infra", "run")
    process = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        found = re.match(
            r"barograph: (http://\S+)/readyz says how it is", process.stderr.readline()
        )
        assert found is not None
        request = Request(f"{found[1]}/-/reload", method="POST")  # noqa: S310 - our own
        status, body = answered(request)
        assert (status, json.loads(body)) == (422, {"reloaded": False, "said": [ROLL]})
        process.send_signal(signal.SIGHUP)
        while (line := process.stderr.readline()) != f"barograph: {ROLL}\n":
            assert line, "it ended"
        ready = answered(Request(f"{found[1]}/readyz"))[1]  # noqa: S310 - our own
        assert json.loads(ready)["rules"]["rules"] == BUILTIN + 1
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
