import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma.processing import processing
from infra.authoring import checking
from infra.authoring.checked import SLIPS, counts, objects, table
from infra.authoring.checking import Check, check
from infra.authoring.coverage import gaps
from infra.authoring.firing import Estate
from infra.authoring.proving import proved
from infra.rules import RuleFile
from streams.source import sources

TRAIL = """\
title: Trail
name: trail
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    - eventNme: x
    - userAgent|contains: y
      sourceIPAddress|fieldref: userIdentity.Arn
  condition: s
fields: [userIdentity.arn, eventtime]
"""
GROUPED = """\
title: Grouped
name: grouped
correlation:
  type: value_count
  rules: [trail]
  group-by:
    - userIdentity.ARN
  timespan: 5m
  condition:
    field: user
    gte: 2
"""
OURS = """\
title: Ours
name: ours
logsource: {product: barograph, service: otel}
detection:
  s:
    gen_ai.tool.nam: x
  t:
    shop.order: x
  condition: s or t
"""
THREAT = """\
title: Threat
id: ATR-0000-00001
severity: high
agent_source: {type: llm_io}
detection:
  condition: any
  conditions:
    - {field: user_input, operator: regex, value: a}
    - {field: user_input, operator: regex, value: (?!b)}
"""


def checked(*texts: str) -> Check:
    documents = [Document(f"r{n}.yml", text) for n, text in enumerate(texts)]
    return check([RuleFile(one, None) for one in documents], parse(documents), Estate(sources()))


def remarks(*texts: str) -> list[tuple[str, str, int | None, str]]:
    found = checked(*texts)
    return [
        (one.about, one.path, one.line, one.message)
        for rule in found.rules
        for one in rule.remarks
        if one.about != "unproved"
    ]


def unknown(name: str, near: str, of: str = "cloudtrail") -> str:
    return f"`{name}` is no field of {of}; did you mean `{near}`?"


def test_every_field_that_is_asked_is_held_to_what_records_have() -> None:
    assert remarks(TRAIL) == [
        ("unknown-field", "r0.yml", 6, unknown("eventNme", "eventName")),
        ("unknown-field", "r0.yml", 8, unknown("userIdentity.Arn", "userIdentity.arn")),
        ("unknown-field", "r0.yml", 10, unknown("eventtime", "eventTime")),
    ]


def test_a_name_of_sigmahq_is_told_with_the_pipeline_that_reads_it() -> None:
    rule = """\
title: Bucket
logsource: {product: gcp, service: gcp.audit}
detection:
  s: {gcp.audit.method_name: storage.buckets.delete, data.nothing: x}
  condition: s
"""
    told = "`gcp.audit.method_name` is no field of gcp_audit; `--pipeline sigmahq` reads it as"
    assert [message for about, _, _, message in remarks(rule) if about == "unknown-field"] == [
        "`data.nothing` is no field of gcp_audit",
        f"{told} `protoPayload.methodName`",
    ]
    sign_in = rule.replace("gcp, service: gcp.audit", "azure, service: signinlogs").replace(
        "gcp.audit.method_name", "properties.message"
    )
    assert "`--pipeline sigmahq` knows it" in str(remarks(sign_in))
    processed = parse(
        [Document("r0.yml", rule)],
        processing=processing([Document("p.yml", "transformations: []")], ()),
    )
    (row,) = check([RuleFile(Document("r0.yml", rule), None)], processed, Estate(sources())).rules
    assert not any("--pipeline" in remark.message for remark in row.remarks)


def test_of_a_long_rule_the_first_unknown_fields_are_hinted_at_each_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hinted: list[str] = []

    def hint(_part: object, _section: str, field: str) -> str:
        hinted.append(field)
        return "; hint"

    monkeypatch.setattr(checking, "hint", hint)
    maps = "\n".join(f"    - {{eventNme: x, f{n}: y}}" for n in range(60))
    rule = f"""\
title: Long
logsource: {{product: aws, service: cloudtrail}}
detection:
  condition: s
  s:
{maps}
"""
    told = [(line, said) for about, _, line, said in remarks(rule) if about == "unknown-field"]
    assert hinted == ["eventNme", *(f"f{n}" for n in range(49))]
    assert [line for line, said in told if "eventNme" in said] == list(range(6, 66))
    assert (54, "`f48` is no field of cloudtrail; hint") in told
    assert (55, "`f49` is no field of cloudtrail") in told


def test_what_a_correlation_groups_by_and_counts_too() -> None:
    rule = TRAIL.replace("eventNme", "eventName").replace("Arn", "arn").replace("eventt", "eventT")
    assert remarks(rule, GROUPED) == [
        ("unknown-field", "r1.yml", 6, unknown("userIdentity.ARN", "userIdentity.arn")),
        ("unknown-field", "r1.yml", 10, "`user` is no field of cloudtrail"),
        (
            "cannot-fire",
            "r1.yml",
            1,
            "no record of `trail` has `userIdentity.ARN`, by which it groups",
        ),
    ]


def test_telemetry_may_have_names_of_its_own() -> None:
    said = "is no known name in records of otel, only telemetry of your own can have it"
    assert remarks(OURS) == [
        (
            "unknown-field",
            "r0.yml",
            6,
            f"`gen_ai.tool.nam` {said}; did you mean `gen_ai.tool.name`?",
        ),
        ("unknown-field", "r0.yml", 8, f"`shop.order` {said}"),
    ]


def test_what_a_rule_has_lost_is_told_of_that_rule() -> None:
    second = THREAT.replace("00001", "00002").replace("(?!b)", "b")
    found = checked(f"{THREAT}---\n{second}")
    assert [(rule.row.id, rule.line) for rule in found.rules] == [
        ("ATR-0000-00001", 1),
        ("ATR-0000-00002", 11),
    ]
    first, second_ = ([one.about for one in rule.remarks] for rule in found.rules)
    assert (first, second_) == (["lost-pattern", "unproved"], ["unproved"])
    assert remarks(THREAT)[0][1:3] == ("r0.yml", 9)


def test_a_condition_that_nothing_fulfils_is_told_at_its_line() -> None:
    rule = TRAIL.replace("- eventNme: x", "- eventName: x").replace(
        "  condition: s", "  t: {awsRegion: b}\n  condition: t and not t"
    )
    (remark,) = [one for one in remarks(rule) if one[0] == "cannot-fire"]
    assert remark[2:] == (10, "`awsRegion` must be 'b' and must not")


def test_a_tag_that_stands_for_nothing_counts_nowhere_and_is_told() -> None:
    tags = "tags: [owasp.llm01, owasp.llm11, attack.t1078, atlas.aml-t0051, atlas.aml-t9999]\n"
    story = (
        "id: story\ntitle: Story\nsummary: S.\njoin: principal\nwindow: 1h\n"
        f"legs:\n  a: {{class: runtime, of: [trail]}}\n{tags}"
    )
    assert [one for one in remarks(TRAIL + tags, story) if one[0] == "unknown-tag"] == [
        ("unknown-tag", "r0.yml", 11, "`owasp.llm11` is no control of a framework"),
        ("unknown-tag", "r0.yml", 11, "`atlas.aml-t9999` is no technique of ATLAS"),
        ("unknown-tag", "r1.yml", 8, "`owasp.llm11` is no control of a framework"),
        ("unknown-tag", "r1.yml", 8, "`atlas.aml-t9999` is no technique of ATLAS"),
    ]


def test_many_rules_of_one_reason_are_counted_and_few_are_named() -> None:
    windows = (
        "title: W%d\nname: w%d\nlogsource: {product: windows}\n"
        "detection: {s: {A: x}, condition: s}\n"
    )
    found = checked(*(windows % (n, n) for n in range(60)), TRAIL)
    lines = list(table(found))
    assert "  60  no source is product=windows" in lines
    assert not [line for line in lines if "W7" in line]
    assert lines[-2:] == ["UNPROVED, without cases: 61 rules", "  --json names them"]
    rows: list[dict[str, Any]] = list(objects(found))
    assert len(rows) == 61
    assert rows[7]["reason"] == "no source is product=windows"
    assert rows[60]["fires_on"] == ["cloudtrail"]
    assert [one["line"] for one in rows[60]["remarks"]] == [6, 8, 10]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "a*", "(?!", "not"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["field", "value", "patterns", "true_positives", "input", "x"]), inner
        )
    ),
    max_leaves=12,
)
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {"field": st.sampled_from(["content", "tool_name", "mood"]), "value": JSON},
        optional={"operator": st.sampled_from(["regex", "contains", "like"]), "steps": JSON},
    )
)


@given(
    st.fixed_dictionaries(
        {
            "agent_source": JSON,
            "detection": JSON
            | st.fixed_dictionaries({"conditions": JSON | CONDITIONS, "condition": JSON}),
        },
        optional=dict.fromkeys(
            ("title", "id", "severity", "tags", "references", "test_cases"), JSON
        ),
    )
)
def test_whatever_stands_in_a_threat_rule_it_is_checked_or_told(stated: dict[str, Any]) -> None:
    stated = {"title": "t", "severity": "high"} | stated
    text = "\n".join(f"{key}: {json.dumps(value)}" for key, value in stated.items())
    document = Document("threat.yaml", f"{text}\n")
    ruleset = parse([document])
    files = [RuleFile(document, None)]
    found = check(files, ruleset, Estate(sources()))
    assert bool(found.rules) is not bool(found.problems)
    list(table(found))
    list(proved(ruleset, files))
    list(gaps(ruleset, files))


def test_a_rule_begins_where_it_is_written() -> None:
    found = checked(f"# about\n\n{TRAIL}", f"---\n{TRAIL.replace('trail', 'other')}")
    assert [rule.line for rule in found.rules] == [3, 2]


FILTER = """\
title: Not these
logsource: {product: aws, service: %s}
filter:
  rules:
    - %s
    - %s
  s:
    %s: 192.0.2.1
  condition: not s
"""
FILTERED = """\
title: Role
name: role
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: AssumeRole}, condition: s}
"""


@pytest.mark.parametrize(
    ("service", "names", "field", "expected"),
    [
        ("cloudtrail", ("role", "any"), "sourceIPAddress",
         [("idle-filter", 6, "`any` is no detection that is loaded, and is not filtered")]),
        ("cloudtrail", ("role", "role"), "sourceIPAddres",
         [("unknown-field", 8, ("`sourceIPAddres` is no field of cloudtrail; did you mean"
           " `sourceIPAddress`?"))]),
        ("cloudtrail", ("roles", "x"), "sourceIPAddress",
         [("idle-filter", 5, ("`roles` is no detection that is loaded, and is not filtered;"
           " did you mean `role`?")),
          ("idle-filter", 6, "`x` is no detection that is loaded, and is not filtered"),
          ("idle-filter", 3, "this filter filters no rule")]),
        ("guardduty", ("role", "role"), "x",
         [("idle-filter", 2, ("`role` is not filtered: its logsource is product=aws"
           " service=cloudtrail, and that of the filter product=aws service=guardduty")),
          ("idle-filter", 3, "this filter filters no rule")]),
        ("cloudtrail", ("role", "Role"), "sourceIPAddress", []),
    ],
)  # fmt: skip
def test_a_filter_that_does_not_filter_is_told(
    service: str, names: tuple[str, str], field: str, expected: list[tuple[str, int, str]]
) -> None:
    found = checked(FILTERED, FILTER % (service, *names, field))
    told = dict.fromkeys((one.about, one.line, one.message) for one in found.of_filters)
    assert list(told) == expected
    assert {one.path for one in found.of_filters} <= {"r1.yml"}
    assert counts(found).startswith("1 rule and 1 filter loaded, 0 problems, 0 cannot fire, ")


def test_slips_of_rules_and_filters_are_told_and_counted() -> None:
    rule = FILTERED.replace("condition: s}", "t: {errorCode: No}, condition: s}") + "levl: high\n"
    narrow = FILTER % ("cloudtrail", "role", "role", "sourceIPAddress") + "  t: {eventName: x}\n"
    found = checked(rule, narrow)
    assert [(one.about, one.path, one.line) for one in found.remarks if one.about in SLIPS] == [
        ("yaml-value", "r0.yml", 4),
        ("unused-selection", "r0.yml", 4),
        ("unknown-key", "r0.yml", 5),
        ("unused-selection", "r1.yml", 10),
    ]
    assert counts(found).endswith(", 4 slips")
    assert (
        "  r0.yml:5: `levl` is no key of a rule, and is not read; did you mean `level`?"
        in table(found)
    )
    assert [one for one in objects(found) if "filter" in one] == [
        {
            "filter": "Not these",
            "path": "r1.yml",
            "line": 10,
            "about": "unused-selection",
            "message": "the condition never uses the selection `t`",
        }
    ]


def test_fields_below_open_objects_are_counted() -> None:
    below = "s: {requestParameters.bucketNme: x, requestParameters: y, eventName: z}"
    found = checked(FILTERED.replace("s: {eventName: AssumeRole}", below))
    assert [rule.unchecked for rule in found.rules] == [1]
    assert counts(found).endswith(", 1 without cases, 1 field below open objects not checked")
    assert not counts(checked(FILTERED)).endswith("not checked")


def test_the_fields_of_a_habit_are_held_to_what_records_have() -> None:
    habit = TRAIL.replace("eventNme", "eventName").partition("fields:")[0] + (
        "barograph:\n  habit:\n    type: first_seen\n    by: userIdentity.arm\n"
        "    of: [sourceIPAddress|network, userAgnt|product]\n"
    )
    document = Document("habit.yml", habit)
    found = check([RuleFile(document, None)], parse([document]), Estate(sources()))
    about = [(one.line, one.message) for one in found.remarks if one.about == "unknown-field"]
    assert (
        13,
        "`userIdentity.arm` is no field of cloudtrail; did you mean `userIdentity.arn`?",
    ) in about
    assert (14, "`userAgnt` is no field of cloudtrail; did you mean `userAgent`?") in about
