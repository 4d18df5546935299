"""What is known of vulnerabilities, VEX and deletions: the same whatever comes first.

The real stages against the nasty driver, over estates in which scanners, suppliers, feeds and
administrators speak of the same few things.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from tests.streams.estate import RULES
from tests.streams.nasty import Cluster, trial

TRIALS = int(os.environ.get("BAROGRAPH_TRIALS", "15"))
CVES = ["CVE-2026-0001", "CVE-2026-0002"]
MODELS = ["model:m1", "model:m2"]
APPS = ["application:a1", "application:a2"]

KNOWN = [
    Document(
        f"detections/{name}.yml",
        f"title: {name}\nname: {name}\nlevel: high\nlogsource: {{product: barograph}}\n"
        f"detection:\n  selection: {{activity: {name}}}\n  condition: selection\n"
        f"barograph: {{fact: {{name: exploited, on: vulnerability, state: {state}}}}}\n",
    )
    for name, state in (("kev", "open"), ("unkev", "closed"))
]
KNOWN += [
    Document(
        "detections/weak.yml",
        "title: weak\nname: weak\nlevel: medium\nlogsource: {product: barograph}\n"
        "detection:\n  selection: {activity: weak}\n  condition: selection\n"
        "barograph: {fact: {name: weakness, on: model, state: finding}}\n",
    ),
    Document(
        "convergences/known.yml",
        """
id: known
title: Known
summary: What others exploit is here.
join: model
window: 300s
ttl: 300s
legs:
  exploited: {class: posture, fact: exploited, on: model}
  weak: {class: posture, fact: weakness, on: model}
""",
    ),
]


def workload(random: Random, size: int) -> list[dict[str, Any]]:
    span = random.choice([150, 400])
    kinds = ["weak"] * 5 + ["kev", "kev", "unkev", "vex", "gone", "edge", "edge", "edge", "deploy"]
    out: list[dict[str, Any]] = []
    for i in range(size):
        kind = random.choice(kinds)
        uid = f"e{i:03d}{random.randrange(10**6):06d}"
        event = {"uid": uid, "time": random.randrange(span), "type": kind, "source": "slow"}
        if kind in ("kev", "unkev"):
            event |= {"entity": f"vulnerability:{random.choice(CVES)}"}
        elif kind in ("weak", "vex"):
            vex = random.choice(["not_affected", "not_affected", "affected"])
            event |= {"entity": random.choice(MODELS), "of": random.choice(CVES)}
            event |= {"tool": "supplier", "vulnerability.vex": vex} if kind == "vex" else {}
            event |= {"state": "open" if vex == "affected" else "resolved"} if kind == "vex" else {}
        elif kind == "edge":
            event |= {"parent": random.choice([*APPS, *MODELS]), "child": random.choice(MODELS)}
            event |= {"open": random.random() < 0.8}
        else:
            event |= {"entity": random.choice(MODELS)}
            event |= {"asset.state": "deleted"} if kind == "gone" else {}
        if kind == "weak":
            event |= {"tool": random.choice(["grype", "trivy"])}
            event |= {"state": random.choice(["open", "open", "resolved"])}
        out.append(event)
        if random.random() < 0.08:
            out.append(event | {"note": random.random()})
    return out


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    found = parse([*RULES, *KNOWN])
    assert not found.problems, found.problems
    return found


def test_posture_is_a_function_of_events_and_time(rules: Ruleset) -> None:
    total = {"bad": 0, "runs": 0, "results": 0, "withdrawn": 0, "revisions": 0}
    for seed in range(TRIALS):
        for name, count in trial(Cluster, rules, seed, happen=workload).items():
            total[name] += count
        assert total["bad"] == 0, f"counterexample at seed {seed}"
    assert total["results"] > 10 * TRIALS, total
    assert total["withdrawn"] > 0, total
