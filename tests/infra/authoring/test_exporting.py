from pathlib import Path

import pytest
import yaml
from sigma.collection import SigmaCollection

from correlators.document import Document
from correlators.ruleset import parse
from infra.authoring.exported import refused
from infra.authoring.exporting import MARK, Exported, exported
from infra.rules import RuleFile, builtin

RULE = """\
title: trail
name: trail
description: |
  one
  two
license: DRL-1.1
author: A. Author
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: ['on', '5', 'x\\*']}, condition: s}
barograph: {confidence: 0.8}
"""


def export(text: str, *, ours: bool) -> list[Exported]:
    document = Document("trail.yml", text)
    return list(exported([RuleFile(document, None)], parse([document]), ours=ours))


def test_pysigma_reads_all_built_in_rules_without_an_error(tmp_path: Path) -> None:
    files = list(builtin())
    ruleset = parse(file.document for file in files)
    for one in exported(files, ruleset, ours=True):
        if one.text is not None:
            target = tmp_path / one.name
            target.parent.mkdir(exist_ok=True)
            target.write_text(one.text, "utf-8")
    collection = SigmaCollection.load_ruleset([tmp_path])
    assert collection.errors == []
    assert [rule.errors for rule in collection.rules if rule.errors] == []
    plain = len(ruleset.rules) - len(ruleset.habits)
    assert len(collection.rules) == plain + len(ruleset.correlations)
    texts = [path.read_text("utf-8") for path in tmp_path.rglob("*.yml")]
    assert {tuple(text.split("\n")[:2]) for text in texts} == {
        ("# SPDX-License-Identifier: Apache-2.0", MARK.strip())
    }
    keys = {key for text in texts for key in yaml.safe_load(text)}
    assert "barograph" not in keys
    assert {"id", "license"} <= keys


def test_what_is_exported_matches_the_same(tmp_path: Path) -> None:
    files = list(builtin())
    ruleset = parse(file.document for file in files)
    texts = [one for one in exported(files, ruleset, ours=True) if one.text is not None]
    again = parse(Document(str(tmp_path / one.name), str(one.text)) for one in texts)
    assert again.problems == ()
    assert {rule.detection.name: rule.clauses for rule in again.rules} == {
        rule.detection.name: rule.clauses
        for rule in ruleset.rules
        if rule.detection.habit is None  # as plain Sigma it would match all day
    }


def test_a_rule_of_others_keeps_what_it_says_of_its_licence() -> None:
    (one,) = export(RULE, ours=False)
    assert one.name == "detections/trail.yml"
    assert one.text is not None
    assert yaml.safe_load(one.text) == {
        "title": "trail",
        "id": "cb17d81b-fcc2-5d4d-a37f-ea56605464a6",
        "name": "trail",
        "description": "one\ntwo",
        "license": "DRL-1.1",
        "author": "A. Author",
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "detection": {"s": {"eventName": ["on", "5", "x\\*"]}, "condition": "s"},
    }
    assert list(yaml.safe_load(one.text))[:3] == ["title", "id", "name"]
    assert "one\n  two" in one.text


def test_a_habit_is_left_out_and_told() -> None:
    habit = "habit: {type: silence, by: userIdentity.arn}"
    (one,) = export(RULE.replace("confidence: 0.8", habit), ours=False)
    assert one.text is None
    assert one.reason == "a habit, which Sigma has no word for"


def test_a_convergence_is_left_out_and_told() -> None:
    legs = "legs: {a: {class: runtime, levels: [high]}}\n"
    story = f"title: s\nsummary: s\njoin: principal\nwindow: 5m\n{legs}"
    (one,) = export(story, ours=False)
    assert (one.rule, one.text) == ("trail", None)
    assert one.reason == "a convergence, which Sigma has no word for"


def test_an_id_does_not_lead_out_of_the_folder() -> None:
    (one,) = export(RULE.replace("name: trail", "name: ../../trail"), ours=False)
    assert one.name == "detections/______trail.yml"


FILTER = """\
title: our pipeline
logsource: {product: aws, service: cloudtrail}
filter:
  rules: [trail]
  pipeline: {userAgent: terraform}
  condition: CONDITION
"""


@pytest.mark.parametrize(
    ("condition", "left"),
    [("not pipeline", "not pipeline"), ("pipeline or 1 of them", "not (pipeline or 1 of them)")],
)
def test_a_filter_says_what_is_left(condition: str, left: str) -> None:
    rule, further = export(RULE + "---\n" + FILTER.replace("CONDITION", condition), ours=False)
    assert (rule.name, further.name) == ("detections/trail.yml", "filters/trail.yml")
    assert further.text is not None
    assert further.text.startswith(MARK)
    assert yaml.safe_load(further.text) == {
        "title": "our pipeline",
        "id": "214f12ba-5762-5cae-b7e4-f5b1473b93f1",
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "filter": {
            "rules": ["trail"],
            "pipeline": {"userAgent": "terraform"},
            "condition": left,
        },
    }


def test_files_are_called_as_rules_are() -> None:
    one, two = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    named = RULE.replace("name: trail", f"id: {one}\nname: gone")
    unnamed = RULE.replace("name: trail\n", "")
    files = [
        Document("a/named.yml", named),
        Document("a/file.yml", unnamed.replace("title", f"id: {two}\ntitle")),
        Document("a/twice.yml", unnamed.replace("title", f"id: {one[:-1]}2\ntitle")),
        Document("b/twice.yml", unnamed.replace("title", f"id: {one[:-1]}3\ntitle")),
    ]
    found = exported([RuleFile(file, None) for file in files], parse(files), ours=False)
    assert [one.name for one in found] == [
        "detections/gone.yml",
        "detections/file.yml",
        f"detections/{one[:-1]}2.yml",
        f"detections/{one[:-1]}3.yml",
    ]


def test_pysigma_is_asked_of_each_rule() -> None:
    documents = [
        Document("a.yml", RULE),
        Document("b.yml", RULE.replace("condition: s", "condition: NOT s").replace("trail", "b")),
    ]
    found = exported([RuleFile(one, None) for one in documents], parse(documents), ours=False)
    (refusal,) = refused(found)
    assert refusal.name == "detections/b.yml"
    assert refusal.reason
