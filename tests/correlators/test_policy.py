"""Policies: ours resolve; one that would look at nothing is refused, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from correlators.document import Document
from correlators.policy import Policies, builtin, read
from correlators.ruleset import builtin as rules
from correlators.ruleset import parse
from correlators.standards import standards

RULES = parse(rules())
HEAD = "id: ours\ntitle: Ours\nchecks:\n  - id: one\n    title: One\n"
SOUND = f"{HEAD}    weaknesses: {{}}\n"
EITHER = "says exactly one of `weaknesses`, `against`, `allow`, `criteria`"


def loaded(text: str) -> Policies:
    return read([Document("ours.yml", text)], RULES, standards().criteria.keys())


def test_those_of_the_package_resolve() -> None:
    found = read(builtin(), RULES, standards().criteria.keys())
    assert found.problems == ()
    assert [one.id for one in found.policies] == ["merge", "release"]
    assert all(check.title for one in found.policies for check in one.checks)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"{HEAD}    weakness: {{}}\n",
            "ours.yml:6: `checks.0.weakness`: there is no such key here",
        ),
        (HEAD, f"ours.yml:4: `checks.0`: {EITHER}"),
        (
            f"{SOUND}    criteria: [calm]\n",
            f"ours.yml:4: `checks.0`: {EITHER}",
        ),
        (f"{HEAD}    criteria: [calm]\n", "ours.yml:6: `calm` is no criterion"),
        (
            f"{HEAD}    against: {{rules: [nobody]}}\n",
            "ours.yml:6: `nobody` is no rule",
        ),
        (
            f"{HEAD}    against: {{alerts: [nothing]}}\n",
            "ours.yml:6: `nothing` is no convergence",
        ),
        (
            f"{HEAD}    against: {{facts: [finding]}}\n",
            "ours.yml:6: `finding` is every finding of a scanner: write `weaknesses`",
        ),
        (
            f"{HEAD}    allow: {{of: [apikey], only: []}}\n",
            "ours.yml:6: `apikey` is of no kind that is judged: application, agent, model",
        ),
        (
            f"{HEAD}    weaknesses: {{on: [picture]}}\n",
            "ours.yml:6: `checks.0.weaknesses.on.0`: 'picture' is no kind of thing",
        ),
        (
            f"{SOUND}    needs: [{{signalled: [model_calls_volume], within: 7d}}]\n",
            "ours.yml:7: `signalled` needs the subject of a criterion: write `criteria`",
        ),
        (
            f"{SOUND}waivers:\n  - {{check: two, reason: so, until: 2026-03-04}}\n",
            "ours.yml:8: `two` is no check of this policy",
        ),
        (
            f"{SOUND}waivers:\n  - {{check: one, reason: so}}\n",
            "ours.yml:8: `waivers.0.until`: ",
        ),
        (
            f"{SOUND}waivers:\n  - {{check: one, until: 2026-03-04}}\n",
            "ours.yml:8: `waivers.0.reason`: ",
        ),
        (
            f"{SOUND}  - id: one\n    title: Again\n    weaknesses: {{}}\n",
            "ours.yml:1: has the check one twice",
        ),
        (
            HEAD.replace("id: one", "id: readable") + "    weaknesses: {}\n",
            "ours.yml:4: `checks.0`: `readable` is the check that every policy has",
        ),
        (
            HEAD.replace("ours", "theirs") + "    weaknesses: {}\n",
            "ours.yml:1: `theirs` is not the name of its file",
        ),
        ("id: ours\ntitle: Ours\nchecks: []\n", "ours.yml:3: `checks`: "),
        ("id: [\n", "ours.yml:2: "),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, expected: str) -> None:
    found = loaded(text)
    assert found.policies == ()
    assert str(found.problems[0]).startswith(expected)
    assert "\n" not in str(found.problems[0])


def test_a_waiver_may_be_of_what_cannot_be_read() -> None:
    text = f"{SOUND}waivers:\n"
    found = loaded(f"{text}  - {{check: readable, reason: cut off, until: 2026-03-04}}\n")
    assert found.problems == ()
    assert found.policies[0].waivers[0].until.isoformat() == "2026-03-04"


def test_the_one_that_the_guide_shows_can_be_used() -> None:
    guide = (Path(__file__).parents[2] / "docs/gate.md").read_text("utf-8")
    (text,) = (part.partition("```")[0] for part in guide.split("```yaml\n") if "id: shop" in part)
    found = read([Document("shop.yml", text)], RULES, standards().criteria.keys())
    assert found.problems == ()
    assert len(found.policies[0].checks) == 5
