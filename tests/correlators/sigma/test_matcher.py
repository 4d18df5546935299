"""A scan sees less of a record than a match does; it must never leave out a rule that matches."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma.matcher import Matcher
from correlators.sigma.rule import Rule
from schemas.detection import Logsource

TEST = Logsource(product="test", service="unit")


class Narrow(NamedTuple):
    time: str
    relevant: Mapping[str, frozenset[str]]
    ordinary: Mapping[str, frozenset[str]] = MappingProxyType({})
    counted: bool = False


PLAIN = Narrow("time", {})


def rules(*detections: dict[str, Any], **logsource: str) -> tuple[Rule, ...]:
    documents = [
        {
            "title": "t",
            "name": f"r{n}",
            "logsource": logsource or {"product": "test"},
            "detection": d,
        }
        for n, d in enumerate(detections)
    ]
    ruleset = parse([Document("r.yml", "\n---\n".join(map(json.dumps, documents)))])
    assert ruleset.problems == ()
    return ruleset.rules


def asked(selection: Any, condition: str = "s") -> dict[str, Any]:  # noqa: ANN401 - what YAML has
    return {"s": selection, "condition": condition}


def names(found: list[Rule]) -> list[str]:
    return [rule.detection.id for rule in found]


def scanned(matcher: Matcher, *records: bytes) -> dict[int, list[str]]:
    return {place: names(found) for place, found in matcher.scan(records).hits}


def test_a_rule_runs_only_where_the_records_are_what_it_names() -> None:
    detection = asked({"A": "x"})
    for logsource, runs in (
        ({"product": "test"}, True),
        ({"product": "test", "service": "unit"}, True),
        ({"service": "unit"}, True),
        ({"product": "other"}, False),
        ({"category": "database"}, False),  # "does not conflict" is not "is implied"
        ({"product": "test", "service": "unit", "category": "x"}, False),
    ):
        matcher = Matcher(rules(detection, **logsource), TEST, PLAIN)
        assert bool(matcher.match({"A": "x"})) is runs, logsource


def test_the_normal_form_is_for_rules_that_ask_for_it() -> None:
    normal = Logsource(product="barograph", category="api_activity", service="unit")
    detection = asked({"A": "x"})
    assert Matcher(rules(detection, product="barograph"), normal, None).match({"A": "x"})
    assert not Matcher(rules(detection, service="unit"), normal, None).match({"A": "x"})


def test_a_scan_gives_each_record_its_time_and_the_rules_that_may_match() -> None:
    found = rules(
        asked({"A": ["x", "y"]}), asked({"A": "x", "B": "z"}), asked({"C|contains": "abc"})
    )
    scan = Matcher(found, TEST, PLAIN).scan(
        [
            b'{"time":"t0","A":"X","B":"Z"}',
            b'{"time":"t1","A":"x","B":"other"}',
            b'{"time":"t2","C":"xABCx"}',
            b'{"time":"t3","A":"w"}',
            b'{"time":5}',
            b'["A"]',
            b'{"time":"t6"',
        ]
    )
    assert scan.times == ["t0", "t1", "t2", "t3", None, None, None]
    assert [(place, names(some)) for place, some in scan.hits] == [
        (0, ["r0", "r1"]),
        (1, ["r0", "r1"]),  # nobody waits at B: the whole record tells
        (2, ["r2"]),
    ]
    assert scan.faults == [5, 6]


def test_where_fields_that_are_seen_tell_all_it_is_sure_that_the_rules_match() -> None:
    found = rules(
        asked({"A": ["x", "y"], "B|contains": "part"}),
        asked({"A": "z", "B": "w"}),
        asked({"B": "w"}),
        asked({"A": "v", "B|startswith": "part"}),
    )
    scan = Matcher(found, TEST, PLAIN).scan(
        [
            b'{"A":"X","B":"a Part"}',
            b'{"A":["x"],"B":"a part"}',  # unusual: not asked
            b'{"A":"z","B":"W"}',
            b'{"A":"v","B":"parted"}',  # no clause says where in the text
            b'{"A":"v","B":"apart"}',
            b'{"A":"x"}',
        ]
    )
    assert [(place, names(some)) for place, some in scan.hits] == [
        (0, ["r0"]),
        (1, ["r0"]),
        (2, ["r1", "r2"]),
        (3, ["r3"]),
        (4, ["r3"]),
    ]
    assert scan.sure == {0, 2}


def test_a_relevant_record_is_a_hit_whatever_the_rules_say() -> None:
    narrow = Narrow("time", {"source": frozenset({"ai"}), "a.b": frozenset({"ai"})})
    matcher = Matcher(rules(asked({"A": "x"})), TEST, narrow)
    records = [
        b'{"source":"AI"}',
        b'{"source":["no","ai"]}',
        b'{"a":{"b":"Ai"}}',
        b'{"source":"no"}',
    ]
    assert scanned(matcher, *records) == {0: [], 1: [], 2: []}
    decoded = [orjson.loads(record) for record in records]
    assert [matcher.relevant(record) for record in decoded] == [True, True, True, False]


def test_the_time_may_lie_deeper() -> None:
    matcher = Matcher((), TEST, Narrow("meta.time", {}))
    records = [b'{"meta":{"time":"t"}}', b'{"meta":null}', b'{"meta":"x"}', b'{"meta.time":"u"}']
    assert matcher.scan(records).times == ["t", None, None, "u"]


def test_matches_come_in_the_order_of_the_rules() -> None:
    found = rules(
        asked({"B": "x"}), asked({"A": "x"}), asked({"A|exists": True}), asked({"B": "x"})
    )
    matcher = Matcher(found, TEST, PLAIN)
    record = {"A": "x", "B": "x"}
    assert names(matcher.match(record)) == ["r0", "r1", "r2", "r3"]
    assert names(matcher.match(record, [found[3], found[0]])) == ["r0", "r3"]


def test_a_matcher_without_narrow_form_does_not_scan() -> None:
    with pytest.raises(TypeError, match="no narrow form"):
        Matcher((), TEST, None).scan([b"{}"])


@pytest.mark.parametrize(
    "record",
    [
        b'{"A":["no",["X"]]}',
        b'{"A":{"k":1},"a.b":"x"}',
        b'{"a":"no","a.b":"x"}',
        b'{"a":[{"b":"no"},{"b":"x"}]}',
        b'{"a":{"b":["x"]}}',
        b'{"a":{"b":"no"},"a":{"b":"X"}}',
        b'{"\\u0041":"\\u0058"}',
        b'{"A":"no","A":"x"}',
        '{"A":"x","ü":"\xfc"}'.encode(),
        b'{"A":"x","deep":' + b"[" * 900 + b"]" * 900 + b"}",
        b' {"A" : "x" }\r',
    ],
)
def test_unusual_records_are_no_faults_and_are_found(record: bytes) -> None:
    matcher = Matcher(rules(asked([{"A": "x"}, {"a.b": "x"}, {"a": "y"}])), TEST, PLAIN)
    assert scanned(matcher, record) == {0: ["r0"]}
    assert matcher.match(orjson.loads(record))


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"null",
        b"[]",
        b'"A"',
        b"{} {}",
        b'{"A":"x"',
        b'{"x":"\xff"}',
        b'{"time":"t","A":"x","x":"\xff"}',
        b'{"x":"\xed\xa0\x80"}',
        b'{"A":"\\ud800"}',
        b'{"x":01}',
        b'{"x":NaN}',
        b'{"x":"a\nb"}',
        b"\xef\xbb\xbf{}",
        b'{"x":' + b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_is_a_fault(record: bytes) -> None:
    matcher = Matcher(rules(asked({"A": "x"}), asked({"A": "x"}, "not s")), TEST, PLAIN)
    scan = matcher.scan([record])
    assert (scan.times, scan.hits, scan.faults) == ([None], [], [0])


@pytest.mark.parametrize(
    "odd", ["it's", 'a "b"', "{0}", "%s", "a\nb", "\u2028\x1c\x85", "\\\\x", "#"]
)
def test_no_text_of_a_rule_becomes_code(odd: str) -> None:
    literal = odd.replace("\\", "\\\\")
    found = rules(asked({"A|contains": f"xx{literal}"}), asked({f"{odd}.b": "x", odd: "y"}))
    matcher = Matcher(found, TEST, PLAIN)
    records: list[dict[str, Any]] = [
        {"A": f"xx{odd}z"},
        {f"{odd}.b": "x", odd: "y"},
        {odd: ["y", {"b": "X"}]},
    ]
    hits = matcher.scan([json.dumps(record).encode() for record in records]).hits
    matched = {place: names(matcher.match(records[place], some)) for place, some in hits}
    assert matched == {0: ["r0"], 1: ["r1"], 2: ["r1"]}


# -- the scan against the rules themselves

FIELDS = ["A", "B", "time", "a.b", "a.c.d", "a"]
LITERALS = ["x", "Kim", "ÜBER", "ΟΔΟΣ", "", "5", "true", "foo bar", "secret"]

patterns = st.sampled_from([*LITERALS, "foo*", "*bar", "*oo b*", "?im", "k*m", "*"])
selections = st.dictionaries(
    st.builds(
        "{}{}".format,
        st.sampled_from(FIELDS),
        st.sampled_from(["", "", "", "|contains", "|cased", "|startswith", "|windash"]),
    ),
    patterns | st.lists(patterns, min_size=1, max_size=3),
    min_size=1,
    max_size=3,
) | st.sampled_from(
    [
        {"A": 5},
        {"A": 1e300},
        {"A": True},
        {"A": None},
        {"a.b|exists": True},
        {"a|exists": False},
        {"A|gte": 5},
        {"A|re": "^Ki"},
        {"A|re": "oo b"},
        {"A|re|i": "(x|y)"},
        {"a|re|i": "secret"},
        {"a|cidr": "10.0.0.0/8"},
        {"A|re|endswith": "m|r"},
        {"A|fieldref": "B"},
        {"a.b|neq": "x"},
        {"A|base64offset": "xyz"},
        ["kim", "x"],
    ]
)
conditions = st.sampled_from(
    ["s", "s", "t", "s and t", "s or t", "s and not t", "not s", "1 of them"]
)
detections = st.builds(
    lambda s, t, c: {"s": s, "t": t, "condition": c}, selections, selections, conditions
)

leaf = st.sampled_from(
    [
        *LITERALS,
        "KIM",
        "über",
        "οδος",
        "a foo bar b",
        "5.0",
        "\u017fecret",
        5,
        5.0,
        1e300,
        True,
        None,
        "eHl6",
    ]
)
value = st.recursive(
    leaf,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.sampled_from(["b", "c", "d", "b.c", "Kim"]), inside, max_size=3)
    ),
    max_leaves=5,
)
records = st.dictionaries(st.sampled_from([*FIELDS, "other", "c"]), value, max_size=5)


@settings(max_examples=300)
@given(
    st.lists(detections, min_size=1, max_size=4),
    st.lists(records, min_size=1, max_size=6),
    st.data(),
)
def test_a_scan_leaves_no_matching_rule_out(
    some: list[dict[str, Any]], found: list[dict[str, Any]], data: st.DataObject
) -> None:
    matcher = Matcher(rules(*some), TEST, Narrow("time", {"a.c.d": frozenset({"kim"})}))
    ascii_only = data.draw(st.booleans())
    raw = [json.dumps(record, ensure_ascii=ascii_only).encode() for record in found]
    scan = matcher.scan(raw)
    assert scan.faults == []
    hits = dict(scan.hits)
    for place, record in enumerate(found):
        expected = names([r for r in matcher.rules if r.matches(record)])
        assert names(matcher.match(record)) == expected
        assert names(matcher.match(record, hits.get(place, []))) == expected
        assert place in hits or not matcher.relevant(record)
        time = record.get("time")
        assert scan.times[place] == (time if isinstance(time, str) else None)


# Records as a stranger may write them: keys twice and in any order, escapes, odd spaces.
NAMES = st.sampled_from(["A", "B", "time", "a", "a.b", "a.c.d", "b", "c", "d", "other"])
pairs = st.recursive(
    leaf | st.sampled_from([0.5, 10**20, -0.0]),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(st.tuples(NAMES, inside), max_size=4).map(tuple)  # an object
    ),
    max_leaves=6,
)
objects = st.lists(st.tuples(NAMES, pairs), max_size=6).map(tuple)


styles = st.tuples(
    st.sampled_from(["", "", " ", "\t", "\n"]),  # between tokens
    st.sampled_from(["", "", "aKxb", "\u03a3\u00dcO."]),  # characters that are escaped
    st.booleans(),
)


def written(value: Any, style: tuple[str, str, bool]) -> str:  # noqa: ANN401 - a JSON value, objects as tuples
    space, escaped, ascii_only = style
    if isinstance(value, str):
        characters = (json.dumps(c, ensure_ascii=ascii_only)[1:-1] for c in value)
        inside = (f"\\u{ord(c):04x}" if c in escaped else c for c in characters)
        return f'"{"".join(inside)}"{space}'
    if isinstance(value, list):
        return f"[{space}{','.join(written(one, style) for one in value)}]"
    if isinstance(value, tuple):
        members = (f"{written(k, style)}:{space}{written(v, style)}" for k, v in value)
        return f"{{{space}{','.join(members)}}}{space}"
    return json.dumps(value) + space


@settings(max_examples=200)
@given(
    st.lists(detections, min_size=1, max_size=4),
    st.lists(st.tuples(objects, styles), min_size=1, max_size=5),
    st.integers(0, 4),
)
def test_however_a_record_is_written_it_matches_what_its_full_decoding_matches(
    some: list[dict[str, Any]], found: list[tuple[Any, tuple[str, str, bool]]], sample: int
) -> None:
    narrow = Narrow("time", {"a.c.d": frozenset({"kim"})})
    matcher = Matcher(rules(*some), TEST, narrow, sample)
    raw = [written(record, style).encode() for record, style in found]
    decoded = [orjson.loads(record) for record in raw]
    for _ in range(2):  # then with what was learnt from the first
        scan = matcher.scan(raw)
        assert scan.faults == []
        hits = dict(scan.hits)
        for place, record in enumerate(decoded):
            expected = names([rule for rule in matcher.rules if rule.matches(record)])
            assert names(matcher.match(record, hits.get(place, []))) == expected
            assert place in hits or not matcher.relevant(record)
            assert place not in scan.sure or names(hits[place]) == expected


def test_a_scan_learns_what_is_seldom_and_finds_the_same() -> None:
    some = rules(asked({"A": "x", "b.c": "y"}))  # it waits at b.c, which is in every record
    usual, rare = b'{"b":{"c":"y"},"A":"z"}', b'{"b":{"c":"y"},"A":"x"}'
    matcher = Matcher(some, TEST, PLAIN, 100)
    assert scanned(matcher, *[usual] * 70, rare) == {place: ["r0"] for place in range(71)}
    matcher.scan([b"no record"] * 30)
    assert scanned(matcher, usual, rare) == {1: ["r0"]}


@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_bytes_are_a_record_or_a_fault(raw: bytes) -> None:
    matcher = Matcher(rules(asked({"A": "x"})), TEST, PLAIN)
    try:
        is_record = isinstance(orjson.loads(raw), dict)
    except orjson.JSONDecodeError:
        is_record = False
    assert (matcher.scan([raw]).faults == []) is is_record
