"""Assess: the life of alerts on one AI system, from outlook to their end."""

from __future__ import annotations

import pytest

from correlators.assess import memory
from schemas.alert import Alert
from schemas.canonical import body_sha256, digest
from schemas.rows import Delete, Row
from schemas.times import HOUR, MINUTE
from tests.correlators.assessing import (
    EXPOSED,
    STORY,
    SYSTEM,
    USE,
    alerts,
    at,
    fact,
    leaves,
    leg,
    lines,
    logic,
)
from tests.correlators.stage import ZERO, Stage, bodies
from tests.correlators.stories import AGENT, story

# From outlook to warning


def test_an_alert_rises_with_independent_families() -> None:
    stage, told = Stage(logic(STORY)), list[str]()
    for row in (leg(1), leg(2, "deploy"), fact(3)):
        told += [body["stage"] for body in bodies(stage.take(row), "alert", "provisional")]
    assert told == ["outlook", "watch", "warning"]
    (alert,) = bodies(stage.pass_to(10 * HOUR), "alert")
    assert lines(alert) == [
        (1, "outlook: Title of use"),
        (2, "outlook -> watch: Title of deploy; Title of use"),
        (3, "watch -> warning: Title of deploy; Title of exposed; Title of use"),
        (11, "warning -> watch: older evidence left the window"),
        (63, "expired at watch"),
    ]


def test_the_body_of_an_alert_is_a_record_of_the_contract() -> None:
    (alert,) = alerts(leg(1), until=5)
    assert alert["id"] == digest("alert", SYSTEM, "story", "leg-use-1-agent:a")
    assert alert["thread"] == digest("thread", SYSTEM, "story")
    assert alert["body_sha256"] == body_sha256(alert)
    written = {
        "convergence": "story",
        "stage": "outlook",
        "peak_stage": "outlook",
        "status": "open",
        "system": SYSTEM,
        "title": "Story",
        "summary": "Something happened. Holding on agent:a: Title of use.",
        "severity": "high",
        "entities": [{"kind": "agent", "id": "a"}],
        "findings": [],
        "path": [{"from": SYSTEM, "relation": "runs", "to": AGENT, "state": "walked"}],
        "next": [],
        "tags": [],
        "first_time": at(1),
        "onset_time": at(1),
        "last_time": at(1),
        "expires_at": at(61),
        "evidence": [{"event": "event-use-1", "sha256": ZERO}],
        "confidence": 0.7,
    }
    assert {name: alert[name] for name in written} == written
    assert "draft" not in alert
    Alert.model_validate({**alert, "meta": {"state": "final"}})


def test_at_equal_times_facts_come_before_legs_and_legs_in_order() -> None:
    chain = story({"recon": USE, "use": {**USE, "after": "recon"}, "weak": EXPOSED})
    (alert,) = alerts(leg(3, "use"), leg(3, "recon"), fact(3), stories=[chain], until=5)
    assert alert["stage"] == "warning"
    assert lines(alert) == [(3, "warning: Title of exposed; Title of recon; Title of use")]


def test_the_first_row_by_id_at_the_onset_makes_the_id() -> None:
    (alert,) = alerts(leg(3, "use"), leg(3, "deploy"), until=5)
    assert alert["id"] == digest("alert", SYSTEM, "story", "leg-deploy-3-agent:a")


def test_posture_beside_a_leg_counts_and_alone_says_nothing() -> None:
    assert alerts(fact(1)) == []
    (alert,) = alerts(fact(1), leg(2), until=5)
    assert (alert["stage"], alert["onset_time"], alert["first_time"]) == ("watch", at(2), at(2))


def test_more_evidence_at_one_stage_is_a_line_of_the_timeline() -> None:
    rows = [leg(n, family=f"f{n}") for n in (1, 2, 3, 4)]
    (alert,) = alerts(*rows, until=5)
    assert lines(alert)[-1] == (4, "more evidence: Title of use")


def test_the_same_family_again_holds_longer_and_says_nothing_more() -> None:
    (alert,) = alerts(leg(1), leg(2), until=5)
    assert (alert["stage"], alert["last_time"], alert["expires_at"]) == ("outlook", at(2), at(62))
    assert lines(alert) == [(1, "outlook: Title of use")]


def test_what_names_no_join_entity_or_reaches_the_system_by_another_fills_no_leg() -> None:
    assert alerts(leg(1, entities=["model:m"], entity="model:m")) == []
    assert alerts(leg(1, entities=[AGENT, "model:m"], entity="model:m")) == []


def test_legs_meet_on_one_join_entity_and_the_best_of_them_is_told() -> None:
    other = "agent:b"
    rows = [leg(1), leg(2, "deploy", [other], other), leg(3, "use", [other], other)]
    (alert,) = alerts(*rows, until=5)
    assert alert["stage"] == "watch"
    assert alert["summary"].endswith(" Holding on agent:b: Title of deploy; Title of use.")


# Down again


def test_a_closed_fact_takes_its_points_back() -> None:
    stage = Stage(logic(STORY))
    stage.take(leg(1), leg(2, "deploy"), fact(3))
    (alert,) = bodies(stage.take(fact(4, "closed")), "alert", "provisional")
    assert (alert["stage"], alert["peak_stage"]) == ("watch", "warning")
    assert lines(alert)[-1] == (4, "warning -> watch: evidence was taken back")
    assert not [term for term in alert["why"] if term["term"].startswith("weak")]


def test_a_leg_that_leaves_its_window_lowers_the_stage_but_not_the_time_to_live() -> None:
    (alert,) = alerts(leg(1), leg(2, "deploy"), until=11.5)
    assert (alert["stage"], alert["peak_stage"], alert["last_time"]) == ("outlook", "watch", at(2))
    assert lines(alert)[-1] == (11, "watch -> outlook: older evidence left the window")


def test_an_alert_expires_its_time_to_live_after_it_last_held() -> None:
    (alert,) = alerts(leg(1), leg(5), until=65)
    assert (alert["status"], alert["expires_at"]) == ("open", at(65))
    (alert,) = alerts(leg(1), leg(5), until=65.1)
    assert (alert["status"], alert["last_time"]) == ("expired", at(5))
    assert lines(alert)[-1] == (65, "expired at outlook")


def test_evidence_of_an_alert_that_ended_is_spent() -> None:
    short = story({"use": USE, "deploy": USE}, ttl=2 * MINUTE)
    first, second = alerts(leg(1), leg(4, "deploy"), stories=[short])
    assert (first["status"], second["stage"], second["onset_time"]) == ("expired", "outlook", at(4))
    assert first["id"] != second["id"]
    assert first["thread"] == second["thread"]


def test_an_alert_is_resolved_when_all_its_evidence_left() -> None:
    (alert,) = alerts(leg(1), leaves(5))
    assert alert["status"] == "resolved"
    assert lines(alert) == [(1, "outlook: Title of use"), (5, "resolved at outlook")]


def test_the_facts_of_who_left_go_too() -> None:
    image = story({"use": USE, "weak": {**EXPOSED, "on": "image"}})
    rows = [fact(1, on="image:i"), leg(2), leaves(3, "image:i")]
    (alert,) = alerts(*rows, stories=[image], until=5)
    assert lines(alert)[-1] == (3, "watch -> outlook: evidence was taken back")


def test_a_row_that_is_taken_back_withdraws_its_alert() -> None:
    stage = Stage(logic(STORY))
    row = leg(1)
    stage.take(row)
    outputs = stage.take(Delete(row.topic, row.level, row.key, row.time, row.id))
    assert [body["stage"] for body in bodies(outputs, "alert", "withdrawn")] == ["outlook"]


# Posture alone

LATENT = story({"weak": EXPOSED, "open": {**EXPOSED, "fact": "unguarded"}})


def test_posture_alone_opens_at_the_fact_that_completes_it_and_never_passes_an_outlook() -> None:
    rows = [fact(1), fact(3, name="unguarded"), fact(4, name="unguarded", instance="2")]
    (alert,) = alerts(*rows, stories=[LATENT], until=5)
    assert (alert["stage"], alert["onset_time"], alert["status"]) == ("outlook", at(3), "open")


def test_posture_alone_is_resolved_by_the_fact_that_ends_it() -> None:
    rows = [fact(1), fact(3, name="unguarded"), fact(5, "closed")]
    (alert,) = alerts(*rows, stories=[LATENT])
    assert (alert["status"], lines(alert)[-1]) == ("resolved", (5, "resolved at outlook"))


@pytest.mark.parametrize("end", [fact(5, "closed"), leaves(5)], ids=["closed", "gone"])
def test_of_posture_that_ended_before_it_was_complete_nothing_is_left(end: Row) -> None:
    stage = Stage(logic(LATENT))
    stage.take(fact(1), end)
    stage.pass_to(10 * MINUTE)
    assert stage.keyed.slots == {}


def test_posture_on_two_entities_is_not_posture_on_one() -> None:
    rows = [fact(1), fact(3, name="unguarded", on="agent:b")]
    assert alerts(*rows, stories=[LATENT], until=5) == []


# Absence

UNCHECKED = story(
    {
        "deploy": {"class": "change"},
        "eval": {"class": "change", "absent": True, "since": "deploy", "within": 5 * MINUTE},
    }
)


def test_an_absence_is_told_once_it_is_settled() -> None:
    stage = Stage(logic(UNCHECKED))
    stage.take(leg(1, "deploy"))
    assert bodies(stage.take(leg(8, "nothing")), "alert", "provisional") == []
    assert bodies(stage.pass_to(6 * MINUTE), "alert", "settled")[0]["stage"] == "outlook"
    (alert,) = bodies(stage.pass_to(6 * MINUTE + 1), "alert", "settled")
    assert (alert["stage"], alert["last_time"]) == ("watch", at(6))
    assert lines(alert)[-1] == (6, "outlook -> watch: Nothing followed: eval; Title of deploy")


def test_what_comes_at_the_deadline_is_in_time() -> None:
    (alert,) = alerts(leg(1, "deploy"), leg(6, "eval"), stories=[UNCHECKED], until=9)
    assert alert["stage"] == "outlook"


# Yielding

NOTABLE = story({"any": {**USE, "of": ["use", "noise"]}}, id="notable", yields=True)


def test_what_another_alert_tells_is_not_told_twice() -> None:
    assert [a["convergence"] for a in alerts(leg(1), stories=[NOTABLE, STORY], until=5)] == [
        "story"
    ]


def test_what_nobody_else_tells_is_told() -> None:
    found = alerts(leg(1), leg(2, "noise"), stories=[NOTABLE, STORY], until=5)
    assert {alert["convergence"]: lines(alert) for alert in found} == {
        "story": [(1, "outlook: Title of use")],
        "notable": [(2, "outlook: Title of noise")],
    }


def test_an_alert_that_another_takes_over_is_superseded() -> None:
    twice = story({"use": {**USE, "at_least": 2}}, id="twice")
    found = alerts(leg(1), leg(2), stories=[NOTABLE, twice], until=5)
    assert {alert["convergence"]: (alert["status"], lines(alert)) for alert in found} == {
        "notable": ("superseded", [(1, "outlook: Title of use"), (2, "superseded at outlook")]),
        "twice": ("open", [(2, "outlook: Title of use")]),
    }
    covering = next(alert["id"] for alert in found if alert["convergence"] == "twice")
    assert [alert.get("superseded_by") for alert in found] == [covering, None]


# The whole


def test_a_system_of_which_nothing_is_left_is_forgotten() -> None:
    stage = Stage(logic(STORY))
    stage.take(leg(1))
    stage.pass_to(10 * HOUR)
    assert stage.keyed.slots == {}


def test_attach_remembers_legs_for_the_longest_window() -> None:
    assert memory([]) == 0
    assert memory([STORY, story({"use": USE}, window=3 * HOUR)]) == 3 * HOUR
