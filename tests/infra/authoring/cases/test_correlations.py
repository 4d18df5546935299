"""Cases of correlations: hits and the episodes that they give."""

from __future__ import annotations

from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from infra.authoring.cases.correlations import failures

RULE = """\
title: guessing
name: guessing
correlation:
  type: event_count
  rules: [failed]
  group-by: [user]
  timespan: 10m
  condition: {gte: 2}
"""
LACKS = "hit 1 lacks the field `user`"
HITS = [
    {"at": "5m", "of": "failed", "fields": {"user": "Ann"}},
    {"at": "0s", "of": "failed", "fields": {"user": "ann"}},
    {"at": "1m", "of": "failed", "fields": {"user": "bob"}},
]


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    rules = parse([Document("r.yml", RULE)], external=True)
    assert rules.problems == ()
    return rules


def told(ruleset: Ruleset, *episodes: dict[str, Any]) -> list[str]:
    return list(failures(ruleset, "guessing", {"hits": HITS, "episodes": list(episodes)}))


def test_a_case_that_holds_says_nothing(ruleset: Ruleset) -> None:
    assert told(ruleset, {"group": {"user": "ANN"}, "onset": "5m", "last": "5m"}) == []


def test_what_is_missing_and_what_is_too_much_is_said_as_the_author_wrote_it(
    ruleset: Ruleset,
) -> None:
    assert told(ruleset) == ["an episode that is not expected: of user=ann from 5m to 5m"]
    assert told(ruleset, {"group": {"user": "Ann"}, "onset": 60, "last": "300s"})[0] == (
        "no episode of user=Ann from 60 to 300s"
    )


def idle(ruleset: Ruleset, hit: dict[str, Any], **more: Any) -> list[str]:  # noqa: ANN401
    case = {"hits": [{"at": "5m", "of": "failed"} | hit], "episodes": []}
    return list(failures(ruleset, "guessing", case | more))


@pytest.mark.parametrize(
    ("hit", "expected"),
    [
        ({"fields": {"user": "ann"}}, None),
        ({"fields": {"user": None}}, None),
        (
            {"of": "faild", "fields": {"user": "ann"}},
            "hit 1 is of `faild`, which is no rule that this one refers to; did you mean `failed`?",
        ),
        (
            {"of": "guessing", "fields": {"user": "ann"}},
            "hit 1 is of `guessing`, which is no rule that this one refers to (`failed`)",
        ),
        (
            {"fields": {"usr": "ann"}},
            "hit 1 lacks the field `user`, which `guessing` groups by (it has `usr`)",
        ),
        (
            {},
            f"{LACKS}, which `guessing` groups by (`user: null` if that is meant)",
        ),
        (
            {"fields": {"user": ["ann"]}},
            "`user` of hit 1 is a list or a mapping, and no value that one groups by",
        ),
        ({"fields": "user"}, "`fields` of hit 1 is a mapping, not 'user'"),
        (
            {"fields": {"user": "ann"}, "foo": 3},
            "hit 1 has an unknown key `foo`",
        ),
    ],
)
def test_a_hit_that_does_nothing_proves_nothing(
    ruleset: Ruleset, hit: dict[str, Any], expected: str | None
) -> None:
    assert idle(ruleset, hit) == ([] if expected is None else [expected])


def test_keys_are_those_of_a_case(ruleset: Ruleset) -> None:
    hit = {"fields": {"user": "ann"}}
    assert idle(ruleset, hit, untl="15m") == [
        "the case has an unknown key `untl`; did you mean `until`?"
    ]
    assert idle(ruleset, hit | {"at": "5x"}, until="soon") == [
        "`until` of the case is no time: not a duration like 30s, 15m, 24h or 7d: 'soon'",
        "`at` of hit 1 is no time: not a duration like 30s, 15m, 24h or 7d: '5x'",
    ]
    assert idle(ruleset, hit, hits=5) == ["`hits` is a list, not 5"]
    assert told(ruleset, {"group": {"user": "ann"}, "onset": "5m"}) == ["episode 1 lacks `last`"]
    assert told(ruleset, {"group": "ann", "onset": "5m", "last": "5m"}) == [
        "`group` of episode 1 is a mapping, not 'ann'"
    ]


def test_counted_fields_and_aliases_are_asked_for_too() -> None:
    text = RULE.replace("event_count", "value_sum").replace("{gte: 2}", "{gte: 2, field: size}")
    rule = text + "  aliases:\n    user: {failed: login}\n"
    rules = parse([Document("r.yml", rule)], external=True)
    assert idle(rules, {"fields": {"login": "ann", "size": None}}) == []
    assert idle(rules, {"fields": {"login": "ann"}}) == [
        "hit 1 lacks the field `size`, which `guessing` counts (`size: null` if that is meant)"
    ]
    assert idle(rules, {"fields": {"user": "ann", "size": 1}})[0].startswith(
        "hit 1 lacks the field `login`, which `guessing` groups by"
    )


def test_a_chain_takes_hits_of_what_its_lower_rules_refer_to() -> None:
    chain = RULE.replace("guessing", "chain").replace("[failed]", "[guessing]")
    rules = parse([Document("r.yml", RULE + "---\n" + chain)], external=True)
    case = {"hits": [HITS[0], HITS[1]], "episodes": []}
    assert list(failures(rules, "chain", case)) == []
    case = {"hits": [HITS[0] | {"fields": {}}], "episodes": []}
    assert list(failures(rules, "chain", case)) == [
        "hit 1 lacks the field `user`, which `guessing` groups by (`user: null` if that is meant)"
    ]


def test_a_hit_names_a_rule_by_name_or_id() -> None:
    id_ = "61111111-0000-4000-8000-000000000001"
    base = (
        f"title: base\nname: base\nid: {id_}\nlogsource: {{product: any}}\n"
        "detection: {s: {x: y}, condition: s}\n"
    )
    rules = parse([Document("r.yml", base + "---\n" + RULE.replace("[failed]", "[base]"))])
    assert rules.problems == ()
    for of in ("base", id_):
        case = {"hits": [hit | {"of": of} for hit in HITS], "episodes": []}
        assert list(failures(rules, "guessing", case)) == [
            "an episode that is not expected: of user=ann from 5m to 5m"
        ]


def test_a_case_of_absence_says_how_far_time_passes() -> None:
    text = RULE.replace("[failed]", "[deployed, approved]").replace("event_count", "temporal")
    rule = text.replace("{gte: 2}", "deployed and not approved")
    rules = parse([Document("r.yml", rule)], external=True)
    hits = [{"at": "1m", "of": "deployed", "fields": {"user": "ann"}}]
    episode = {"group": {"user": "ann"}, "onset": "1m", "last": "1m"}
    case = {"hits": hits, "until": "12m", "episodes": [episode]}
    assert list(failures(rules, "guessing", case)) == []
    assert list(failures(rules, "guessing", case | {"until": "11m", "episodes": []})) == []
    approved = {"at": "11m", "of": "approved", "fields": {"user": "ann"}}
    assert (
        list(failures(rules, "guessing", case | {"hits": [*hits, approved], "episodes": []})) == []
    )
