"""The engine's loop: how time passes in inputs that say nothing, beside others that do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from correlators.ruleset import Ruleset
from infra.service.inputs import Live, declared
from infra.service.loop import Loop
from schemas.config import Config, InputConfig, Limits
from schemas.times import DAY, HOUR, MINUTE, SECOND
from streams.embedded import Embedded
from streams.input import Chunk
from streams.inputs.follow import Follow
from streams.inputs.spool import Spool
from streams.inputs.stdin import Stdin
from streams.journal import Journal
from tests.streams.trail import NOON, call


class Clocks:
    """The wall clock, from noon on, and one that nobody sets."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON, 100.0

    def go_on(self, seconds: int) -> None:
        self.wall += seconds * SECOND
        self.steady += seconds


Looks = Iterator[bytes | None]


class Script:
    """An input that has, each second, what the test says; at the end the loop is stopped."""

    name, position, ended = "script", None, False

    def __init__(self, clocks: Clocks, stop: Event, looks: Looks) -> None:
        self._clocks, self._stop, self._looks = clocks, stop, looks

    def read(self, limit_records: int, limit_bytes: int) -> Chunk | None:  # noqa: ARG002 - one by one
        self._clocks.go_on(1)
        document = next(self._looks, b"")
        if document == b"":
            self._stop.set()
        if not document:
            return None
        return Chunk("cloudtrail", "file:script", [document], self._clocks.wall, None)

    def trim(self, position: object) -> None:
        """Nothing is kept."""


def entry(name: str, kind: str = "follow", source: str | None = "cloudtrail") -> InputConfig:
    """An input in which time passes after a minute, up to a minute ago."""
    return InputConfig.model_validate(
        {"name": name, "kind": kind, "source": source, "lateness": "1m", "path": "logs"}
    )


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Embedded]]:
    """Run a script, and other inputs beside it; the engine that has seen them."""
    with Journal(tmp_path / "journal.sqlite", lambda: NOON) as journal:

        def ran(
            script: Callable[[Clocks], Looks], *others: Live, config: InputConfig | None = None
        ) -> Embedded:
            clocks, stop = Clocks(), Event()
            first = Script(clocks, stop, script(clocks))
            lives = {"script": Live(config or entry("script"), first, None)}
            lives |= {live.config.name: live for live in others}
            known = declared(Config(input=tuple(live.config for live in lives.values())))
            engine = Embedded(Ruleset(), known, Limits(), journal)
            wall, steady = lambda: clocks.wall, lambda: clocks.steady
            Loop(engine, journal, lives, Limits(), wall, steady=steady).run(stop)
            return engine

        yield ran


def at(clocks: Clocks) -> int:
    """Seconds since noon."""
    return (clocks.wall - NOON) // SECOND


def busy(clocks: Clocks) -> Looks:
    for _ in range(100):
        yield call(at(clocks))


def test_time_passes_in_a_quiet_input_beside_a_busy_one(
    run: Callable[..., Embedded], tmp_path: Path
) -> None:
    quiet = Live(entry("quiet", "http"), Spool("quiet", tmp_path / "spool"), None)
    engine = run(busy, quiet)
    assert engine.counts()["read"] == 100
    assert 0 < engine.progress["quiet/cloudtrail"].watermark - NOON <= 100 * SECOND - MINUTE


def test_time_passes_in_the_quiet_lanes_of_a_busy_input(run: Callable[..., Embedded]) -> None:
    engine = run(busy, config=entry("script", "http", None))
    spoken, silent = (engine.progress[f"script/{name}"] for name in ("cloudtrail", "otel"))
    assert (spoken.read, silent.read) == (100, 0)
    assert 0 < silent.watermark - NOON <= 100 * SECOND - MINUTE


def test_time_does_not_pass_in_an_input_that_has_more_to_read(
    run: Callable[..., Embedded], tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    old = b"\n".join(call(-3600 + n) for n in range(3)) + b"\n"
    (tmp_path / "logs" / "a.jsonl").write_bytes(old)

    def later(clocks: Clocks) -> Looks:
        yield call(-7200)
        yield from (call(-7200 + at(clocks)) for _ in range(100))
        yield from [None] * 3

    backlog = Live(entry("backlog"), Follow("backlog", tmp_path / "logs"), None)
    engine = run(later, backlog)
    assert engine.counts() == {"read": 104, "parsed": 104, "rejected": 0, "late": 0}


def test_time_does_not_pass_where_what_came_cannot_be_read(
    run: Callable[..., Embedded], tmp_path: Path
) -> None:
    spool = Spool("failing", tmp_path / "spool", clock=lambda: NOON)
    spool.append([call(0)], "cloudtrail")
    segment, away = tmp_path / "spool" / "00000001.ndjson", tmp_path / "away"
    segment.rename(away)

    def mended(_: Clocks) -> Looks:
        yield from [None] * 200
        away.rename(segment)
        yield from [None] * 3

    engine = run(mended, Live(entry("failing", "http"), spool, None))
    assert engine.counts() == {"read": 1, "parsed": 1, "rejected": 0, "late": 0}


@pytest.mark.parametrize("step", [DAY, -DAY, HOUR])
def test_a_wall_clock_that_is_set_ends_no_time(run: Callable[..., Embedded], step: int) -> None:
    def jumps(clocks: Clocks) -> Looks:
        yield call(0)
        yield from [None] * 58
        clocks.wall += step
        yield from [None] * 50
        clocks.wall -= step
        yield from [None] * 50
        yield call(at(clocks))

    engine = run(jumps)
    assert engine.counts() == {"read": 2, "parsed": 2, "rejected": 0, "late": 0}


def test_time_goes_on_after_the_wall_clock_was_set_back(run: Callable[..., Embedded]) -> None:
    def wrong_at_first(clocks: Clocks) -> Looks:
        clocks.wall += DAY
        yield None
        clocks.wall -= DAY
        yield call(at(clocks))
        yield from [None] * 70

    watermark = run(wrong_at_first).progress["script"].watermark
    assert 0 < watermark - NOON <= 72 * SECOND - MINUTE


@pytest.mark.parametrize("steadily", [True, False])  # it was stopped; it slept
def test_who_was_away_listens_before_time_passes(
    run: Callable[..., Embedded], *, steadily: bool
) -> None:
    def away(clocks: Clocks) -> Looks:
        yield call(0)
        yield from [None] * 30
        clocks.wall += 8 * HOUR
        clocks.steady += 8 * 3600 if steadily else 0
        yield from [None] * 10
        yield call(30)  # what a sender had kept

    engine = run(away)
    assert engine.counts() == {"read": 2, "parsed": 2, "rejected": 0, "late": 0}


def test_a_record_from_the_future_in_a_followed_file_moves_no_clock(
    run: Callable[..., Embedded], tmp_path: Path
) -> None:
    years = 50 * 365 * 86_400
    (tmp_path / "logs.jsonl").write_bytes(b"%b\n%b\n%b\n" % (call(0), call(years), call(1)))
    followed = Live(entry("logs"), Follow("logs", tmp_path / "logs.jsonl"), None)
    engine = run(lambda _: iter([None] * 3), followed)
    assert engine.counts() == {"read": 3, "parsed": 2, "rejected": 1, "late": 0}
    assert engine.progress["logs"].latest == NOON + SECOND


def test_a_run_with_an_end_waits_for_the_end_of_its_pipe(tmp_path: Path) -> None:
    spool, (out, in_) = Spool("pipe", tmp_path / "spool"), os.pipe()
    stdin = Stdin(spool, Limits(), None, out)
    live = Live(entry("pipe", "stdin"), spool, stdin)
    clocks, stop, until = Clocks(), Event(), NOON + HOUR

    def steady() -> float:
        clocks.go_on(1)
        if clocks.steady == 150:
            os.write(in_, call(1) + b"\n")
            os.close(in_)
        return clocks.steady

    with Journal(tmp_path / "journal.sqlite", lambda: NOON) as journal:
        engine = Embedded(Ruleset(), declared(Config(input=(live.config,))), Limits(), journal)
        loop = Loop(engine, journal, {"pipe": live}, Limits(), lambda: NOON, until, steady)
        thread = Thread(target=loop.run, args=(stop,))
        stdin.start()
        thread.start()
        thread.join(60)
        stop.set()
        assert loop.ended
        assert engine.counts()["read"] == 1
    os.close(out)
