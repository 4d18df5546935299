"""A restart with other rules: what changed begins anew, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from correlators.ruleset import builtin, parse
from schemas.config import Limits
from schemas.errors import Unavailable
from schemas.rows import Result
from schemas.times import DAY, HOUR, SECOND, rfc3339
from streams.embedded import Declared, Embedded
from streams.input import Chunk
from streams.journal import Journal
from streams.outdated import Outdated, Stated, stated
from tests.streams.changing import AGAIN, OTHER, SPREE, STORY, rules
from tests.streams.trail import DELETED, NOON, call

LOGS = Declared("logs", ("cloudtrail",))
Restarted = Callable[..., tuple[Embedded, list[Result]]]


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Restarted]:
    """Start again with these rules; the engine, and what the start itself told."""
    opened: list[Journal] = []

    def again(*texts: str) -> tuple[Embedded, list[Result]]:
        if opened:
            opened.pop().close()
        journal = Journal(tmp_path / "journal.sqlite", clock=lambda: NOON)
        opened.append(journal)
        journal.subscribe({"sink": ("finding", "alert", "forecast")})
        known = journal.newest()
        engine = Embedded(rules(*texts), [LOGS], Limits(), journal)
        return engine, [result for _, result in journal.outbox(known, 1000)]

    yield again
    opened[0].close()


def take(engine: Embedded, *times: int) -> list[Result]:
    documents = [call(at, "DeleteGuardrail") for at in times]
    return engine.take("logs", Chunk("cloudtrail", "file:in", documents, None, None))


def told(results: Iterable[Result]) -> set[tuple[str, str]]:
    """Which rules said something, and in which state last."""
    newest = {
        (r.kind, r.id): (r.body.get("rule") or r.body["convergence"], r.state)
        for r in results
        if r.kind in ("finding", "alert")
    }
    return set(newest.values())


def test_the_same_rules_go_on(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE, STORY)
    assert told(take(engine, 0, 60)) == {("spree", "provisional"), ("story", "provisional")}
    engine, said = restarted(STORY, SPREE, DELETED)
    assert said == []
    assert told(engine.end(NOON + DAY)) == {("spree", "final"), ("story", "final")}


def test_words_may_change_while_an_alert_is_open(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE, STORY)
    take(engine, 0, 60)
    engine, said = restarted(DELETED, SPREE, STORY.replace("A story", "Another title"))
    assert said == []
    (alert,) = (r for r in engine.end(NOON + DAY) if r.kind == "alert")
    assert (alert.state, alert.body["title"]) == ("final", "Another title")


def test_what_a_removed_rule_said_is_taken_back(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE, STORY, OTHER)
    take(engine, 0, 60)
    engine, said = restarted(DELETED, SPREE, STORY)
    assert told(said) == {("other", "withdrawn")}
    assert told(engine.end(NOON + DAY)) == {("spree", "final"), ("story", "final")}


def test_a_removed_correlation_takes_its_legs_along(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE, AGAIN, STORY, OTHER)
    take(engine, 0, 60)
    # The stage of its level is no more, nor is that of the rule above it.
    engine, said = restarted(DELETED, STORY)
    assert told(said) == {("spree", "withdrawn"), ("other", "withdrawn")}
    assert told(engine.end(NOON + DAY)) == {("story", "final")}


def test_a_changed_rule_begins_anew(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE, STORY)
    take(engine, 0, 60)
    by_account = SPREE.replace("userIdentity.arn", "userIdentity.accountId")
    engine, said = restarted(
        DELETED, by_account, STORY.replace("first:", "only:").replace("[first]", "[only]")
    )
    # The story looks again at what is not settled, in its new form.
    assert [(r.state, r.body.get("status")) for r in said if r.kind != "forecast"] == [
        ("withdrawn", None),
        ("withdrawn", "open"),
        ("provisional", "open"),
    ]
    assert told(take(engine, 120)) == {("story", "provisional")}
    assert told(take(engine, 180)) == {("spree", "provisional"), ("story", "provisional")}
    (finding,) = (r for r in engine.end(NOON + DAY) if r.kind == "finding")
    assert finding.body["group"] == {"userIdentity.accountId": "111122223333"}
    assert finding.body["count"] == 2  # what came before the change was another rule's


def test_a_rule_that_is_added_or_moves_a_level_goes_on_from_here(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE, STORY)
    take(engine, 0, 60)
    below = SPREE.replace("spree", "below")
    above = SPREE.replace("rules: [deleted]", "rules: [below]").replace("10m", "1d")
    engine, said = restarted(DELETED, below, above, STORY)
    assert told(said) == {("spree", "withdrawn")}
    results = [*take(engine, 3600, 3660, 7200, 7260), *engine.end(NOON + DAY)]
    assert {("below", "final"), ("spree", "final")} <= told(results)


def test_a_rule_that_comes_back_knows_nothing_of_before(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE)
    take(engine, 0)
    engine, _ = restarted(DELETED)
    take(engine, 30)
    engine, said = restarted(DELETED, SPREE)
    assert said == []
    assert told(take(engine, 60)) == set()
    assert told(take(engine, 90)) == {("spree", "provisional")}


def test_a_settled_alert_of_a_removed_story_is_resolved_where_the_rule_ended(
    restarted: Restarted,
) -> None:
    engine, _ = restarted(DELETED, STORY)
    take(engine, 0, 3000)
    assert ("story", "settled") in told(take(engine, 4000))
    engine, said = restarted(DELETED)
    (alert,) = said
    watermark = rfc3339(NOON + (4000 - 900) * SECOND)
    assert (alert.state, alert.body["status"], alert.body["title"]) == (
        "final",
        "resolved",
        "A story",
    )
    assert alert.body["last_time"] == rfc3339(NOON + 3000 * SECOND)  # 4000 was not settled
    assert [(line["time"], line["text"]) for line in alert.body["timeline"]][-2:] == [
        (watermark, "the rule story was taken out: it held up to here"),
        (watermark, "resolved at outlook"),
    ]
    assert told(engine.end(NOON + DAY)) == set()


def test_a_settled_finding_of_a_removed_rule_is_final_as_it_stood(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE)
    take(engine, 0, 60, 500)
    (settled,) = (r for r in take(engine, 1300) if r.kind == "finding")
    # The watermark is at 400: of its three hits one is not settled.
    assert (settled.state, settled.body["count"]) == ("settled", 3)
    engine, said = restarted(DELETED)
    (finding,) = said
    assert (finding.id, finding.state, finding.body["count"]) == (settled.id, "final", 2)
    assert finding.body["last_time"] == rfc3339(NOON + 60 * SECOND)


def test_what_a_run_ended_with_stays_said(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE, STORY)
    take(engine, 0, 60)
    ended = engine.end(NOON + 120 * SECOND)
    assert told(ended) == {("spree", "final"), ("story", "final")}  # open, and so they stay
    _, said = restarted(DELETED)
    assert said == []


def test_an_alert_stays_explained_by_a_finding_whose_rule_is_gone(restarted: Restarted) -> None:
    either = OTHER.replace("of: [spree]", "of: [spree, deleted]").replace("other", "either")
    levels = STORY.replace("of: [deleted]", "levels: [high]").replace("story", "levels")
    engine, _ = restarted(DELETED, SPREE, either, levels)
    take(engine, 0, 60)
    take(engine, 1300)
    engine, said = restarted(DELETED, levels)
    (finding,) = (r for r in said if r.kind == "finding")
    assert finding.state == "final"
    alerts = [r for r in engine.end(NOON + HOUR) if r.kind == "alert"]
    assert [a.body["convergence"] for a in alerts] == ["levels"]
    assert alerts[0].body["findings"] == [finding.id]


@pytest.mark.parametrize(
    ("detection", "same"),
    [
        (DELETED.replace("title: deleted", "title: Something else"), True),
        (DELETED.replace("level: high", "level: low"), True),
        (DELETED + "description: words\n", True),
        (DELETED.replace("DeleteGuardrail", "DeleteGuardrail*"), False),
        (DELETED.replace("product: aws, service", "service"), False),
    ],
)
def test_a_correlation_is_what_it_refers_to(
    restarted: Restarted, detection: str, *, same: bool
) -> None:
    engine, _ = restarted(DELETED, SPREE, AGAIN)
    take(engine, 0)
    restarted(detection, SPREE, AGAIN)
    engine, _ = restarted(detection, SPREE, AGAIN)
    assert told(take(engine, 60)) == ({("spree", "provisional")} if same else set())


def test_a_filter_changes_the_correlations_above_it(restarted: Restarted) -> None:
    others = """\
title: not by robots
name: robots
logsource: {product: aws, service: cloudtrail}
filter: {rules: [deleted], condition: not f, f: {userAgent: robot}}
"""
    engine, _ = restarted(DELETED, SPREE)
    take(engine, 0)
    engine, _ = restarted(DELETED, SPREE, others)
    assert told(take(engine, 60)) == set()
    engine, _ = restarted(others.replace("not by robots", "other words"), SPREE, DELETED)
    assert told(take(engine, 120)) == {("spree", "provisional")}


def test_another_threshold_counts_what_is_not_settled(restarted: Restarted) -> None:
    engine, _ = restarted(DELETED, SPREE)
    take(engine, 0, 60)
    more = SPREE.replace("gte: 2", "gte: 3")
    engine, said = restarted(DELETED, more)
    assert told(said) == {("spree", "withdrawn")}
    assert told(take(engine, 120)) == {("spree", "provisional")}  # the third
    engine, said = restarted(DELETED, SPREE.replace("gte: 2", "gte: 1"))
    assert told(said) == {("spree", "withdrawn"), ("spree", "provisional")}  # an earlier onset
    (finding,) = (r for r in engine.end(NOON + DAY) if r.kind == "finding")
    assert finding.body["count"] == 3


def test_rules_of_another_version_are_refused() -> None:
    before = stated(rules(DELETED, SPREE))
    odd = {n: Stated("x", "", rule.definition | {"odd": 1}) for n, rule in before.items()}
    with pytest.raises(Unavailable, match="belongs to rules of another version; use the version"):
        Outdated(odd, before)


def test_every_rule_with_state_has_a_fingerprint() -> None:
    ruleset = parse(builtin())
    known = stated(ruleset)
    counted = (ruleset.habits, ruleset.correlations, ruleset.convergences)
    assert len(known) == sum(map(len, counted))
    assert len({rule.fingerprint for rule in known.values()}) == len(known)
    assert known == stated(parse(builtin()))


NEW = """\
title: new
name: new
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
barograph: {habit: {type: first_seen, by: eventSource, of: eventName, learning: 1h}}
"""
NEWS = SPREE.replace("[deleted]", "[new]").replace("gte: 2", "gte: 1")


def test_a_habit_that_changed_is_learnt_anew(restarted: Restarted) -> None:
    engine, _ = restarted(NEW, NEWS)
    take(engine, 0, 86_400)
    (key,) = engine.keyed["habits/0"].slots
    assert engine.keyed["habits/0"].slots[key].compact.since == NOON
    engine, _ = restarted(NEW.replace("title: new", "title: words"), NEWS)
    assert set(engine.keyed["habits/0"].slots) == {key}
    for number, other in enumerate(
        (NEW.replace("1h", "2h"), NEW.replace("DeleteGuardrail", "Delete*"), DELETED)
    ):
        engine, _ = restarted(other)
        assert engine.keyed["habits/0"].slots == {}
        engine, _ = restarted(NEW, NEWS)
        take(engine, 90_000 + number, 180_000 + number)


def test_what_a_habit_said_too_early_is_taken_back_with_it(restarted: Restarted) -> None:
    soon = NEW.replace("1h", "0s")
    engine, _ = restarted(soon, NEWS, STORY.replace("[deleted]", "[new]"))
    results = take(engine, 0)
    assert {(r.kind, r.state) for r in results if r.kind in ("finding", "alert")} == {
        ("finding", "provisional"),
        ("alert", "provisional"),
    }
    _, results = restarted(soon.replace("0s", "3h"), NEWS, STORY.replace("[deleted]", "[new]"))
    assert {(r.kind, r.state) for r in results if r.kind in ("finding", "alert")} == {
        ("finding", "withdrawn"),
        ("alert", "withdrawn"),
    }
