"""Rules change in a run over the demo: for those that did not, nothing happens."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, builtin, parse
from schemas.config import Limits
from schemas.rows import Result
from schemas.times import parse as time_of
from streams.embedded import Declared, Embedded
from streams.input import Chunk
from streams.journal import Journal
from tests.streams import demo
from tests.streams.changing import Final, Opened, final, reload
from tests.streams.demo import SOURCES

RUNS = int(os.environ.get("BAROGRAPH_DEMO_RUNS", "3"))
UNTIL = time_of("2026-03-04T00:00:00Z")
INPUTS = [Declared(name, (name,)) for name in SOURCES]
Piece = tuple[str, Chunk]
# What a user adds to the built-in rules: over their detections, and of its own, two levels.
ADDED = (
    """\
title: Own reads
name: own_reads
level: low
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: Get*}, condition: s}
""",
    """\
title: Many reads
name: own_many
level: low
correlation:
  type: event_count
  rules: [own_reads]
  group-by: [userIdentity.arn]
  timespan: 5m
  condition: {gte: 2}
""",
    """\
title: Many reads again
name: own_again
level: low
correlation:
  type: temporal
  rules: [own_many]
  group-by: [userIdentity.arn]
  timespan: 1h
  condition: {gte: 1}
""",
)


def with_builtin(*texts: str) -> Ruleset:
    ruleset = parse([*builtin(), *(Document(f"{n}.yml", text) for n, text in enumerate(texts))])
    assert ruleset.problems == ()
    return ruleset


BUILTIN, EXTENDED = with_builtin(), with_builtin(*ADDED)


def ours(results: Iterable[Result], *, of: Ruleset) -> list[Result]:
    """What the rules of one set say."""
    known = {rule.id for rule in of.correlations} | {story.id for story in of.convergences}
    return [
        r
        for r in results
        if r.kind in ("finding", "alert") and (r.body.get("rule") or r.body["convergence"]) in known
    ]


class Played(NamedTuple):
    """Final results, and the signals, of a run over the demo."""

    final: Final
    results: list[Result]


def played(path: Path, pieces: Sequence[Piece], plan: dict[int, Ruleset]) -> Played:
    """Run over the pieces; `plan` says which rules are loaded before which of them."""
    opened = Opened(path, INPUTS)
    engine = opened.start(plan[0])
    for number, (name, chunk) in enumerate(pieces):
        if number in plan:
            reload(engine, plan[number])
        engine.take(name, chunk)
    engine.end(UNTIL)
    results = opened.told()
    opened.close()
    return Played(final(results), results)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str, bytes]]:
    found = demo.documents(tmp_path_factory.mktemp("demo"))
    return sorted((time, name, one) for name, pairs in found.items() for time, one in pairs)


def cut(records: Sequence[tuple[int, str, bytes]], random: Random, most: int) -> list[Piece]:
    """The records in their order, in pieces of random sizes."""
    pieces: list[Piece] = []
    left = list(records)
    while left:
        some = left[: random.randint(1, most)]
        del left[: len(some)]
        for source in SOURCES:
            documents = [one for _, name, one in some if name == source]
            if documents:
                pieces.append((source, Chunk(source, f"file:{source}", documents, None, None)))
    return pieces


@pytest.fixture(scope="module")
def calm(records: list[tuple[int, str, bytes]]) -> Final:
    """What the built-in rules say in a run in which nothing changes."""
    engine = Embedded(BUILTIN, INPUTS, Limits())
    results = [r for name, chunk in cut(records, Random(0), 400) for r in engine.take(name, chunk)]
    return final([*results, *engine.end(UNTIL)])


@pytest.mark.parametrize("seed", range(RUNS))
def test_unchanged_rules_do_not_notice(
    records: list[tuple[int, str, bytes]], calm: Final, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    pieces = cut(records, random, random.choice([150, 600]))
    sets = [EXTENDED, BUILTIN, with_builtin(*ADDED[:1]), with_builtin(*ADDED[:2])]
    plan = {random.randrange(1, len(pieces)): random.choice(sets) for _ in range(5)}
    got = played(tmp_path / "journal.sqlite", pieces, {0: EXTENDED, **plan})
    assert {kind for kind, _, _ in calm} == {"finding", "alert"}
    assert final(ours(got.results, of=BUILTIN)) == calm
    others = {r.body["rule"] for r in got.results if r.kind == "finding"}
    assert {"own_many", "own_again"} <= others


def test_the_row_of_a_change_is_enough_to_play_it_again(
    records: list[tuple[int, str, bytes]], tmp_path: Path
) -> None:
    """Rows of rule sets, records before each: the same final results, whatever the batches."""
    random = Random(11)
    want = played(tmp_path / "once", cut(records, random, 400), {0: BUILTIN, 9: EXTENDED})
    journal = Journal(tmp_path / "once")
    changed, _ = journal.successions()
    journal.close()
    assert changed.added.first == [
        "correlation own_again",
        "correlation own_many",
        "detection own_reads",
    ]
    before: list[tuple[int, str, bytes]] = []
    after: list[tuple[int, str, bytes]] = []
    left = dict(changed.read)
    for time, name, one in records:
        (before if left[name] > 0 else after).append((time, name, one))
        left[name] -= 1
    first = cut(before, random, 150)
    again = played(
        tmp_path / "again", [*first, *cut(after, random, 600)], {0: BUILTIN, len(first): EXTENDED}
    )
    assert again.final == want.final
