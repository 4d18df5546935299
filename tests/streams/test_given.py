"""Given signals: what a line says, and the correlations over such lines."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson
import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from schemas.rows import Result
from schemas.times import MINUTE, SECOND
from streams.given import LATENESS, Correlating, Given, read

START = 1_760_000_000
LOGIN = """\
title: A login failed
id: 00000000-0000-4000-8000-000000000001
name: login_failed
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: ConsoleLogin}, condition: s}
"""
GUESSING = """\
title: guessing
name: guessing
correlation:
  type: event_count
  rules: [login_failed]
  group-by: [user]
  timespan: 1m
  condition: {gte: 2}
"""
ENTERED = """\
title: entered
name: entered
correlation:
  type: temporal_ordered
  rules: [guessing, login_ok]
  group-by: [user]
  timespan: 10m
"""


def ruleset(*texts: str) -> Ruleset:
    rules = parse((Document(f"{n}.yml", t) for n, t in enumerate(texts)), external=True)
    assert rules.problems == ()
    return rules


def line(number: int, at: float, detection: str = "login_failed", **more: Any) -> bytes:  # noqa: ANN401
    record = {"id": f"s{number}", "time": START + at, "detection": detection}
    return orjson.dumps(record | {"fields": {"user": "ann"}} | more)


def finals(results: list[Result]) -> list[tuple[str, str, str, str]]:
    return sorted(
        (
            r.body["rule"],
            r.body["group"]["user"],
            r.body["onset_time"][11:19],
            r.body["last_time"][11:19],
        )
        for r in results
        if r.kind == "finding" and r.state == "final"
    )


def found(rules: Ruleset, *lines: bytes) -> list[tuple[str, str, str, str]]:
    correlating = Correlating(rules)
    results = list(correlating.take([read(one) for one in lines]))
    return finals([*results, *correlating.end()])


def test_a_line_needs_little() -> None:
    said = b'{"id":7,"time":"2026-03-02T12:00:00Z","detection":"d"}'
    assert read(said + b"\n") == Given(
        id="7",
        time=1_772_452_800 * SECOND,
        detection="d",
        event="7",
        fields={},
        sha256=sha256(said).hexdigest(),
        entities=(),
        family="d",
    )


def test_a_line_may_say_more() -> None:
    more: dict[str, Any] = {
        "event": "e1",
        "family": "logins",
        "entities": [{"kind": "principal", "id": "ann", "name": "Ann"}],
        "evidence": [{"event": "e1", "sha256": "ab" * 32}],
    }
    assert read(line(1, 0.5, **more)) == Given(
        id="s1",
        time=START * SECOND + 500_000,
        detection="login_failed",
        event="e1",
        fields={"user": "ann"},
        sha256="ab" * 32,
        entities=("principal:ann",),
        family="logins",
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"[]", "a signal is a JSON object"),
        (b'{"id":1,"time":1}', "a signal needs `detection`"),
        (b'{"time":1,"detection":"d"}', "a signal needs `id`"),
        (b'{"id":1,"detection":"d"}', "a signal needs `time`"),
        (b'{"id":1,"time":"noon","detection":"d"}', "not an RFC 3339 time: 'noon'"),
        (b'{"id":1,"time":true,"detection":"d"}', "not a time: True"),
        (b'{"id":1,"time":1e300,"detection":"d"}', "not a number of seconds since 1970"),
        (b'{"id":1,"time":1,"detection":"d","fields":[1]}', "`fields` is an object"),
        (b'{"id":1,"time":1,"detection":"d","entities":["a"]}', "`entities` is a list of objects"),
        (b'{"id":1,"time":1,"detection":"d","entities":[{}]}', "an entity needs `kind` and `id`"),
        (b'{"id":1,"time":1,"detection":"d","evidence":[1]}', "`evidence` is a list of objects"),
        (b"{", "unexpected end of data"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(text: bytes, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        read(text)


def test_rules_may_be_there_or_not_and_go_by_id_or_name() -> None:
    id_ = "00000000-0000-4000-8000-000000000001"
    by_name, by_id = [line(n, n * 10) for n in range(2)], [line(n, n * 10, id_) for n in range(2)]
    want = [("guessing", "ann", "08:53:30", "08:53:30")]
    assert found(ruleset(GUESSING), *by_name) == want
    assert found(ruleset(LOGIN, GUESSING), *by_name) == want
    assert found(ruleset(LOGIN, GUESSING), *by_id) == want


def test_levels_are_chained() -> None:
    lines = [line(1, 0), line(2, 10), line(3, 60, "login_ok"), line(4, 700, "login_ok")]
    assert found(ruleset(GUESSING, ENTERED), *lines) == [
        ("entered", "ann", "08:54:20", "08:54:20"),
        ("guessing", "ann", "08:53:30", "08:53:30"),
    ]


def test_copies_and_events_with_two_signals_count_once() -> None:
    assert found(ruleset(GUESSING), line(1, 0), line(1, 0)) == []
    assert found(ruleset(GUESSING), line(1, 0, event="e"), line(2, 0, event="e")) == []


def test_what_is_late_or_of_no_use_is_counted() -> None:
    correlating = Correlating(ruleset(GUESSING))
    late = LATENESS // SECOND + 1
    lines = [line(1, late), line(2, 0), line(3, late, "other"), line(4, late, fields={})]
    results = list(correlating.take([read(one) for one in lines]))
    assert results == []
    assert (correlating.late, correlating.unknown, correlating.ungrouped) == (1, {"other": 1}, 1)
    assert correlating.latest == (START + late) * SECOND


def test_nested_fields_have_dotted_names_too() -> None:
    nested = {"user": {"name": "ann", "key": {"id": 5}}, "user.name": "bob"}
    assert read(line(1, 0, fields=nested)).fields == {
        "user": {"name": "ann", "key": {"id": 5}},
        "user.name": "bob",
        "user.key": {"id": 5},
        "user.key.id": 5,
    }


def test_a_finding_is_said_early_and_ends_with_time() -> None:
    correlating = Correlating(ruleset(GUESSING))
    (early,) = correlating.take([read(line(1, 0)), read(line(2, 10))])
    assert early.state == "provisional"
    (final,) = correlating.end(until=START * SECOND + 60 * MINUTE)
    assert (final.id, final.state) == (early.id, "final")
    assert final.body["body_sha256"] == early.body["body_sha256"]
    assert final.body["signals"] == ["s1", "s2"]


def test_batches_change_nothing() -> None:
    rules = ruleset(GUESSING, ENTERED)
    lines = [
        read(line(n, (n * 371) % 890, detection, fields={"user": user}))
        for n, (detection, user) in enumerate(
            [("login_failed", "ann"), ("login_ok", "bob"), ("login_failed", "bob")] * 10
        )
    ]
    whole = Correlating(rules)
    want = finals([*whole.take(lines), *whole.end()])
    assert len(want) > 2
    for size in (1, 7):
        parts = Correlating(rules)
        results = [r for n in range(0, 30, size) for r in parts.take(lines[n : n + size])]
        assert finals([*results, *parts.end()]) == want
