"""Rules that change over one journal: their texts, and engines that follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from schemas.config import Limits
from schemas.rows import Result
from streams.embedded import Declared, Embedded
from streams.journal import Journal
from tests.streams.trail import NOON

SPREE = """\
title: spree
name: spree
level: high
correlation:
  type: event_count
  rules: [deleted]
  group-by: [userIdentity.arn]
  timespan: 10m
  condition: {gte: 2}
"""
AGAIN = """\
title: again
name: again
correlation:
  type: event_count
  rules: [spree]
  group-by: [userIdentity.arn]
  timespan: 1d
  condition: {gte: 2}
"""
STORY = """\
id: story
title: A story
summary: Guardrails were deleted.
join: principal
window: 1h
ttl: 2h
legs:
  first: {class: change, of: [deleted]}
actions:
  - {text: look at it, removes: [first]}
"""
OTHER = STORY.replace("id: story", "id: other").replace("of: [deleted]", "of: [spree]")

Final = set[tuple[str, str, str]]


def rules(*texts: str) -> Ruleset:
    ruleset = parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))
    assert ruleset.problems == ()
    return ruleset


class Opened:
    """Engines over one journal, as processes that follow each other."""

    def __init__(self, path: Path, inputs: Sequence[Declared]) -> None:
        self.path, self.inputs = path, inputs
        self.journal: Journal | None = None

    def start(self, ruleset: Ruleset) -> Embedded:
        self.close()
        self.journal = Journal(self.path, clock=lambda: NOON)
        self.journal.subscribe({"sink": ("finding", "alert", "forecast", "signal")})
        return Embedded(ruleset, self.inputs, Limits(), self.journal)

    def told(self) -> list[Result]:
        assert self.journal is not None
        return [result for _, result in self.journal.outbox(0, 10**6)]

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()


def reload(engine: Embedded, ruleset: Ruleset) -> None:
    engine.adopt(engine.assembled(ruleset))


def final(results: Iterable[Result]) -> Final:
    newest = {(r.kind, r.id): r for r in results if r.kind in ("finding", "alert")}
    return {
        (kind, id_, r.body["body_sha256"])
        for (kind, id_), r in newest.items()
        if r.state == "final"
    }
