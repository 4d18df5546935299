from correlators.document import Document, Part, parts
from correlators.ruleset import parse
from correlators.sigma.outline import outline
from infra.authoring.firing import Estate, Firing, firing, silent_legs
from streams.source import sources


def detection(name: str, logsource: str, selection: str = "eventName: x") -> str:
    return (
        f"title: {name}\nname: {name}\nlogsource: {{{logsource}}}\n"
        f"detection: {{s: {{{selection}}}, condition: s}}\n"
    )


def correlation(name: str, about: str) -> str:
    return f"title: {name}\nname: {name}\ncorrelation: {{timespan: 5m, {about}}}\n"


def told(*texts: str) -> dict[str, Firing]:
    ruleset = parse(Document(f"d{n}.yml", text) for n, text in enumerate(texts))
    assert ruleset.problems == ()
    known = {name: source for name, source in sources().items() if name in {"cloudtrail", "otel"}}
    outlines = {
        part.data["name"]: outline(part)
        for n, text in enumerate(texts)
        for part in parts(Document(f"d{n}.yml", text))
        if isinstance(part, Part) and "detection" in part.data
    }
    return firing(ruleset, Estate(known), outlines)


def reason(found: Firing) -> str:
    assert found.sources == ()
    return found.reason


def test_a_vendors_rule_fires_on_the_vendors_source() -> None:
    found = told(
        detection("trail", "product: aws, service: cloudtrail"),
        detection("aws", "product: aws"),
        detection("windows", "product: windows, category: process_creation"),
        detection("database", "category: database"),
        detection("guardduty", "product: aws, service: guardduty"),
        detection("typo", "product: aws, service: cloudtrial"),
        detection("amazon", "product: amazon, service: cloudtrail"),
        detection("audit", "product: slack, service: audit"),  # of several products
    )
    assert found["trail"] == found["aws"] == Firing(("cloudtrail",))
    assert found["windows"] == Firing(
        (),
        "no source is category=process_creation product=windows",
        "no source is product=windows",
    )
    none = "no source is category=database"
    assert found["database"] == Firing((), none, none)
    assert reason(found["amazon"]).endswith("; the nearest is product=aws service=cloudtrail")
    assert reason(found["audit"]) == "no source is product=slack service=audit"
    for name, service in (("guardduty", "guardduty"), ("typo", "cloudtrial")):
        assert reason(found[name]) == (
            f"no source is product=aws service={service}; "
            "the nearest is product=aws service=cloudtrail"
        )


def test_a_rule_over_normal_form_fires_on_sources_of_its_service_and_class() -> None:
    found = told(
        detection("any", "product: barograph", "severity: high"),
        detection("one", "product: barograph, service: otel", "severity: high"),
        detection("login", "product: barograph, category: authentication", "severity: high"),
        detection("typo", "product: barograph, category: api_activty", "severity: high"),
        detection("other", "product: barograph, service: nowhere", "severity: high"),
        detection(
            "never", "product: barograph, service: otel, category: authentication", "status: x"
        ),
    )
    assert found["any"] == Firing(("cloudtrail", "otel"))
    assert found["one"] == Firing(("otel",))
    assert found["login"] == Firing(("cloudtrail",))
    assert reason(found["typo"]) == (
        "`api_activty` is no class of events; did you mean `api_activity`?"
    )
    assert reason(found["other"]) == "no source is product=barograph service=nowhere"
    assert reason(found["never"]) == "otel has no events of category authentication"


def test_a_rule_fires_only_where_records_have_what_it_needs() -> None:
    trail, ours = "product: aws, service: cloudtrail", "product: barograph"
    found = told(
        detection("typo", trail, "userIdentity.userame: root"),
        detection("open", trail, "requestParameters.anything.at.all: x"),
        detection("object", trail, "userIdentity|contains: root"),
        detection("there", trail, "userIdentity.userame|exists: true"),
        detection("not_there", trail, "userIdentity.userame: null"),
        detection("tool", ours, "gen_ai.tool.name: shell"),
        detection("own", ours, "shop.order.id: 5"),
    )
    assert found["typo"] == found["there"]
    assert found["typo"] == Firing(
        (),
        "no record of cloudtrail has `userIdentity.userame`; did you mean `userIdentity.userName`?",
        "no record of cloudtrail has `userIdentity.userame`; did you mean `userIdentity.userName`?",
        4,
    )
    assert found["open"] == found["object"] == found["not_there"] == Firing(("cloudtrail",))
    assert found["tool"] == Firing(("cloudtrail", "otel"))
    assert found["own"] == Firing(("otel",))  # whose records may bring any name


def test_a_rule_that_contradicts_itself_cannot_fire() -> None:
    two = """\
title: two
name: two
logsource: {product: aws, service: cloudtrail}
detection:
  a: {eventName: DeleteTrail}
  b: {eventName: [StopLogging, PutTrail]}
  condition: a and b
"""
    found = told(two, two.replace("two", "either").replace("a and b", "a or b"))
    assert found["two"].reason == (
        "`eventName` cannot be both 'deletetrail' and 'puttrail' or 'stoplogging'"
    )
    assert found["two"].line == 7
    assert found["either"] == Firing(("cloudtrail",))


def test_a_correlation_fires_if_what_it_needs_fires() -> None:
    found = told(
        detection("able", "product: aws"),
        detection("mute", "product: windows"),
        correlation("count", "type: event_count, rules: [able, mute], condition: {gte: 2}"),
        correlation("both", "type: temporal, rules: [able, mute]"),
        correlation("some", "type: temporal, rules: [able, mute], condition: {gte: 1}"),
        correlation("either", "type: temporal, rules: [able, mute], condition: able or mute"),
        correlation("lacking", "type: temporal, rules: [able, mute], condition: able and not mute"),
        correlation("joined", "type: temporal, rules: [able, mute], condition: able and mute"),
        correlation("none", "type: event_count, rules: [mute], condition: {gte: 2}"),
        correlation("chain", "type: temporal_ordered, rules: [count, both]"),
    )
    assert found["count"] == found["some"] == Firing(("cloudtrail",))
    assert found["either"] == found["lacking"] == Firing(("cloudtrail",))
    for id_ in ("both", "joined", "none"):
        assert reason(found[id_]) == "`mute` cannot fire"
    assert reason(found["chain"]) == "`both` cannot fire"


def test_a_correlation_needs_a_group_that_records_have() -> None:
    found = told(
        detection("able", "product: aws"),
        correlation(
            "who",
            "type: event_count, rules: [able], group-by: [userIdentity.arn], condition: {gte: 2}",
        ),
        correlation(
            "nobody", "type: event_count, rules: [able], group-by: [user], condition: {gte: 2}"
        ),
        correlation(
            "alias",
            "type: event_count, rules: [able], group-by: [user], condition: {gte: 2}, "
            "aliases: {user: {able: userIdentity.arn}}",
        ),
    )
    assert found["who"] == found["alias"] == Firing(("cloudtrail",))
    assert reason(found["nobody"]) == "no record of `able` has `user`, by which it groups"


STORY = "title: s\nsummary: s\njoin: %s\nwindow: 5m\nlegs:\n%s"
FACT = "barograph: {fact: {name: weak, on: principal, state: %s}}\n"


def test_a_convergence_fires_if_some_rule_of_its_legs_does() -> None:
    story = STORY % ("principal", "  a: {class: runtime, of: [mute%s]}\n")
    rules = (detection("able", "product: aws"), detection("mute", "product: windows"))
    assert reason(told(*rules, story % "")["d2"]) == (
        "`mute` cannot fire, nor can any other rule of its legs"
    )
    assert told(*rules, story % ", able")["d2"] == Firing(("cloudtrail",))


def test_a_convergence_of_posture_fires_if_some_rule_opens_its_fact() -> None:
    story = STORY % ("principal", "  a: {class: posture, fact: weak, on: principal}\n")
    able, mute = detection("able", "product: aws"), detection("mute", "product: windows")
    assert told(able + FACT % "open", story)["d1"] == Firing(("cloudtrail",))
    assert reason(told(able + FACT % "closed", story)["d1"]) == "no rule fills its leg `a`"
    assert reason(told(able, story)["d1"]) == "no rule fills its leg `a`"
    assert reason(told(mute + FACT % "open", story)["d1"]) == (
        "`mute` cannot fire, nor can any other rule of its legs"
    )


def test_legs_that_nothing_fills_are_named() -> None:
    legs = (
        "  a: {class: runtime, of: [able]}\n  b: {class: runtime, of: [mute]}\n"
        "  c: {class: runtime, levels: [critical]}\n"
    )
    texts = (
        detection("able", "product: aws"),
        detection("mute", "product: windows"),
        STORY % ("principal", legs),
    )
    ruleset = parse(Document(f"d{n}.yml", text) for n, text in enumerate(texts))
    found = told(*texts)
    assert silent_legs(ruleset.convergences[0], ruleset, found) == ("b",)
