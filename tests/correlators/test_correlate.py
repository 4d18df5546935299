"""Correlate: hits become findings, and rows for higher levels and for convergences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from correlators.correlate import Correlate, comparable, hit_row, key_of
from correlators.document import Document
from correlators.routes import Routes
from correlators.ruleset import Ruleset, parse
from schemas.canonical import body_sha256, digest
from schemas.correlation import Correlation
from schemas.rows import Row
from schemas.times import MINUTE, SECOND, rfc3339
from tests.correlators.stage import ZERO, Stage, bodies, results_of, rows_of, whole

DETECTION = (
    "name: {0}\ntitle: {0}\nlogsource: {{product: x}}\ndetection: {{s: {{a: b}}, condition: s}}"
)
CORRELATION = "name: {0}\ntitle: Title of {0}\nlevel: high\ntags: [t.{0}]\ncorrelation:\n"
STORY = """
id: story
title: Story
summary: Something.
join: principal
window: 1h
legs:
  burst: {class: runtime, of: [burst]}
"""


def rules(**correlations: str) -> Ruleset:
    """Detections `fail` and `ok`, and correlations by name, each with lines of its own."""
    found = parse(
        [
            *(Document(f"detections/{n}.yml", DETECTION.format(n)) for n in ("fail", "ok")),
            *(
                Document(
                    f"correlations/{name}.yml",
                    CORRELATION.format(name)
                    + "".join(f"  {line}\n" for line in (*lines.split("; "), "timespan: 10s")),
                )
                for name, lines in correlations.items()
            ),
            Document("convergences/story.yml", STORY),
        ]
    )
    assert not found.problems
    return found


BURST = "type: event_count; rules: [fail]; group-by: [user]; condition: {gte: 2}"
RULES = rules(
    burst=BURST,
    then="type: temporal_ordered; rules: [burst, ok]; group-by: [user]",
    many="type: event_count; rules: [burst]; group-by: [user]; condition: {gte: 2}",
)


def rule(name: str, ruleset: Ruleset = RULES) -> Correlation:
    return next(one for one in ruleset.correlations if one.id == name)


def hits(
    *seconds: int,
    of: str = "fail",
    to: Correlation | None = None,
    **about: Any,  # noqa: ANN401
) -> list[Row]:
    found: list[Row | None] = []
    for second in seconds:
        id_ = f"{of}-{second}"
        hit: dict[str, Any] = {
            "time": second * SECOND,
            "id": id_,
            "event": f"event-{second}",
            "signals": [id_],
            "evidence": [[f"event-{second}", ZERO]],
            "entities": ["principal:ann"],
            "families": [of],
        }
        found.append(hit_row(to or rule("burst"), {"user": "Ann"}, of, hit | about, "hit"))
    return [one for one in found if one is not None]


def logic(ruleset: Ruleset = RULES) -> Correlate:
    return Correlate(ruleset.correlations, Routes(ruleset))


def at(second: float) -> str:
    return rfc3339(round(second * SECOND))


# Values and groups


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ann", "ann"),
        ("STRASSE", "strasse"),
        ("Straße", "straße"),
        ("ΟΔΟΣ", "οδοσ"),
        ("οδος", "οδοσ"),
        (1, "1"),
        (1.0, "1"),
        (1.5, "1.5"),
        (-5e20, "-5e+20"),
        (2**70, "1180591620717411303424"),
        (float("nan"), "nan"),
        (True, "true"),
        (None, None),
        ([], None),
        ({}, None),
        ("", ""),
    ],
)
def test_group_values_compare_as_sigma_strings(value: object, text: str | None) -> None:
    assert comparable(value) == text


def test_a_hit_carries_its_group_in_its_key() -> None:
    (row,) = hits(1)
    assert (row.topic, row.level, row.key) == ("signals", 1, '["burst","ann"]')
    assert row.key == key_of(rule("burst"), ["ann"])
    assert row.body["names"] == ["fail"]
    assert not {"time", "id", "value"} & row.body.keys()


@pytest.mark.parametrize("fields", [{}, {"user": None}, {"user": ["ann"]}])
def test_a_null_group_is_dropped(fields: dict[str, Any]) -> None:
    assert hit_row(rule("burst"), fields, "fail", {"time": 0, "id": "i"}, "hit") is None


def test_an_alias_is_resolved_for_each_rule() -> None:
    joined = rule("burst").model_copy(
        update={"group_by": ("who",), "aliases": {"who": {"fail": "user", "ok": "login"}}}
    )
    for name, fields in (("fail", {"user": "Ann"}), ("ok", {"login": "ANN"})):
        row = hit_row(joined, fields, name, {"time": 0, "id": "i"}, "hit")
        assert row is not None
        assert row.key == '["burst","ann"]'


@pytest.mark.parametrize(
    ("fields", "record", "value"),
    [
        (("model",), {"model": "Claude"}, "claude"),
        (("model", "region"), {"model": "Claude", "region": 1.0}, '["claude","1"]'),
        (("model", "region"), {"model": "Claude"}, None),
        (("model",), {}, None),
    ],
)
def test_a_counted_value_is_one_field_or_several(
    fields: Sequence[str], record: dict[str, Any], value: str | None
) -> None:
    counting = rule("burst").model_copy(
        update={"type": "value_count", "fields": tuple(fields), "group_by": ()}
    )
    row = hit_row(counting, record, "fail", {"time": 0, "id": "i"}, "hit")
    assert row is not None
    assert row.body.get("value") == value


# Findings


def test_an_episode_is_a_finding() -> None:
    (body,) = bodies(whole(logic(), hits(1, 5, 9), 60 * SECOND), "finding")
    key = '["burst","ann"]'
    assert body == {
        "id": digest("finding", "burst", key, "event-5"),
        "rule": "burst",
        "title": "Title of burst",
        "level": "high",
        "group": {"user": "ann"},
        "first_time": at(1),
        "onset_time": at(5),
        "last_time": at(9),
        "count": 3,
        "signals": ["fail-1", "fail-5", "fail-9"],
        "entities": [{"kind": "principal", "id": "ann"}],
        "families": ["fail"],
        "confidence": 0.6,
        "tags": ["t.burst"],
        "evidence": [{"event": f"event-{n}", "sha256": ZERO} for n in (1, 5, 9)],
        "body_sha256": body_sha256(body),
    }


def test_a_finding_is_provisional_then_settled_then_final() -> None:
    stage, states = Stage(logic()), list[str]()
    for outputs in (stage.take(*hits(1, 5)), stage.pass_to(6 * SECOND), stage.pass_to(MINUTE)):
        states += [
            output.state
            for state in ("provisional", "settled", "final")
            for output in results_of(outputs, "finding", state)
        ]
    assert states == ["provisional", "settled", "final"]


def test_signals_of_one_event_are_one_hit() -> None:
    both = rules(
        burst="type: event_count; rules: [fail, ok]; group-by: [user]; condition: {gte: 2}"
    )
    target = rule("burst", both)
    one = [*hits(5, to=target), *hits(5, of="ok", to=target)]
    assert bodies(whole(logic(both), one, MINUTE), "finding") == []
    (body,) = bodies(whole(logic(both), [*one, *hits(6, to=target)], MINUTE), "finding")
    assert body["count"] == 2
    assert body["signals"] == ["fail-5", "ok-5", "fail-6"]
    assert body["families"] == ["fail", "ok"]


def test_what_a_row_says_twice_is_shown_once() -> None:
    twice: dict[str, Any] = {
        "signals": ["fail-5", "fail-5"],
        "evidence": [["event-5", ZERO], ["event-5", ZERO]],
        "entities": ["principal:ann", "principal:bob", "principal:ann"],
        "families": ["fail", "fail"],
    }
    (body,) = bodies(whole(logic(), [*hits(1), *hits(5, **twice)], MINUTE), "finding")
    assert body["count"] == 2
    assert body["signals"] == ["fail-1", "fail-5"]
    assert [one["id"] for one in body["entities"]] == ["ann", "bob"]
    assert body["families"] == ["fail"]
    assert [one["event"] for one in body["evidence"]] == ["event-1", "event-5"]


def test_a_condition_that_more_hits_can_undo_is_told_once_settled() -> None:
    few = rules(burst="type: event_count; rules: [fail]; group-by: [user]; condition: {lte: 1}")
    stage = Stage(logic(few))
    assert stage.take(*hits(1, to=rule("burst", few))) == []
    outputs = stage.pass_to(2 * SECOND)
    assert [body["count"] for body in bodies(outputs, "finding", "settled")] == [1]


# Rows for who waits


def test_every_qualifying_time_is_told_to_temporal_rules_and_onsets_to_counting_ones() -> None:
    outputs = rows_of(whole(logic(), hits(1, 5, 9), MINUTE))
    told = [(row.key, row.time // SECOND) for row in outputs if row.kind == "episode"]
    assert sorted(told) == [('["many","ann"]', 5), ('["then","ann"]', 5), ('["then","ann"]', 9)]
    by_key = {row.key: row for row in outputs if row.time == 5 * SECOND}
    assert by_key['["then","ann"]'].level == 2
    assert by_key['["then","ann"]'].body["names"] == ["burst"]
    assert by_key['["then","ann"]'].body["signals"] == ["fail-1", "fail-5"]
    finding = digest("finding", "burst", '["burst","ann"]', "event-5")
    assert by_key['["many","ann"]'].body["event"] == finding


def test_every_qualifying_time_is_a_leg_of_convergences() -> None:
    legs = [row for row in rows_of(whole(logic(), hits(1, 5, 9), MINUTE)) if row.kind == "finding"]
    assert [(row.topic, row.key, row.time // SECOND) for row in legs] == [
        ("attach", "principal:ann", 5),
        ("attach", "principal:ann", 9),
    ]
    finding = digest("finding", "burst", '["burst","ann"]', "event-5")
    assert {row.body["finding"] for row in legs} == {finding}
    assert [row.body["signals"] for row in legs] == [["fail-1", "fail-5"], ["fail-9"]]
    assert legs[0].body["family"] == rule("burst").family


def test_a_chain_ends_in_a_finding_of_the_higher_level() -> None:
    lower = [row for row in rows_of(whole(logic(), hits(1, 5), MINUTE)) if "then" in row.key]
    ok = hits(7, of="ok", to=rule("then"))
    (body,) = bodies(whole(logic(), [*lower, *ok], MINUTE), "finding")
    assert (body["rule"], body["onset_time"], body["first_time"]) == ("then", at(7), at(5))
    assert body["signals"] == ["fail-1", "fail-5", "ok-7"]
    assert [pair["event"] for pair in body["evidence"]] == ["event-1", "event-5", "event-7"]


def test_the_order_of_rows_of_one_time_changes_nothing() -> None:
    one = [*hits(5), *hits(5, id="another", event="another"), *hits(6)]
    assert whole(logic(), one, MINUTE) == whole(logic(), one[::-1], MINUTE)
    (body,) = bodies(whole(logic(), one, MINUTE), "finding")
    assert body["id"] == digest("finding", "burst", '["burst","ann"]', "another")


SUM = "type: value_sum; rules: [fail]; group-by: [user]; condition: {field: user, gte: 2}"
ALIKE = {
    "event_count": BURST,
    "value_count": "type: value_count; rules: [fail]; condition: {field: user, gte: 2}",
    "value_sum": SUM,
    "temporal": "type: temporal; rules: [fail, ok]; group-by: [user]",
    "temporal_ordered": "type: temporal_ordered; rules: [fail, ok]; group-by: [user]",
    "absence": "type: temporal; rules: [fail, ok]; group-by: [user]; condition: fail and not ok",
}


@pytest.mark.parametrize("lines", ALIKE.values(), ids=ALIKE)
def test_a_group_of_which_nothing_is_heard_any_more_is_forgotten(lines: str) -> None:
    ruleset = rules(burst=BURST, quiet=lines)
    quiet = rule("quiet", ruleset)
    stage = Stage(logic(ruleset))
    stage.take(*hits(1, to=quiet, value="5"))
    stage.pass_to(11 * SECOND)  # one at 11 s would still be in a window with it
    assert len(stage.keyed.slots) == 1
    stage.pass_to(quiet.timespan * 3)
    assert stage.keyed.slots == {}
