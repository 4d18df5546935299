from correlators.document import Document, Part
from correlators.ruleset import parse
from infra.authoring.cases.detections import judged
from infra.authoring.cases.stated import cases
from infra.authoring.coverage import Gap, gaps
from infra.authoring.places import Places
from infra.rules import RuleFile, builtin

RULE = """\
title: trail
name: trail
logsource: {product: aws, service: cloudtrail}
detection:
  made:
    eventName: [A, B]
  other:
    - userAgent: x
    - userAgent: y
      readOnly: true
  filter_root: {userIdentity.type: Root}
  filter_both:
    awsRegion: eu
    readOnly: false
  condition: (1 of made or other) and not 1 of filter_*
"""


def open_(*cases: str, rule: str = RULE) -> list[tuple[int, str]]:
    text = "".join(f"- {{source: cloudtrail, match: true, event: {{{case}}}}}\n" for case in cases)
    document = Document("trail.yml", rule)
    found = gaps(parse([document]), [RuleFile(document, Document("trail.cases.yml", text))])
    return [(gap.line, gap.message) for gap in found if gap.branch]


def made(name: str) -> str:
    return f"no case in which `{name}` is what made it match"


def kept(name: str) -> str:
    return f"no case in which `{name}` is what kept it from matching"


def test_without_a_case_that_decides_it_every_branch_is_open() -> None:
    assert open_("eventName: C") == [
        (5, made("made")),
        (7, made("other")),
        (8, made("other[1]")),
        (9, made("other[2]")),
        (11, kept("filter_root")),
        (12, kept("filter_both")),
    ]


def test_what_made_it_match_is_covered() -> None:
    assert open_("eventName: A", "userAgent: x") == [
        (9, made("other[2]")),
        (11, kept("filter_root")),
        (12, kept("filter_both")),
    ]


def test_what_matches_for_two_reasons_covers_neither() -> None:
    lines = [line for line, _ in open_("eventName: A, userAgent: x")]
    assert lines == [5, 7, 8, 9, 11, 12]


def test_a_filter_is_covered_by_what_it_alone_keeps_out() -> None:
    only = "userAgent: x, userIdentity: {type: Root}"
    both = "userAgent: x, userIdentity: {type: Root}, awsRegion: eu, readOnly: false"
    assert (11, kept("filter_root")) not in open_(only)
    assert (11, kept("filter_root")) in open_(both)
    assert (12, kept("filter_both")) not in open_("userAgent: x, awsRegion: eu, readOnly: false")


def test_a_rule_without_alternatives_has_no_branches() -> None:
    rule = RULE.replace("(1 of made or other) and not 1 of filter_*", "made")
    assert open_("eventName: C", rule=rule) == []


def test_values_that_no_case_has_are_told_and_are_no_branch() -> None:
    rule = RULE.replace("(1 of made or other) and not 1 of filter_*", "made")
    document = Document("trail.yml", rule)
    cases = Document("c.yml", "- {source: cloudtrail, match: true, event: {eventName: A}}\n")
    assert list(gaps(parse([document]), [RuleFile(document, cases)])) == [
        Gap(
            "trail",
            "trail.yml",
            6,
            "made.eventName",
            branch=False,
            message="1 of 2 values of `made.eventName` are in no case: B",
        )
    ]


def test_a_rule_over_the_normal_form_is_judged_by_events_of_its_source() -> None:
    rule = RULE.replace("product: aws, service: cloudtrail", "product: barograph").replace(
        "eventName", "activity"
    )
    event = (
        "eventTime: 2026-11-01T12:00:00Z, eventSource: iam.amazonaws.com, eventName: A, eventID: e1"
    )
    assert (5, made("made")) not in open_(event, rule=rule)
    assert (5, made("made")) in open_("eventName: A", rule=rule)  # no record that can be read


def test_a_file_without_cases_says_nothing_here() -> None:
    document = Document("trail.yml", RULE)
    assert list(gaps(parse([document]), [RuleFile(document, None)])) == []


def test_an_outline_holds_where_the_rule_matches() -> None:
    files = list(builtin())
    ruleset = parse(file.document for file in files)
    places = Places(file.document for file in files)
    by_path = {file.document.path: file for file in files}
    answers: list[bool] = []
    for rule in ruleset.rules:
        path, id_ = rule.detection.path, rule.detection.id
        tree = places.outline(path, id_)
        assert tree is not None
        for case in cases(by_path[path], id_) or ():
            assert isinstance(case, Part)
            for record in judged(rule, case.data):
                assert tree.holds(record) is rule.matches(record)
                answers.append(rule.matches(record))
    assert min(answers.count(True), answers.count(False)) >= 50
