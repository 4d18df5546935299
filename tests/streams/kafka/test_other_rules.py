"""Workers that start with other rules, in the midst of things: what did not change goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from correlators.routes import Routes
from correlators.ruleset import Ruleset
from streams.kafka.outbound import tick_topics
from streams.matchers import Matchers
from streams.topology import fed, instances
from tests.streams.estate import ruleset, workload
from tests.streams.kafka.logs import LogCluster
from tests.streams.nasty import Cluster, Lane, arrivals, play

Final = dict[tuple[str, str], str]


class Rolled(LogCluster):
    """All workers are stopped at some point, and started with other rules."""

    def some(self, lanes: dict[str, Lane], turns: int) -> None:
        self.lanes = {name: deque(lane) for name, lane in lanes.items()}
        for _ in range(turns):
            ready = [name for name, lane in self.lane_of.items() if self.lanes[lane]]
            ready += [name for name in self.owner if self._waiting(self.parts[name])]
            if not ready:
                return
            self._turn(self.random.choice(ready))

    def rest(self) -> dict[str, Lane]:
        return {name: list(lane) for name, lane in self.lanes.items()}

    def start_with(self, rules: Ruleset) -> None:
        self.rules, self.routes, self.matchers = rules, Routes(rules), Matchers(rules.rules)
        self.feds = fed(rules, self.routes, dict.fromkeys(self.lane_of), self.partitions)
        self.ticks = tick_topics(self.feds)
        feds = self.feds
        self.owner = {n: one for one in feds for n in instances(one.stage, self.partitions)}
        for name in (*self.lane_of, *self.owner):
            self.parts[name] = self._restored(name)


def of(cluster: Cluster, rules: set[str]) -> Final:
    """The final findings of these rules."""
    found = {
        key: r.body["body_sha256"]
        for key, r in cluster.results.items()
        if r.kind == "finding" and r.state == "final" and r.body["rule"] in rules
    }
    unsettled = [r for r in cluster.results.values() if r.state in ("provisional", "settled")]
    assert not unsettled
    return found


def without(rules: Ruleset, id_: str) -> Ruleset:
    """The rules without a correlation to which no other refers, and what looks at it."""
    kept = tuple(rule for rule in rules.correlations if rule.id != id_)
    stories = tuple(
        story
        for story in rules.convergences
        if not any(id_ in leg.of for leg in story.legs.values())
    )
    return replace(rules, correlations=kept, convergences=stories)


def regrouped(rules: Ruleset, id_: str) -> Ruleset:
    """The rules, of which one groups by more."""
    changed = tuple(
        rule.model_copy(update={"group_by": (*rule.group_by, "model")}) if rule.id == id_ else rule
        for rule in rules.correlations
    )
    return replace(rules, correlations=changed)


@pytest.mark.parametrize("change", [without, regrouped])
@pytest.mark.parametrize("id_", ["r3", "few"])
def test_rules_that_did_not_change_go_on(
    id_: str, change: Callable[[Ruleset, str], Ruleset]
) -> None:
    before = ruleset()
    after = change(before, id_)
    same = {rule.id for rule in before.correlations} - {id_}
    for seed in range(6):
        random = Random(seed)
        events = workload(random, 40)
        end = max(event["time"] for event in events) + 1000
        want = of(play(Cluster, before, events, end, Random(0)), same)
        cluster = Rolled(before, random.choice([1, 4]), random, 0.05, 5)
        lanes = arrivals(events, cluster.partitions, random, 0.5, 0.1, idle=False)
        cluster.some(lanes, random.randint(5, 300))
        cluster.start_with(after)
        cluster.run(cluster.rest(), end)
        assert of(cluster, same) == want, f"seed {seed}"
