"""pySigma's pipelines, applied to rules, filters and what correlations ask of rules."""

import contextlib
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma.processing.transformations import transformations

from correlators.document import Document, Faulty
from correlators.ruleset import Ruleset, parse
from correlators.sigma.processing import Processing, processing
from schemas.detection import Logsource

RULE = """\
title: Recon
name: recon
logsource: {product: windows, category: process_creation}
fields: [User, Image]
tags: [attack.execution]
detection:
  s: {CommandLine|contains: whoami, User: kim}
  condition: s
"""


def pipeline(*texts: str) -> Processing:
    documents = [Document(f"p{n}.yml", dedent(text)) for n, text in enumerate(texts)]
    return processing(documents, ())


def loaded(*texts: str, by: Processing, rule: str = RULE) -> Ruleset:
    documents = [Document("rule.yml", rule)]
    documents += [Document(f"d{n}.yml", dedent(text)) for n, text in enumerate(texts)]
    return parse(documents, processing=by)


def transformed(*items: str, rule: str = RULE) -> Ruleset:
    text = "transformations:\n" + "".join(f"  - {item}\n" for item in items)
    return loaded(by=pipeline(text), rule=rule)


def judged(ruleset: Ruleset, *records: dict[str, Any]) -> list[bool]:
    assert ruleset.problems == ()
    return [ruleset.rules[0].matches(record) for record in records]


KIM = {"CommandLine": "cmd /c whoami", "User": "kim"}


def test_without_a_pipeline_a_rule_stays_as_it_is() -> None:
    assert judged(loaded(by=pipeline()), KIM, {}) == [True, False]


def test_fields_are_renamed_and_one_may_become_several() -> None:
    mapping = "{CommandLine: [process.cmd, process.args], User: user}"
    ruleset = transformed(f"{{type: field_name_mapping, mapping: {mapping}}}")
    assert judged(
        ruleset,
        {"process": {"cmd": "whoami"}, "user": "kim"},
        {"process": {"args": ["-c", "whoami"]}, "user": "KIM"},
        {"process": {"args": "x"}, "user": "kim"},
        KIM,
    ) == [True, True, False, False]
    assert ruleset.rules[0].detection.fields == ("user", "Image")


def test_prefixes() -> None:
    prefixed = transformed("{type: field_name_prefix, prefix: win.}")
    assert judged(prefixed, {"win": KIM}, KIM) == [True, False]
    mapped = transformed("{type: field_name_prefix_mapping, mapping: {Command: cmd., Us: us.}}")
    assert judged(mapped, {"cmd.Line": "whoami", "us": {"er": "kim"}}) == [True]


def test_only_what_the_conditions_name_is_processed() -> None:
    text = """\
        - type: field_name_mapping
          mapping: {CommandLine: cmd}
          rule_conditions: [{type: logsource, product: PRODUCT}]
          field_name_conditions: [{type: include_fields, fields: [CommandLine]}]
        """
    for product, hit in (("windows", True), ("linux", False)):
        items = dedent(text).replace("PRODUCT", product)
        ruleset = loaded(by=pipeline(f"transformations:\n{items}"))
        assert judged(ruleset, {"cmd": "whoami", "User": "kim"}, KIM) == [hit, not hit]


def test_a_pipeline_of_the_wild_with_names_of_its_items() -> None:
    by = pipeline(
        """\
        name: ECS, in short
        priority: 20
        allowed_backends: [elasticsearch]
        transformations:
        - {id: known, type: field_name_mapping, mapping: {CommandLine: process.command_line}}
        - id: others
          type: field_name_prefix
          prefix: winlog.event_data.
          field_name_cond_not: true
          field_name_cond_op: any
          field_name_conditions:
          - {type: processing_item_applied, processing_item_id: known}
          - {type: include_fields, fields: ['\\w+\\..*'], mode: re}
        - id: channel
          type: add_condition
          conditions: {event.code: [1, 4688]}
        """
    )
    record = {"process": {"command_line": "whoami"}, "event": {"code": "4688"}}
    named = record | {"winlog": {"event_data": {"User": "kim"}}}
    assert judged(loaded(by=by), record, named) == [False, True]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("{type: field_name_mapping, mapping: {B: [C, null]}}", "it calls a field `None`, which"),
        (
            "{type: field_name_mapping, mapping: {User: [5]}}",
            "it calls a field `5`, which is no text",
        ),
        ("{type: set_field, fields: 5}", "it makes something else than a list of `fields`"),
        ("{type: set_field, fields: [5]}", "it calls a field `5`, which is no text"),
        (r"{type: replace_string, regex: k, replacement: '\1'}", "bad group index"),
    ],
)
def test_what_a_pipeline_makes_no_rule_of_is_told(item: str, expected: str) -> None:
    rule = RULE.replace("User: kim", "User: kim, C|fieldref: B")
    (problem,) = transformed(item, rule=rule).problems
    assert str(problem).startswith(f"rule.yml:1: the pipeline cannot be applied: {expected}")


def test_a_pipeline_changes_the_logsource_by_which_a_rule_is_routed() -> None:
    ruleset = transformed("{type: change_logsource, product: AWS, service: cloudtrail}")
    assert judged(ruleset, KIM) == [True]
    assert ruleset.rules[0].detection.logsource == Logsource(product="aws", service="cloudtrail")
    assert [str(p) for p in transformed("{type: change_logsource}").problems] == [
        "rule.yml:1: the pipeline cannot be applied: Sigma log source can't be empty"
    ]


def test_conditions_are_added_and_items_dropped() -> None:
    added = transformed("{type: add_condition, conditions: {EventID: 1}}")
    assert judged(added, KIM, KIM | {"EventID": 1}) == [False, True]
    excluded = transformed("{type: add_condition, conditions: {EventID: 1}, negated: true}")
    assert judged(excluded, KIM, KIM | {"EventID": 1}) == [True, False]
    named = transformed("{type: add_condition, conditions: {p: $product}, template: true}")
    assert judged(named, KIM, KIM | {"p": "windows"}) == [False, True]
    user = "[{type: include_fields, fields: [User]}]"
    dropped = transformed(f"{{type: drop_detection_item, field_name_conditions: {user}}}")
    assert judged(dropped, {"CommandLine": "whoami"}) == [True]
    assert [str(p) for p in transformed("{type: drop_detection_item}").problems] == [
        "rule.yml:8: the pipeline leaves nothing of the condition"
    ]


def test_values_are_replaced() -> None:
    ruleset = transformed("{type: replace_string, regex: whoami, replacement: id}")
    assert judged(ruleset, KIM, {"CommandLine": "/bin/id", "User": "kim"}) == [False, True]
    mapped = transformed("{type: map_string, mapping: {kim: [joe, ann]}}")
    assert judged(mapped, KIM, KIM | {"User": "ann"}) == [False, True]


def test_placeholders_are_filled_by_the_pipeline_and_what_it_leaves_by_tables() -> None:
    rule = RULE.replace("User: kim", "User|expand: ['%admins%', '%others%']")
    text = "vars: {admins: [kim, ann]}\ntransformations:\n"
    text += "- {type: value_placeholders, include: [admins]}"
    by = processing([Document("p.yml", text)], [Document("t.yml", "placeholders: {others: joe}")])
    ruleset = loaded(by=by, rule=rule)
    assert judged(ruleset, KIM, KIM | {"User": "joe"}, KIM | {"User": "x"}) == [True, True, False]
    anybody = transformed("{type: wildcard_placeholders}", rule=rule)
    assert judged(anybody, KIM | {"User": "x"}) == [True]
    left = loaded(by=pipeline(text), rule=rule)
    assert [p.line for p in left.problems] == [7]
    assert "the placeholder %others%" in left.problems[0].message


def test_pipelines_run_in_order_of_priority() -> None:
    item = "transformations:\n- {{type: field_name_prefix, prefix: {0}.}}\npriority: {1}"
    by = pipeline(item.format("outer", 20), item.format("inner", 10))
    assert judged(loaded(by=by), {"outer": {"inner": KIM}}) == [True]


def test_a_pipeline_may_refuse_a_rule() -> None:
    ruleset = transformed(
        "{type: rule_failure, message: no command lines here,"
        " rule_conditions: [{type: contains_field, field: CommandLine}]}"
    )
    assert [str(problem) for problem in ruleset.problems] == [
        "rule.yml:1: the pipeline refuses it: no command lines here"
    ]
    strict = transformed("{type: strict_field_mapping_failure}")
    assert "the pipeline refuses it: The following fields are not mapped" in str(strict.problems[0])


def test_a_filter_is_processed_as_the_rule_that_it_filters() -> None:
    by = pipeline(
        """\
        transformations:
        - {type: field_name_mapping, mapping: {CommandLine: cmd, User: user},
           rule_conditions: [{type: logsource, product: windows}]}
        - {type: change_logsource, product: other}
        """
    )
    about = """\
        title: f
        logsource: {category: process_creation}
        filter: {rules: any, s: {User: kim, Host: h}, condition: s}
        """
    ruleset = loaded(about, by=by)
    record = {"cmd": "whoami", "user": "kim"}
    assert judged(ruleset, record, record | {"Host": "h"}) == [True, False]
    broken = loaded(about.replace("Host: h", "Host|frobnicate: h"), by=by)
    assert [str(p) for p in broken.problems] == ["d0.yml:3: there is no modifier `frobnicate`"]
    assert broken.rules[0].matches(record)


def test_correlations_group_by_what_the_pipeline_calls_it() -> None:
    by = pipeline(
        """\
        transformations:
        - {type: field_name_mapping, mapping: {User: actor.name, Many: [a, b]},
           rule_conditions: [{type: logsource, product: windows}]}
        """
    )
    other = RULE.replace("recon", "other").replace("windows", "linux")
    spree = """\
        title: Spree
        name: spree
        correlation:
          type: event_count
          rules: [recon, other]
          group-by: [User]
          timespan: 5m
          condition: {gte: 3}
        """
    ruleset = loaded(other, spree, by=by)
    (rule,) = ruleset.correlations
    assert (rule.group_by, rule.aliases) == (("User",), {"User": {"recon": "actor.name"}})
    assert ruleset.detection("recon").fields == ("actor.name", "Image")
    assert ruleset.detection("other").fields == ("User", "Image")


def test_a_correlation_for_which_the_pipeline_has_no_field_is_no_rule() -> None:
    spree = """\
        title: Spree
        name: spree
        correlation:
          type: event_count
          rules: recon
          group-by: [Many]
          timespan: 5m
          condition: {gte: 3}
        """
    again = spree.replace("recon", "spree").replace("name: spree", "name: again")
    by = pipeline(
        """\
        transformations:
        - {type: field_name_mapping, mapping: {Many: [a, b], CommandLine: c, User: u},
           rule_conditions: [{type: contains_field, field: CommandLine}]}
        - {type: strict_field_mapping_failure}
        """
    )
    ruleset = loaded(spree, again, by=by)
    assert [str(problem) for problem in ruleset.problems] == [
        "d0.yml:6: the pipeline has no single name for `Many` of `recon`",
        "d1.yml:5: `spree` cannot be used, so this cannot either",
    ]
    assert ruleset.correlations == ()
    assert [rule.detection.id for rule in ruleset.rules] == ["recon"]
    grouped = loaded(spree.replace("Many", "User"), by=by)
    assert grouped.correlations[0].aliases == {"User": {"recon": "u"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a", "p0.yml:1: a rule is a mapping of keys to values"),
        ("transformation: []", "p0.yml:1: `transformation` is no key of a pipeline"),
        ("transformations: {}", "p0.yml:1: `transformations` is a list"),
        ("name: x\nvars: []", "p0.yml:2: `vars` is a dict"),
        ("transformations:\n- x", "p0.yml:2: a transformation is a mapping with `type`"),
        ("transformations:\n- {type: nonsense}",
         "p0.yml:2: Unknown transformation type 'nonsense'"),
        ("transformations:\n- {type: set_state, key: a, val: b}\n- {type: field_name_prefix}",
         "p0.yml:3: Error in transformation: "),
        ("transformations:\n- {type: set_state, key: a, val: b, rule_conditions: [{type: x}]}",
         "p0.yml:2: Unknown condition type 'x'"),
        ("transformations:\n- {type: file_placeholders, path: secrets.txt}",
         "p0.yml:2: `file_placeholders` is not taken: it reads a file"),
        ("transformations:\n- {type: http_placeholders, url: 'http://x'}",
         "p0.yml:2: `http_placeholders` is not taken: it asks an address"),
        ("transformations:\n- {type: command_placeholders, cmd: 'id'}",
         "p0.yml:2: `command_placeholders` is not taken: it runs a command"),
        ("transformations:\n- type: nest\n  items: [{type: command_placeholders, cmd: 'id'}]",
         "p0.yml:2: `command_placeholders` is not taken: it runs a command"),
        ("transformations:\n- {type: query_expression_placeholders, expression: x}",
         "p0.yml:2: `query_expression_placeholders` is not taken"),
        ("postprocessing:\n- {type: template, template: '{{ query }}'}",
         "p0.yml:1: `postprocessing` works on the text of a query"),
        ("finalizers:\n- {type: template, template: '{{ queries }}'}",
         "p0.yml:1: `finalizers` works on the text of a query"),
        ("transformations: &a []\nvars: *a", "p0.yml:2: aliases (`*name`) are not taken"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_pipeline_is_told_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(Faulty) as refused:
        pipeline(text)
    assert str(refused.value.problems[0]).startswith(expected)


scalars = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["User", "x", "%a%", "("])
)
values = st.recursive(
    scalars,
    lambda inside: (
        st.lists(inside, max_size=2) | st.dictionaries(st.text(max_size=2), inside, max_size=2)
    ),
    max_leaves=4,
)
parameters = [
    *("mapping", "field", "fields", "conditions", "prefix", "suffix", "message", "regex", "value"),
    *("replacement", "key", "val", "attribute", "method", "target_type", "include", "items", "id"),
    *("rule_conditions", "rule_cond_op", "rule_cond_not", "rule_cond_expr", "product", "template"),
]
items = st.builds(
    lambda kind, rest: {"type": kind} | rest,
    st.sampled_from([*transformations]),
    st.dictionaries(st.sampled_from(parameters), values, max_size=4),
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pySigma's condition expressions
@settings(suppress_health_check=[HealthCheck.too_slow])  # beside other work on few cores
@given(st.lists(items | scalars, max_size=2), st.dictionaries(st.just("a"), values))
def test_a_pipeline_of_any_shape_works_or_has_problems(stated: list[Any], variables: Any) -> None:  # noqa: ANN401
    text = yaml.safe_dump({"transformations": stated, "vars": variables}, sort_keys=False)
    with contextlib.suppress(Faulty):
        ruleset = loaded(by=pipeline(text))
        assert bool(ruleset.rules) is not bool(ruleset.problems)
        for rule in ruleset.rules:
            assert rule.matches(KIM) in (True, False)
