"""Scans of real shapes: 177 public CloudTrail records, whole and mutilated."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma import narrow
from correlators.sigma.matcher import Matcher
from schemas.detection import Logsource


class Narrow(NamedTuple):
    time: str
    relevant: Mapping[str, frozenset[str]]
    ordinary: Mapping[str, frozenset[str]] = MappingProxyType({})
    counted: bool = False


RULES = "corpora/rules/sigma-DRL/rules/cloud/aws/cloudtrail"
CLOUDTRAIL = Logsource(product="aws", service="cloudtrail")


@pytest.fixture(scope="module")
def aws(shared: Path) -> Matcher:
    files = sorted((shared / RULES).glob("*.yml"))
    ruleset = parse(Document(file.name, file.read_text("utf-8")) for file in files)
    assert (len(ruleset.rules), ruleset.problems) == (57, ())
    relevant = {"eventSource": frozenset({"bedrock.amazonaws.com"})}
    return Matcher(ruleset.rules, CLOUDTRAIL, Narrow("eventTime", relevant))


@pytest.fixture(scope="module")
def templates(shared: Path) -> list[dict[str, Any]]:
    lines = (shared / "bench/templates/cloudtrail_templates.ndjson").read_bytes().splitlines()
    found = [orjson.loads(line)["rec"] for line in lines]
    assert len(found) == 177
    return found


def test_a_scan_finds_all_that_the_rules_find_in_real_records(
    aws: Matcher, templates: list[dict[str, Any]]
) -> None:
    scan = aws.scan([orjson.dumps(record) for record in templates])
    hits = dict(scan.hits)
    assert scan.faults == []
    assert scan.times == [record.get("eventTime") for record in templates]
    matched = 0
    for place, record in enumerate(templates):
        whole = [rule for rule in aws.rules if rule.matches(record)]
        assert aws.match(record, hits.get(place, [])) == whole
        matched += len(whole)
    assert matched == 123


MUTATIONS = st.sampled_from(["drop", "null", "list", "object", "text", "number", "upper", "flat"])


@settings(max_examples=150)
@given(data=st.data())
def test_a_scan_finds_all_that_the_rules_find_in_mutilated_records(
    aws: Matcher, templates: list[dict[str, Any]], data: st.DataObject
) -> None:
    record: dict[str, Any] = json.loads(json.dumps(data.draw(st.sampled_from(templates))))
    for _ in range(data.draw(st.integers(1, 4))):
        mutilate(record, data)
    scan = aws.scan([orjson.dumps(record)])
    assert scan.faults == []
    whole = [rule for rule in aws.rules if rule.matches(record)]
    assert aws.match(record, dict(scan.hits).get(0, [])) == whole


def mutilate(record: dict[str, Any], data: st.DataObject) -> None:
    holders = [(record, key) for key in record]
    for key in ("userIdentity", "requestParameters", "responseElements"):
        if isinstance(record.get(key), dict):
            holders += [(record[key], inner) for inner in record[key]]
    if not holders:
        return
    holder, key = data.draw(st.sampled_from(holders))
    held = holder[key]
    how = data.draw(MUTATIONS)
    if how == "drop":
        del holder[key]
    elif how == "flat" and isinstance(held, dict):
        del holder[key]
        record |= {f"{key}.{inner}": value for inner, value in held.items()}
    else:
        holder[key] = {
            "null": None,
            "list": ["x", [held]],
            "object": {"x": held},
            "text": json.dumps(held),
            "number": 1,
            "upper": held.upper() if isinstance(held, str) else held,
        }.get(how, held)


# -- what a scan makes of a text that it does not see as it stands


def matcher_of(*selections: dict[str, Any]) -> Matcher:
    rules = [
        {
            "title": "t",
            "name": f"r{n}",
            "logsource": {"product": "aws"},
            "detection": {"s": selection, "condition": "s"},
        }
        for n, selection in enumerate(selections)
    ]
    ruleset = parse([Document("r.yml", "\n---\n".join(map(json.dumps, rules)))])
    assert ruleset.problems == ()
    return Matcher(ruleset.rules, CLOUDTRAIL, Narrow("time", {}))


def test_it_is_not_sure_of_a_text_that_another_spelling_of_its_number_calls_up() -> None:
    scan = matcher_of({"A": "403"}, {"A": "x"}).scan(
        [b'{"A":"403.0"}', b'{"A":"403"}', b'{"A":"x"}']
    )
    assert [place for place, _ in scan.hits] == [0, 1, 2]
    assert scan.sure == {2}


@pytest.mark.parametrize(
    ("held", "expected"),
    [('{"d":"abc"}', ["r1", "r2"]), ('"abc"', ["r1"]), ('["abc"]', ["r1"]), ("5", [])],
)
def test_a_field_of_which_it_sees_only_that_it_is_there_is_not_asked_for_its_text(
    held: str, expected: list[str]
) -> None:
    matcher = matcher_of(
        {"C|cidr": "10.0.0.0/8"},  # waits at C, whatever is there
        {"B": "x", "C|contains": "abc"},  # waits at B
        {"C.d": "abc"},
    )
    record = f'{{"B":"x","C":{held}}}'.encode()
    ((_, candidates),) = matcher.scan([record]).hits
    found = matcher.match(orjson.loads(record), candidates)
    assert [rule.detection.id for rule in found] == expected


def test_what_need_only_be_there_has_no_record_decoded_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # r1 waits for a name, and asks for the text of a field of which r0 only asks that it is there.
    telling = [f"name {n}" for n in range(9)]
    matcher = matcher_of({"ip|cidr": "10.0.0.0/8"}, {"name": telling, "ip": "10.0.0.1"})
    bodies: list[dict[str, Any]] = [
        {"ip": "10.0.0.1", "name": "Name 1"},
        {"ip": "10.0.0.2", "name": "Name 1"},
        {"name": "Name 1"},
        {"ip": "11.0.0.1", "name": "x"},
        {"ip": ["10.0.0.3"]},
        {"ip": None},
        {"name": "x"},
    ]
    records = [orjson.dumps({"time": "t", **body}) for body in bodies]
    whole = [matcher.match(body) for body in bodies]
    monkeypatch.setattr(narrow, "decoded_object", lambda _: pytest.fail("it was decoded"))
    scan = matcher.scan(records)
    assert scan.times == ["t"] * len(records)
    found = dict(scan.hits)
    assert [matcher.match(body, found.get(n, [])) for n, body in enumerate(bodies)] == whole
    ids = [[rule.detection.id for rule in rules] for rules in whole]
    assert ids == [["r0", "r1"], ["r0"], [], [], ["r0"], [], []]
    assert scan.sure == frozenset()
    assert 6 not in found
