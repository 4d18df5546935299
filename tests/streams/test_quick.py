"""The quick way matches what the Matcher matches, or leaves the record to it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma.matcher import Matcher
from streams.quick import Quick, possible
from streams.source import Narrow, named

RULES = """
title: A
name: a
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName|startswith: Get, userIdentity.type: Root}, condition: s}
---
title: B
name: b
logsource: {product: aws}
detection: {s: {eventName: [GetObject, 1]}, f: {readOnly: true}, condition: s and not f}
"""
SOURCE = named("cloudtrail")
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ("GetObject", "getobject", "Root", "Put", "", None, True, 1, 1.0, [], {})
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "eventName": VALUES,
        "eventSource": st.sampled_from(("s3.amazonaws.com", "aws:s3", "bedrock.amazonaws.com")),
        "eventTime": st.sampled_from(("2026-03-02T12:00:00Z", "soon", 7)),
        "eventID": VALUES,
        "readOnly": VALUES,
        "userIdentity": st.none() | st.fixed_dictionaries({}, optional={"type": VALUES}),
    },
)


def narrow() -> Narrow:
    assert SOURCE.NARROW is not None
    return SOURCE.NARROW


def matcher(text: str = RULES) -> Matcher:
    ruleset = parse([Document("r.yml", text)])
    assert not ruleset.problems
    return Matcher(ruleset.rules, SOURCE.LOGSOURCE, narrow())


@given(st.lists(RECORDS, max_size=5))
def test_what_is_found_is_what_matches(records: list[dict[str, Any]]) -> None:
    usual = matcher()
    quick = Quick(usual, narrow(), ("eventID",), lambda rule: rule.detection.id)
    lines = [orjson.dumps(record) for record in records]
    scan = quick.scan(lines)
    assert scan.times == usual.scan(lines).times
    for n, record in enumerate(records):
        matches = [rule.detection.id for rule in usual.match(record)]
        found = quick.found[n]
        if found is None:
            candidates = dict(scan.hits).get(n, [])
            assert [rule.detection.id for rule in usual.match(record, candidates)] == matches
        else:
            assert list(found) == matches
            assert quick.columns["eventID"][n] == record.get("eventID", quick.columns["eventID"][n])


def test_the_usual_takes_the_quick_way() -> None:
    quick = Quick(matcher(), narrow(), (), lambda rule: rule.detection.id)
    base = {"eventSource": "s3.amazonaws.com", "eventTime": "2026-03-02T12:00:00Z"}
    names = ("GetObject", "PutObject", "GetX")
    assert quick.scan([orjson.dumps({**base, "eventName": name}) for name in names]).hits == []
    assert list(quick.found) == [("b",), (), ()]
    assert quick.worth_it


def test_a_way_that_seldom_works_is_given_up() -> None:
    quick = Quick(matcher(), narrow(), (), lambda rule: rule.detection.id)
    quick.scan([b'{"eventName": 1, "eventTime": "2026-03-02T12:00:00Z"}'] * 2_000)
    assert not quick.worth_it


@pytest.mark.parametrize(
    "selection", ["[word]", "{userIdentity|contains: x, userIdentity.type: y}"]
)
def test_some_rules_need_the_whole_record(selection: str) -> None:
    head = "title: A\nname: a\nlogsource: {product: aws}\n"
    text = f"{head}detection: {{s: {selection}, condition: s}}"
    assert not possible(matcher(text), narrow(), ())
    assert possible(matcher(), narrow(), ("userIdentity.arn",))
    assert not possible(matcher(), narrow(), ("userIdentity",))


@given(st.text(max_size=3) | st.text("ab ", min_size=120, max_size=135))
def test_the_uid_is_the_text_that_names_the_record(text: str) -> None:
    """What `named` says of a source holds of its `uid`."""
    key, longest = narrow().named or ("", 0)
    if 0 < len(text) <= longest and not text.isspace():
        assert narrow().uid({key: text}, "hash") == text
