"""Standing: the stage that independent families make, and where posture counts."""

from __future__ import annotations

import pytest

from correlators.legs import Instance
from correlators.standing import OpenFact, Standing, standing
from schemas.convergence import Convergence
from schemas.times import MINUTE
from tests.correlators.stories import AGENT, filled, hit, open_fact, story

USE = {"class": "runtime"}
FACT = {"class": "posture", "fact": "exposed", "on": "agent"}


def look(
    convergence: Convergence,
    instance: Instance,
    *facts: OpenFact,
    minute: int = 5,
    join: str = AGENT,
) -> Standing | None:
    by_place = {f"{fact.entity}|{fact.name}|{fact.family}": fact for fact in facts}
    return standing(convergence, join, instance, by_place, minute * MINUTE)


def stage(found: Standing | None) -> str:
    return found.stage if found else "none"


# Stages


@pytest.mark.parametrize(
    ("families", "expected"),
    [
        ([], "none"),
        (["f"], "outlook"),
        (["f", "f"], "outlook"),
        (["f", "g"], "watch"),
        (["f", "g", "h"], "warning"),
        (["f", "g", "h", "i"], "warning"),
    ],
)
def test_independent_families_make_the_stage(families: list[str], expected: str) -> None:
    one = story({"use": USE})
    hits = [hit(n, family=family) for n, family in enumerate(families)]
    assert stage(look(one, filled(one, *hits))) == expected


def test_a_family_counts_once_whichever_leg_it_fills() -> None:
    two = story({"use": USE, "deploy": {"class": "change"}})
    instance = filled(two, hit(1, "use", family="same"), hit(2, "deploy", family="same"))
    found = look(two, instance)
    assert found is not None
    assert (found.stage, found.legs) == ("outlook", ("use", "deploy"))
    assert [strand.family for strand in found.strands] == ["same"]


def test_of_a_family_the_strongest_strand_stands_for_it() -> None:
    two = story({"use": USE, "deploy": {"class": "change"}})
    weak = hit(2, "deploy", family="same", level="medium", confidence=999)
    found = look(two, filled(two, hit(1, "use", family="same"), weak))
    assert found is not None
    assert [(s.leg, s.class_, s.severity) for s in found.strands] == [("use", "runtime", "high")]


def test_two_families_that_were_walked_are_a_warning() -> None:
    chain = story({"recon": USE, "use": {"class": "runtime", "after": "recon"}})
    found = look(chain, filled(chain, hit(1, "recon"), hit(2, "use")))
    assert found is not None
    assert (found.stage, found.walked, found.complete) == ("warning", True, True)


def test_a_chain_with_a_gap_was_not_walked() -> None:
    chain = story(
        {"recon": USE, "use": {"class": "runtime", "after": "recon"}, "end": {"class": "change"}}
    )
    found = look(chain, filled(chain, hit(1, "recon"), hit(2, "use")))
    assert found is not None
    assert (found.stage, found.walked, found.complete) == ("watch", False, False)


def test_a_leg_may_be_more_by_itself() -> None:
    alone = story({"use": {"class": "runtime", "alone": "watch"}})
    assert stage(look(alone, filled(alone, hit(1)))) == "watch"


def test_what_left_the_window_does_not_hold() -> None:
    one = story({"use": USE})
    assert stage(look(one, filled(one, hit(1)), minute=11)) == "outlook"
    assert stage(look(one, filled(one, hit(1)), minute=12)) == "none"


# Posture


def test_posture_counts_beside_a_leg_and_says_nothing_alone() -> None:
    mixed = story({"use": USE, "weak": FACT})
    assert stage(look(mixed, Instance(), open_fact())) == "none"
    assert stage(look(mixed, filled(mixed, hit(1)), open_fact())) == "watch"


def test_what_is_posture_only_is_an_outlook_once_complete() -> None:
    latent = story({"weak": FACT, "open": {**FACT, "fact": "unguarded"}})
    assert stage(look(latent, Instance(), open_fact())) == "none"
    facts = [open_fact(), open_fact("unguarded"), open_fact("unguarded", family="third")]
    assert stage(look(latent, Instance(), *facts)) == "outlook"


ELSEWHERE = {"class": "posture", "fact": "exposed", "on": "image"}


@pytest.mark.parametrize(
    ("convergence", "entity", "expected"),
    [
        pytest.param(story({"use": USE, "weak": FACT}), AGENT, "watch", id="the join entity"),
        pytest.param(
            story({"use": USE, "weak": FACT}), "agent:b", "outlook", id="another of the join kind"
        ),
        pytest.param(
            story({"use": USE, "weak": FACT}), "image:i", "outlook", id="another kind than asked"
        ),
        pytest.param(
            story({"use": USE, "weak": {**FACT, "on": "model"}}, via=["model"]),
            "model:m",
            "watch",
            id="what carried a leg",
        ),
        pytest.param(
            story({"use": USE, "weak": {**FACT, "on": "model"}}, via=["model"]),
            "model:n",
            "outlook",
            id="of a via kind what carried none",
        ),
        pytest.param(
            story({"use": USE, "weak": ELSEWHERE}),
            "image:i",
            "watch",
            id="of another kind any of the system",
        ),
        pytest.param(
            story({"use": USE, "weak": {**FACT, "on": "model"}}, join="system", via=["model"]),
            "model:n",
            "watch",
            id="of a via kind any where the join is the system",
        ),
    ],
)
def test_where_a_posture_leg_looks(convergence: Convergence, entity: str, expected: str) -> None:
    instance = filled(convergence, hit(1))
    instance.via = {"use@1": {"model:m": []}}
    assert stage(look(convergence, instance, open_fact(entity=entity))) == expected


def test_a_fact_of_another_name_says_nothing() -> None:
    mixed = story({"use": USE, "weak": FACT})
    assert stage(look(mixed, filled(mixed, hit(1)), open_fact("unguarded"))) == "outlook"
