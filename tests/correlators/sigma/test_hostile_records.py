"""Records that are made to break or to slow what judges them: no crash, cost as long as the record.

Cost is counted in calls, of Python and of C: each is one pass over what it is given, so twice the
record is twice the calls and never four times.
"""

import sys
from collections.abc import Callable
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma.matcher import Matcher
from correlators.sigma.predicate import MAX_REFERRED
from correlators.sigma.rule import Rule
from schemas.detection import Logsource

ITEMS: Final = [
    *("A: needle", "A: 'a*b*c'", "A: null", "A|exists: true", "A: 4711", "A: true", "A: ''"),
    *("A|contains: needle", "A|startswith: needle", "A|endswith: needle", "A|cased: Needle"),
    *("A|re: '(a+)+$'", "A|re|i|s: '^(x|xx)*y$'", "A|re: '.*.*.*needle'", "A|neq: needle"),
    *("A|gt: 10", "A|lte: -5", "A|cidr: 10.0.0.0/8", "A|hour: 5", "A|windash: ' -needle'"),
    *("A|base64offset|contains: needle", "A|contains|all: [one, two]", "A|fieldref: B"),
    *("A|fieldref|contains: B", "A|fieldref|startswith: B", "A|fieldref|endswith: B"),
    *("A.b: needle", "A.b.c|contains: needle", "A.b.b.b: needle", "'|contains': needle"),
    *("'|re': ne+dle", "'|all': [one, two]", "A: [one, two, 'th*', 4]", "B.A|exists: false"),
]
HEAD: Final = "title: r\nlogsource: {product: test}\n"
RULES: Final = [
    f"{HEAD}name: r{n}\ndetection: {{s: {{{item}}}, condition: s}}\n"
    for n, item in enumerate(ITEMS)
]


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    ruleset = parse(Document(f"{n}.yml", text) for n, text in enumerate(RULES))
    assert ruleset.problems == ()
    return ruleset.rules


def nested(levels: int, key: str = "b") -> dict[str, Any]:
    value: Any = "x"
    for _ in range(levels):
        value = {key: value}
    return {"A": value}


def lists(levels: int) -> dict[str, Any]:
    value: Any = {"b": "x"}
    for _ in range(levels):
        value = [value]
    return {"A": value, "B": value}


GROWING: Final[dict[str, Callable[[int], dict[str, Any]]]] = {
    "a long text": lambda n: {"A": "a" * n * 100, "B": "a" * n * 50},
    "a text of dashes": lambda n: {"A": " -" * n * 100},
    "many fields": lambda n: {f"k{i}": "a" for i in range(n)},
    "a list of texts": lambda n: {"A": [f"a{i}" for i in range(n)]},
    "two lists of texts": lambda n: {
        "A": [f"a{i}" for i in range(n)], "B": [f"b{i}" for i in range(n * 2)],
    },
    "a list of numbers": lambda n: {"A": list(range(11, n + 11)), "B": [0.5] * n},
    "a list of objects": lambda n: {"A": [{"b": {"c": "x"}, "d": i} for i in range(n)]},
    "lists of lists of objects": lambda n: {"A": [[[{"b": [{"b": "x"}]}]] for _ in range(n)]},
    "an object of objects": lambda n: {"A": {f"k{i}": {"b": i} for i in range(n)}},
    "deep objects": nested,
    "deep lists": lists,
}  # fmt: skip


def cost(rules: tuple[Rule, ...], record: dict[str, Any]) -> int:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        for rule in rules:
            rule.matches(record)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", GROWING)
def test_cost_grows_as_the_record_does(rules: tuple[Rule, ...], kind: str) -> None:
    start = 2 * MAX_REFERRED  # up to that many texts each is looked for in each
    one, two, four = (cost(rules, GROWING[kind](start * times)) for times in (1, 2, 4))
    assert four - two <= 2.2 * (two - one) + 100


def test_the_count_shows_what_is_not_linear() -> None:
    def quadratic(record: dict[str, Any]) -> bool:
        return any(a is None for _ in record["A"] for a in record["A"] if len(a) > 9)

    slow = [Rule(parse([Document("r.yml", RULES[0])]).rules[0].detection, quadratic)]  # type: ignore[arg-type]
    one, two, four = (cost(tuple(slow), {"A": ["x"] * n}) for n in (50, 100, 200))
    assert four - two > 3 * (two - one)


HOSTILE: Final[dict[str, Any]] = {
    "nan": {"A": float("nan"), "B": [float("inf"), float("-inf")]},
    "a huge integer": {"A": 10**400, "B": {"n": [-(10**30)]}},
    "a thousand levels": nested(1000),
    "a thousand lists": lists(1000),
    "a million characters": {"A": "a" * 1_000_000, "B": "needle" * 100_000},
    "a million characters without end": {"A": "xx" * 500_000},
    "thirty thousand elements": {"A": [None, "", 1, True, {}, []] * 5_000},
    "odd names": {"": 1, ".": 2, "A.": 3, ".b": 4, "A.b": {"c": {}}, "\x00": "\x00", "'": '"'},
    "other types everywhere": {"A": {"b": [{"c": None}]}, "B": False},
    "surrogates": {"A": "\ud800", "B": {"x": "\udfff"}},
    "nothing": {},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_record_ends_the_process(rules: tuple[Rule, ...], kind: str) -> None:
    record = HOSTILE[kind]
    matched = {rule.detection.id for rule in Matcher(rules, LOGSOURCE, None).match(record)}
    assert matched == {rule.detection.id for rule in rules if rule.matches(record)}


LOGSOURCE: Final = Logsource(product="test")
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["needle", "10.1.2.3", "2026-01-01T05:00:00Z", "1e9999", "-0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ABbc"), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["A", "B", "b", "A.b", "A.b.c", ""]), values))
def test_records_of_any_shape_are_judged(rules: tuple[Rule, ...], record: dict[str, Any]) -> None:
    matcher = Matcher(rules, LOGSOURCE, None)
    matched = {rule.detection.id for rule in matcher.match(record)}
    assert matched == {rule.detection.id for rule in rules if rule.matches(record)}
    assert orjson.dumps(sorted(matched))
