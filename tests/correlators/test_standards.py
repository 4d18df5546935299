"""Standards: what comes with the package resolves; a reference that leads nowhere is refused."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
import yaml

from correlators.document import Document
from correlators.known import JUDGED
from correlators.ruleset import builtin, parse
from correlators.standards import Standards, read, standards
from infra.compliance.conditions import CONDITIONS
from schemas.atlas import atlas
from schemas.framework import Condition, Criterion
from streams.source import names

RULES = parse(builtin())
EITHER = "has either `criteria` or `unseen`, which says why it has none"
CRITERION: dict[str, Any] = {
    "id": "kept",
    "title": "It is kept",
    "rationale": "Because.",
    "against": [{"rules": ["ai_logging_disabled"]}],
    "needs": [{"observed": ["application"], "within": "2d"}],
}
FRAMEWORK: dict[str, Any] = {
    "id": "ours",
    "title": "Ours",
    "version": "1",
    "publisher": "Us",
    "url": "https://standard.example/",
    "notice": "Ours.",
    "controls": [{"ref": "A1", "title": "One", "rationale": "Because.", "criteria": ["kept"]}],
}


def _written(body: dict[str, Any]) -> str:
    return yaml.safe_dump(json.loads(json.dumps(body)), sort_keys=False)  # no aliases


def loaded(criterion: dict[str, Any], framework: dict[str, Any] = FRAMEWORK) -> Standards:
    def document(folder: str, body: dict[str, Any]) -> Document:
        return Document(f"{folder}/{body['id']}.yml", _written(body))

    return read([document("f", framework)], [document("c", criterion)], RULES)


def said(found: Standards) -> list[str]:
    return [str(problem) for problem in found.problems]


def test_what_comes_with_the_package_resolves() -> None:
    found = standards()
    assert found.problems == ()
    assert {id_: len(one.controls) for id_, one in found.frameworks.items()} == {
        "eu_ai_act": 11,
        "iso_42001": 15,
        "mitre_atlas": 13,
        "nist_ai_rmf": 17,
        "owasp_agentic_2026": 10,
        "owasp_llm_2025": 10,
    }
    used = {id_ for f in found.frameworks.values() for c in f.controls for id_ in c.criteria}
    assert used == set(found.criteria)


def test_names_and_aliases_are_of_one_framework_each() -> None:
    every = [name for f in standards().frameworks.values() for name in (f.id, *f.aliases)]
    assert len(every) == len(set(every))
    found = standards().framework("owasp-llm")
    assert found is not None
    assert found.id == "owasp_llm_2025"
    assert standards().framework("soc2") is None


def test_a_tag_of_owasp_on_a_rule_has_a_control() -> None:
    tagged = standards().tagged()
    ours = {tag for rule in RULES.rules for tag in rule.detection.tags}
    ours |= {tag for rule in RULES.correlations for tag in rule.tags}
    ours |= {tag for story in RULES.convergences for tag in story.tags}
    assert {tag for tag in ours if tag.startswith("owasp.")} - set(tagged) == set()
    assert len(tagged) == 20


def test_mitigations_are_those_of_atlas_under_its_names() -> None:
    mitigations = standards().frameworks["mitre_atlas"]
    assert mitigations.version == atlas().version
    for control in mitigations.controls:
        assert control.title == atlas().mitigations[control.ref]


@pytest.mark.parametrize("criterion", standards().criteria.values(), ids=lambda one: one.id)
def test_a_criterion_asks_of_what_there_is(criterion: Criterion) -> None:
    needs = criterion.needs
    patterns = [p for n in needs for p in (*n.observed, *n.declared, *n.scanned)]
    assert {p.partition(":")[0] for p in (*patterns, *criterion.subject)} <= set(JUDGED)
    assert {name for need in needs for name in (*need.by, *need.heard)} <= set(names())
    assert set(CONDITIONS) == set(get_args(Condition))
    if any(need.signalled for need in needs):
        assert criterion.subject, "signals are awaited of each thing that it is about"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"against": [{"rules": ["gone"]}]}, "c/kept.yml:5: `gone` is no rule"),
        ({"against": [{"alerts": ["gone"]}]}, "c/kept.yml:5: `gone` is no convergence"),
        ({"against": [{"facts": ["gone"]}]}, "c/kept.yml:5: `gone` is no fact that a rule opens"),
        (
            {"needs": [{"signalled": ["gone"], "within": "1d"}]},
            "c/kept.yml:8: `gone` is no rule",
        ),
        (
            {"needs": [{"observed": ["robot"], "within": "1d"}]},
            (
                "c/kept.yml:9: `needs.0.observed.0`: 'robot' is no kind of thing; write `image` or"
                " `model:sha256:*`"
            ),
        ),
        (
            {"against": [{"rules": ["ai_logging_disabled"], "condition": "shadow"}]},
            "c/kept.yml:5: `against.0`: says exactly one of `rules`, `alerts`, `facts`, `cond",
        ),
        ({"needs": []}, "c/kept.yml:7: `needs`: tuple should have at least 1 item"),
        ({"colour": "red"}, "c/kept.yml:11: `colour`: there is no such key here"),
    ],
)
def test_a_criterion_that_leads_nowhere_is_told_with_its_line(
    change: dict[str, Any], told: str
) -> None:
    assert said(loaded(CRITERION | change))[0].startswith(told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"criteria": ["gone"]}, "f/ours.yml:11: `A1` rests on `gone`, which is no criterion"),
        ({"criteria": []}, f"f/ours.yml:8: `controls.0`: {EITHER}"),
        ({"unseen": "nobody tells"}, f"f/ours.yml:8: `controls.0`: {EITHER}"),
    ],
)
def test_a_framework_that_leads_nowhere_is_told_with_its_line(
    change: dict[str, Any], told: str
) -> None:
    control = FRAMEWORK["controls"][0] | change
    found = loaded(CRITERION, FRAMEWORK | {"controls": [control]})
    assert said(found)[0] == told
    assert found.frameworks == {}


def test_an_id_is_the_name_of_its_file_and_there_once() -> None:
    text = yaml.safe_dump(CRITERION)
    found = read((), [Document("c/other.yml", text), Document("c/kept.yml", text)], RULES)
    assert said(found) == [
        "c/other.yml:4: `kept` is not the name of its file",
        "c/kept.yml:4: `kept` is there twice",
    ]
    twice = FRAMEWORK | {"controls": [{**FRAMEWORK["controls"][0]} for _ in range(2)]}
    assert "has A1 twice" in said(loaded(CRITERION, twice))[0]
