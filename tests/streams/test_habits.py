"""Habits of all kinds through both drivers, however records arrive: the same findings."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from tests.streams.kafka.logs import LogCluster
from tests.streams.nasty import CALM, Cluster, Storm, play

DAYS = 24
HABITS = {
    "first": "{type: first_seen, by: user, of: value}",
    "volume": "{type: volume, by: user, least: 3}",
    "silence": "{type: silence, by: user}",
    "missing": "{type: missing, by: user, of: open, least: 8}",
}


def _rules() -> Ruleset:
    texts = [
        f"title: {name}\nname: {name}\nlogsource: {{product: barograph}}\n"
        f"detection: {{s: {{activity: ok}}, condition: s}}\nbarograph: {{habit: {habit}}}\n"
        "---\n"
        f"title: told {name}\nname: told_{name}\ncorrelation: {{type: event_count, rules: [{name}],"
        " group-by: [user], timespan: 1m, condition: {gte: 1}}\n"
        for name, habit in HABITS.items()
    ]
    ruleset = parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))
    assert ruleset.problems == ()
    return ruleset


def _events(random: Random) -> list[dict[str, Any]]:
    """Two users, near the end or the beginning of hours, which could be mixed up there."""
    found: list[dict[str, Any]] = []

    def say(second: int, user: str, value: str, *, marked: bool) -> None:
        event = {
            "uid": f"e{len(found):05}",
            "time": second,
            "type": "ok",
            "source": random.choice(["fast", "slow"]),
            "user": user,
            "entity": f"principal:{user}",
            "value": value,
        }
        found.append(event | ({"open": True} if marked else {}))

    for hour in range(0, DAYS * 24, 3):
        for user in ("ann", "bob"):
            if user == "bob" and 480 < hour < 516:
                continue  # he is silent
            odd = user == "ann" and hour == 501
            for _ in range(20 if odd else 1):
                second = hour * 3600 + random.choice([0, 1, 3590, 3599])
                value = "new" if hour == 504 else random.choice("abc")
                say(second, user, value, marked=not odd and random.random() < 0.8)
    return found


@pytest.mark.parametrize("cluster", [Cluster, LogCluster])
@pytest.mark.parametrize("seed", range(3))
def test_all_kinds_say_the_same_in_both_drivers(cluster: type[Cluster], seed: int) -> None:
    random = Random(seed)
    rules, events, end = _rules(), _events(random), DAYS * 86_400
    calm = play(Cluster, rules, events, end, random, CALM)
    want = calm.final()
    told = Counter(
        result.body["rule"] for result in calm.results.values() if result.kind == "finding"
    )
    assert set(told) == {f"told_{name}" for name in HABITS}
    storm = Storm(
        partitions=random.choice([1, 4]), disorder=1.0, copies=0.3, idle=True, crash=0.05, batch=50
    )
    assert play(cluster, rules, events, end, random, storm).final() == want
