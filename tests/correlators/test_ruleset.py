from textwrap import dedent

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, builtin, builtin_cases, parse
from schemas.times import MINUTE


def detection(name: str, more: str = "") -> str:
    return dedent(f"""\
        title: {name}
        name: {name}
        logsource: {{product: test}}
        detection: {{s: {{A: {name}}}, condition: s}}
        """) + dedent(more)


def correlation(name: str, about: str) -> str:
    return f"title: {name}\nname: {name}\ncorrelation: {{timespan: 5m, {about}}}\n"


def convergence(name: str, legs: str, more: str = "") -> str:
    return dedent(f"""\
        id: {name}
        title: {name}
        summary: A story
        join: principal
        window: 30m
        legs: {legs}
        """) + dedent(more)


def loaded(*texts: str, external: bool = False) -> Ruleset:
    documents = (Document(f"d{n}.yml", text) for n, text in enumerate(texts))
    return parse(documents, external=external)


def problems(*texts: str) -> list[str]:
    return [str(problem) for problem in loaded(*texts).problems]


KEYS = "`detection`, `correlation`, `filter`, `legs`"
COUNT = "type: event_count, condition: {gte: 2}"


def test_names_and_ids_become_ids_everywhere() -> None:
    ruleset = loaded(
        detection("one", "id: 8AD1600D-e9dc-4251-b0ee-a65268f29add"),
        detection("two"),
        correlation("both", "type: temporal, rules: [one, two], group-by: [who], "
                            "aliases: {who: {one: a, two: b}}"),
        correlation("again", f"{COUNT}, rules: 8AD1600D-E9DC-4251-B0EE-A65268F29ADD"),
        convergence("story", "{first: {class: runtime, of: [one, both]}}"),
    )  # fmt: skip
    one = "8ad1600d-e9dc-4251-b0ee-a65268f29add"
    assert ruleset.problems == ()
    both, again = ruleset.correlations
    assert both.rules == (one, "two")
    assert both.aliases == {"who": {one: "a", "two": "b"}}
    assert again.rules == (one,)
    assert ruleset.convergences[0].legs["first"].of == (one, "both")
    assert ruleset.detection(one).title == "one"
    with pytest.raises(KeyError):
        ruleset.detection("one")


def test_a_detection_keeps_what_correlations_need_of_it() -> None:
    ruleset = loaded(
        detection("one", "fields: [own]"),
        detection("two"),
        correlation("both", "type: temporal, rules: [one, two], group-by: [who, own], "
                            "aliases: {who: {one: a}}"),
        correlation("values", "type: value_count, rules: [two], group-by: [who], "
                              "condition: {field: [x, y], gte: 2}"),
    )  # fmt: skip
    assert ruleset.detection("one").fields == ("own", "a")
    assert ruleset.detection("two").fields == ("who", "own", "x", "y")


def test_correlations_lie_in_strata() -> None:
    ruleset = loaded(
        correlation("third", f"{COUNT}, rules: [second, one]"),
        correlation("second", f"{COUNT}, rules: [first]"),
        detection("one"),
        correlation("first", f"{COUNT}, rules: [one]"),
        correlation("other", f"{COUNT}, rules: [one]"),
    )
    assert ruleset.problems == ()
    assert ruleset.levels == 3
    levels = {rule.id: rule.level_number for rule in ruleset.correlations}
    assert levels == {"first": 1, "other": 1, "second": 2, "third": 3}
    assert [rule.id for rule in ruleset.of_level(1)] == ["first", "other"]
    assert {id_: [r.id for r in rules] for id_, rules in ruleset.feeds.items()} == {
        "one": ["first", "other", "third"],
        "first": ["second"],
        "second": ["third"],
    }


def test_no_rules_are_no_levels() -> None:
    assert loaded() == Ruleset()
    assert (Ruleset().levels, Ruleset().feeds, Ruleset().legs) == (0, {}, {})


def test_legs_are_filled_by_name_and_by_level() -> None:
    ruleset = loaded(
        detection("one", "level: high"),
        detection("two", "level: low"),
        correlation("many", f"{COUNT}, rules: [two]"),
        convergence("story", "{named: {class: change, of: [two]}, "
                             "any: {class: runtime, levels: [high, medium]}}"),
    )  # fmt: skip
    legs = {id_: [(story.id, leg) for story, leg in found] for id_, found in ruleset.legs.items()}
    assert legs == {
        "two": [("story", "named")],
        "one": [("story", "any")],
        "many": [("story", "any")],
    }


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([detection("one"), detection("one")],
         ["d1.yml:2: another rule is already called `one` (d0.yml)"]),
        ([detection("one"), correlation("one", f"{COUNT}, rules: [one]")],
         ["d1.yml:2: another rule is already called `one` (d0.yml)"]),
        ([correlation("many", f"{COUNT}, rules: [nobody]")],
         ["d0.yml:3: `nobody` is no rule that is loaded"]),
        ([correlation("me", f"{COUNT}, rules: [me]")],
         ["d0.yml:3: the references go in a circle: me -> me"]),
        ([correlation("a", f"{COUNT}, rules: [b]"), correlation("b", f"{COUNT}, rules: [a]")],
         ["d0.yml:3: the references go in a circle: a -> b -> a",
          "d1.yml:3: the references go in a circle: b -> a -> b"]),
        ([detection("one"), correlation("a", f"{COUNT}, rules: [b]"),
          correlation("b", f"{COUNT}, rules: [one, nobody]")],
         ["d2.yml:3: `nobody` is no rule that is loaded",
          "d1.yml:3: `b` cannot be used, so this cannot either"]),
        ([detection("one"), correlation("a", f"{COUNT}, rules: [one], aliases: {{w: {{two: x}}}}")],
         ["d1.yml:3: `two` is not among `rules`"]),
        ([detection("one"),
          correlation("a", f"{COUNT}, rules: [one], group-by: [u, h]"),
          correlation("b", f"{COUNT}, rules: [a, one], group-by: [u, w]")],
         ["d2.yml:3: `w` is not what `a` groups by, so it has no such value"]),
        ([detection("one", "id: 8ad1600d-e9dc-4251-b0ee-a65268f29add"),
          correlation("a", f"{COUNT}, rules: [one, 8ad1600d-e9dc-4251-b0ee-a65268f29add]")],
         ["d1.yml:3: a rule is named twice, by id and by name"]),
        ([convergence("story", "{first: {class: runtime, of: [nobody]}}")],
         ["d0.yml:6: `nobody` is no rule that is loaded"]),
        ([detection("one"), convergence("story", "{a: {class: runtime, of: [story]}}")],
         ["d1.yml:6: `story` is no rule that is loaded"]),
        (["title: what\n"],
         [f"d0.yml:1: a rule has exactly one of the keys {KEYS}"]),
        (["a: [\n"], ["d0.yml:2: not YAML: did not find expected node content"]),
        (["title: x\nlogsource: {product: test}\ndetection: {s: {A|re: '('}, condition: s}\n"],
         ["d0.yml:3: Regular expression '(' is invalid: missing ): ("]),
    ],
)  # fmt: skip
def test_what_is_wrong_between_rules_is_told(texts: list[str], expected: list[str]) -> None:
    assert problems(*texts) == expected


def test_a_rule_with_a_problem_is_left_out_and_the_others_run() -> None:
    ruleset = loaded(detection("one"), detection("one"), correlation("c", f"{COUNT}, rules: [x]"))
    assert len(ruleset.problems) == 2
    assert ([rule.detection.path for rule in ruleset.rules], ruleset.correlations) == (
        ["d0.yml"],
        (),
    )


def test_an_alias_joins_a_group_of_a_lower_correlation() -> None:
    ruleset = loaded(
        detection("one"),
        correlation("many", f"{COUNT}, rules: [one], group-by: [u]"),
        correlation("top", "type: temporal, rules: [many, one], group-by: [who], "
                           "aliases: {who: {many: u, one: name}}"),
    )  # fmt: skip
    assert ruleset.problems == ()
    assert ruleset.detection("one").fields == ("u", "name")


def test_given_signals_may_be_of_rules_that_are_not_here() -> None:
    text = correlation("many", f"{COUNT}, rules: [theirs]")
    ruleset = loaded(text, external=True)
    assert (ruleset.problems, ruleset.correlations[0].rules) == ((), ("theirs",))


def test_several_rules_in_a_file() -> None:
    ruleset = loaded("---\n".join([detection("one"), correlation("many", f"{COUNT}, rules: one")]))
    assert ruleset.problems == ()
    assert (ruleset.rules[0].detection.path, ruleset.correlations[0].path) == ("d0.yml", "d0.yml")


def test_a_filter_narrows_the_rules_it_names() -> None:
    text = """\
        title: not kim
        logsource: {product: test}
        filter: {rules: [one], kim: {U: kim}, condition: not kim}
        """
    one, two = loaded(dedent(text), detection("one"), detection("two")).rules
    assert (one.matches({"A": "one", "U": "kim"}), one.matches({"A": "one"})) == (False, True)
    assert two.matches({"A": "two", "U": "kim"})


# -- convergences as they stand in their files


def test_a_convergence_is_called_by_its_file_unless_it_says_otherwise() -> None:
    text = convergence("story", "{a: {class: runtime, levels: [high]}}")
    assert loaded(text).convergences[0].id == "story"
    story = loaded(text.replace("id: story\n", "")).convergences[0]
    assert (story.id, story.window, story.path) == ("d0", 30 * MINUTE, "d0.yml")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("join: principal", "join: planet", "d0.yml:4: `join`: input should be"),
        ("window: 30m", "window: 30", "d0.yml:5: `window`: not a duration like 30s, 15m, 24h or"),
        ("window: 30m", "windows: 30m", "d0.yml:1: `window`: field required"),
        ("levels: [high]", "absent: true, since: b, within: 5, levels: [high]",
         "d0.yml:6: `legs.a.within`: not a duration like 30s, 15m, 24h or"),
        ("levels: [high]", "after: b, levels: [high]",
         "leg 'a' refers to 'b', which is not a leg above it"),
        ("{class: runtime, levels: [high]}", "runtime", "d0.yml:6: `legs.a`: input should be"),
        ("class: runtime", "class: luck", "d0.yml:6: `legs.a.class`: input should be"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_convergence_is_told(old: str, new: str, expected: str) -> None:
    text = convergence("story", "{a: {class: runtime, levels: [high]}}")
    found = problems(text.replace(old, new))
    assert expected in found[0]


# -- the rules of the package


def test_the_built_in_rules_load() -> None:
    ruleset = parse(builtin())
    assert ruleset.problems == ()
    assert ruleset.rules
    assert ruleset.correlations
    assert ruleset.convergences


def test_the_built_in_cases_belong_to_built_in_rules() -> None:
    assert builtin_cases().keys() <= {document.path for document in builtin()}


def test_of_a_long_circle_each_rule_names_the_beginning() -> None:
    ring = [
        correlation(
            f"r{n}",
            f"type: event_count, rules: [r{(n + 1) % 50}], group-by: [A], condition: {{gte: 2}}",
        )
        for n in range(50)
    ]
    first, *others = problems(*ring)
    named = " -> ".join(f"r{n}" for n in range(21))
    assert first == f"d0.yml:3: the references go in a circle: {named} -> ..."
    assert len(others) == 49


def test_a_key_that_is_nearly_that_of_a_kind_is_told() -> None:
    (problem,) = problems(detection("a").replace("detection:", "detectoin:"))
    assert problem == (
        "d0.yml:1: a rule has exactly one of the keys `detection`, `correlation`, `filter`, `legs`;"
        " did you mean `detection` by `detectoin`?"
    )
