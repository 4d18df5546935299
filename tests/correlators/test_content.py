"""The content pack keeps its own rules: everything resolves, nothing everyday opens an alert."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from correlators.atlas import technique as technique_of
from correlators.ruleset import builtin, parse
from correlators.sigma.rule import Rule
from infra.authoring.cases.detections import failures
from schemas.atlas import atlas
from schemas.convergence import Convergence, Leg

RULES = parse(builtin())
DETECTIONS = {rule.detection.id: rule for rule in RULES.rules}
CORRELATIONS = {rule.id: rule for rule in RULES.correlations}
STORIES = [story for story in RULES.convergences if story.id != "notable"]
LEVELS = {id_: rule.detection.level for id_, rule in DETECTIONS.items()} | {
    id_: rule.level for id_, rule in CORRELATIONS.items()
}
OWASP = {f"owasp.llm{n:02}" for n in range(1, 11)} | {f"owasp.asi{n:02}" for n in range(1, 11)}


def folder(name: str) -> Path:
    return Path(str(files("correlators"))) / name


def documents(name: str) -> dict[str, dict[str, Any]]:
    paths = (p for p in folder(name).glob("*.yml") if not p.name.endswith(".cases.yml"))
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in paths}


def cases(name: str, stem: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(
        (folder(name) / f"{stem}.cases.yml").read_text("utf-8")
    )
    return found


def legs() -> Iterator[tuple[Convergence, str, Leg]]:
    for story in STORIES:
        for name, leg in story.legs.items():
            yield story, name, leg


def test_every_file_parses_and_every_reference_resolves() -> None:
    assert RULES.problems == ()
    loaded = {**DETECTIONS, **CORRELATIONS, **{story.id: story for story in RULES.convergences}}
    stems = {s for f in ("detections", "correlations", "convergences") for s in documents(f)}
    assert set(loaded) == stems


@pytest.mark.parametrize("name", ["detections", "correlations"])
def test_a_rule_says_what_who_looks_at_it_needs(name: str) -> None:
    wanted = {"title", "name", "status", "description", "author", "date", "tags", "level"}
    for stem, document in documents(name).items():
        assert wanted - set(document) == set(), stem
        assert document["falsepositives"], stem
        assert "id" not in document, stem  # the name is the id


def test_what_is_tagged_exists() -> None:
    tags = {
        **{rule.detection.id: rule.detection.tags for rule in RULES.rules},
        **{rule.id: rule.tags for rule in RULES.correlations},
        **{story.id: story.tags for story in RULES.convergences},
    }
    unknown = {
        id_: [tag for tag in some if tag not in OWASP and technique_of(tag) is None]
        for id_, some in tags.items()
    }
    assert {id_: some for id_, some in unknown.items() if some} == {}


def test_an_action_is_a_mitigation_that_takes_a_leg_away() -> None:
    for story in RULES.convergences:
        assert story.actions, story.id
        removed = {leg for action in story.actions for leg in action.removes}
        assert removed == set(story.legs), story.id
        for action in story.actions:
            assert action.control is None or action.control in atlas().mitigations, story.id


def test_everyday_activity_opens_nothing() -> None:
    for story, name, leg in legs():
        everyday = [id_ for id_ in leg.of if LEVELS[id_] == "informational"]
        assert not everyday or leg.after, f"{story.id}.{name}: {everyday}"


def test_a_posture_leg_has_a_detection_that_opens_its_fact() -> None:
    opened = {(f.name, f.on) for rule in RULES.rules if (f := rule.detection.fact)}
    general = {name for name, on in opened if on == "vulnerability"}  # of every asset that has it
    asked = {
        (leg.fact, "vulnerability" if leg.fact in general else leg.on)
        for _, _, leg in legs()
        if leg.class_ == "posture"
    }
    assert opened == asked


def test_a_fact_alone_is_not_notable() -> None:
    loud = [
        r.detection.id
        for r in RULES.rules
        if r.detection.fact and r.detection.level in ("high", "critical")
    ]
    assert loud == []


def test_every_detection_serves_a_story_a_correlation_or_notable() -> None:
    facts = {id_ for id_, rule in DETECTIONS.items() if rule.detection.fact}
    assert set(DETECTIONS) - facts - set(RULES.feeds) - set(RULES.legs) == set()


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.detection.id)
def test_the_cases_of_a_detection_hold(rule: Rule) -> None:
    tried = [case for case in cases("detections", rule.detection.id) if "seen" not in case]
    assert {case["match"] for case in tried} == {True, False}
    bare = {c["name"]: {k: v for k, v in c.items() if k != "name"} for c in tried}
    said = {name: list(failures(RULES, rule.detection.id, c)) for name, c in bare.items()}
    assert {name: wrong for name, wrong in said.items() if wrong} == {}


def test_a_habit_speaks_softly_and_is_tried_with_and_without_a_signal() -> None:
    for one in RULES.habits:
        assert one.level in ("informational", "low"), one.id
        tried = [case for case in cases("detections", one.id) if "seen" in case]
        assert {bool(case["signals"]) for case in tried} == {True, False}, one.id


@pytest.mark.parametrize("id_", CORRELATIONS)
def test_a_correlation_is_tried_with_and_without_a_finding(id_: str) -> None:
    tried = cases("correlations", id_)
    assert {bool(case["episodes"]) for case in tried} == {True, False}
    assert {hit["of"] for case in tried for hit in case["hits"]} == set(CORRELATIONS[id_].rules)


@pytest.mark.parametrize("story", RULES.convergences, ids=lambda story: story.id)
def test_a_story_is_tried_to_its_highest_stage_and_to_none(story: Convergence) -> None:
    tried = cases("convergences", story.id)
    peaks = {case["expect"]["peak"] for case in tried}
    latent = all(leg.class_ == "posture" for leg in story.legs.values())
    highest = "outlook" if latent else "watch" if story.id == "notable" else "warning"
    assert {"none", "outlook", highest} <= peaks
    facts = {leg.fact for leg in story.legs.values()}
    for case in tried:
        assert {signal["of"] for signal in case.get("signals", [])} <= set(LEVELS), case["name"]
        assert {fact["fact"] for fact in case.get("facts", [])} <= facts, case["name"]


def test_a_manifest_is_either_clean_or_suspicious() -> None:
    cues = (
        "conceal",
        "credential",
        "destructive",
        "hidden_text",
        "instruction",
        "other_tool",
        "url",
    )
    clean, suspicious = DETECTIONS["mcp_manifest_clean"], DETECTIONS["mcp_manifest_suspicious"]
    for size in range(len(cues) + 1):
        for some in combinations(cues, size):
            event = {"mcp.manifest.sha256": "aa11", "mcp.manifest.cues": list(some)}
            assert clean.matches(event) is not suspicious.matches(event), some
