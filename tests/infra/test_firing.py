from correlators.document import Document
from correlators.ruleset import parse
from infra.firing import Firing, firing
from streams.source import sources


def detection(name: str, logsource: str) -> str:
    return (
        f"title: {name}\nname: {name}\nlogsource: {{{logsource}}}\n"
        "detection: {s: {A: x}, condition: s}\n"
    )


def correlation(name: str, about: str) -> str:
    return f"title: {name}\nname: {name}\ncorrelation: {{timespan: 5m, {about}}}\n"


def told(*texts: str) -> dict[str, Firing]:
    ruleset = parse(Document(f"d{n}.yml", text) for n, text in enumerate(texts))
    assert ruleset.problems == ()
    known = {name: source for name, source in sources().items() if name in {"cloudtrail", "otel"}}
    return firing(ruleset, known)


def test_a_vendors_rule_fires_on_the_vendors_source() -> None:
    found = told(
        detection("trail", "product: aws, service: cloudtrail"),
        detection("aws", "product: aws"),
        detection("windows", "product: windows, category: process_creation"),
        detection("database", "category: database"),
    )
    assert found["trail"] == found["aws"] == Firing(("cloudtrail",))
    assert found["windows"] == Firing((), "no source is category=process_creation product=windows")
    assert found["database"] == Firing((), "no source is category=database")


def test_a_rule_over_normal_form_fires_on_sources_of_its_service() -> None:
    found = told(
        detection("any", "product: barograph"),
        detection("one", "product: barograph, category: api_activity, service: otel"),
        detection("typo", "product: barograph, category: api_activty"),
        detection("other", "product: barograph, service: nowhere"),
    )
    assert found["any"] == Firing(("cloudtrail", "otel"))
    assert found["one"] == Firing(("otel",))
    assert found["typo"] == Firing((), "`api_activty` is no class of events")
    assert found["other"] == Firing((), "no source is product=barograph service=nowhere")


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
    assert found["both"] == found["joined"] == found["none"] == Firing((), "`mute` cannot fire")
    assert found["chain"] == Firing((), "`both` cannot fire")


def test_a_convergence_fires_if_some_rule_of_its_legs_does() -> None:
    legs = "legs: {a: {class: runtime, of: [mute%s]}}\n"
    story = "title: s\nsummary: s\njoin: principal\nwindow: 5m\n" + legs
    rules = (detection("able", "product: aws"), detection("mute", "product: windows"))
    assert told(*rules, story % "")["d2"].reason.startswith("`mute` cannot fire")
    assert told(*rules, story % ", able")["d2"] == Firing(("cloudtrail",))
