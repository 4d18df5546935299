"""Habits: how often the built-in ones speak in a month of ordinary traffic, and what they cost.

    python benchmarks/habits.py [AGENTS] [DAYS]

The traffic is made from a seed: agents of offices (weekdays, lunch, bursts), of a service (day and
night, quieter at weekends) and of nightly and weekly batches, and people with keys who work from
home, travel and try things out. Nobody attacks: every signal is noise, or an ordinary change.
Prints signals by day and rule, and processor time by observation.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from correlators.habits.stage import Habits
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import builtin, parse
from schemas.entity import Entity
from schemas.event import Client, Event, EventEvidence
from schemas.rows import Result, Row, Tick
from schemas.times import DAY, END, HOUR, MINUTE, SECOND
from schemas.times import parse as instant
from streams.matchers import Matchers
from streams.source import Parsed
from streams.statements import Statements

START = instant("2026-01-05T00:00:00Z")  # a Monday
MODELS = ("claude-sonnet", "nova-pro", "titan-embed", "llama-70b")
ACCOUNTS = ("111122223333", "444455556666")


def poisson(random: Random, mean: float) -> int:
    """How many of something that happens `mean` times."""
    if mean > 50:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


def rhythm(kind: str, hour: int) -> float:
    """How busy an hour of the month is, 1 for a busy one."""
    day, clock = divmod(hour, 24)
    weekend = day % 7 >= 5
    if kind == "office":
        busy = (0, 0.3, 0.8, 1, 1, 0.5, 0.8, 1, 0.9, 0.6, 0.2)
        share = busy[clock - 7] if 7 <= clock < 18 else 0.01
        return share * (0.03 if weekend else 1)
    if kind == "service":
        return (0.4 + 0.6 * math.sin(math.pi * ((clock - 6) % 24) / 24) ** 2) * (
            0.6 if weekend else 1
        )
    return 0.0


class Doer:
    """An agent, or a person with a key: what it has and how it works."""

    def __init__(self, random: Random, number: int, kind: str) -> None:
        self.random, self.number, self.kind = random, number, kind
        self.name = f"{kind}-{number}"
        self.rate = random.lognormvariate(1.5, 0.8)
        self.models = [random.choice(MODELS), random.choice(MODELS)]
        self.tools = [f"{self.name}/tool-{n}" for n in range(random.randint(3, 8))]
        self.release = random.randrange(60)  # the day of a new version, for many beyond the month
        self.account = random.choice(ACCOUNTS)
        self.guarded = random.random() < 0.5
        self.home, self.trip = random.randrange(1, 250), random.randrange(120)

    def calls(self, hour: int) -> int:
        """How many model calls in an hour of the month."""
        random = self.random
        if self.kind == "batch":
            day, clock = divmod(hour, 24)
            size = 3_000 if day % 7 == 6 else 600
            return poisson(random, size * random.uniform(0.8, 1.2)) if clock == 2 else 0
        sessions = poisson(random, self.rate * rhythm(self.kind, hour) / 2)
        if self.kind == "person":
            sessions = poisson(random, 0.25 * rhythm("office", hour))
            return sum(1 + poisson(random, random.lognormvariate(1.5, 1)) for _ in range(sessions))
        return sum(1 + poisson(random, random.expovariate(1 / 3)) for _ in range(sessions))


def traffic(random: Random, agents: int, days: int) -> Iterator[Event]:
    """Events in order of time."""
    kinds = ["office"] * (agents * 8 // 10) + ["service"] * (agents * 16 // 100)
    kinds += ["batch"] * (agents - len(kinds)) + ["person"] * (agents * 6 // 10)
    doers = [Doer(random, number, kind) for number, kind in enumerate(kinds)]
    number = 0
    for hour in range(days * 24):
        found: list[Event] = []
        for doer in doers:
            for _ in range(doer.calls(hour)):
                time_ = START + hour * HOUR + random.randrange(HOUR)
                for event in happened(doer, random, hour // 24, time_):
                    number += 1
                    found.append(event.model_copy(update={"uid": f"{number:08}"}))
        yield from sorted(found, key=lambda event: event.time)


def happened(doer: Doer, random: Random, day: int, time_: int) -> Iterator[Event]:
    """A call of a model, and perhaps of a tool."""
    model = doer.models[random.random() < 0.05]
    if day >= doer.release and random.random() < 0.3:
        model = "claude-next"
    principal = Entity(kind="principal", id=f"arn:aws:iam::{doer.account}:role/{doer.name}")
    things = [Entity(kind="model", id=model), principal, Entity(kind="account", id=doer.account)]
    if doer.kind == "person":
        network = random.choice(["203.0.113", "203.0.113", f"198.51.{doer.home}"])
        if doer.trip <= day < doer.trip + 3:
            network = f"192.0.{doer.home}"
        agent = random.choice(["Boto3/1.34", "Boto3/1.35", "aws-cli/2.15"])
        if random.random() < 0.002:
            agent = f"{random.choice(['curl', 'python-requests', 'litellm'])}/1"
        yield event(
            "cloudtrail",
            time_,
            things,
            {"api.service": "bedrock.amazonaws.com", "api.operation": "InvokeModel"},
            Client(ip=f"{network}.{random.randrange(250)}", user_agent=agent),
        )
        return
    application = Entity(kind="application", id=f"app-{doer.number // 2}")
    agent_ = Entity(kind="agent", id=doer.name)
    tokens = round(random.lognormvariate(7, 1))
    told: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": tokens // 4,
    }
    if doer.guarded and random.random() < 0.97:
        told["guardrail.verdict"] = "allow"
    yield event("otel", time_, [*things, agent_, application], told)
    yield event(
        "cloudtrail",
        time_ + SECOND,
        things,
        {
            "api.service": "bedrock.amazonaws.com",
            "api.operation": "Converse",
            "gen_ai.provider.name": "aws.bedrock",
        },
        Client(ip=f"10.0.{doer.number % 4}.7", user_agent="Boto3/1.34"),
    )
    if random.random() < 0.6:
        tools = [*doer.tools, "release/tool"] if day >= doer.release + 2 else doer.tools
        tool = Entity(kind="tool", id=random.choice(tools))
        server = Entity(kind="mcp_server", id=f"mcp-{doer.number % 9}.example")
        yield event(
            "otel",
            time_ + MINUTE // 10,
            [tool, agent_, application, server],
            {"gen_ai.operation.name": "execute_tool"},
        )


def event(
    source: str,
    time_: int,
    entities: list[Entity],
    attributes: dict[str, Any],
    client: Client | None = None,
) -> Event:
    """An Event of the class that all of these have."""
    return Event(
        uid="",
        time=time_,
        source=source,
        class_uid=6003,
        class_name="API Activity",
        activity="call",
        status="success",
        entities=tuple(entities),
        client=client,
        attributes=attributes,
        evidence=EventEvidence(origin="x#1", sha256="0" * 64),
    )


def main() -> None:
    """Play the month, and print."""
    agents, days = (int(word) for word in [*sys.argv[1:], "50", "31"][:2])
    ruleset = parse(builtin())
    routes = Routes(ruleset)
    statements = Statements(Matchers(ruleset.rules), routes)
    stage = Keyed(Habits(ruleset.habits, routes), "habits/0", 0, ["in"])
    titles = {one.id: one for one in ruleset.habits}
    said: Counter[str] = Counter()
    by_day: Counter[tuple[str, int]] = Counter()
    events = observations = 0
    spent = 0.0
    batch: list[Row | Tick] = []
    random = Random(20260105)  # noqa: S311 - the same month each time

    def step(tick: Tick) -> None:
        nonlocal spent
        started = time.process_time()
        changes, outputs = stage.step([*batch, tick])
        stage.apply(changes)
        spent += time.process_time() - started
        batch.clear()
        for output in outputs:
            if isinstance(output, Result):
                said[output.body["detection"]] += 1
                by_day[output.body["detection"], (output.time - START) // DAY] += 1

    for one in traffic(random, agents, days):
        events += 1
        for output in statements.of(Parsed(one, {}), None, (), None):
            if isinstance(output, Row) and output.kind == "observation":
                batch.append(output)
                observations += 1
        if len(batch) >= 2_000:
            step(Tick("in", 0, one.time - 5 * MINUTE, one.time - 5 * MINUTE))
    step(Tick("in", 0, END, START + days * DAY))
    learnt = days - 7
    print(f"{agents} agents, {days} days: {events:,} events, {observations:,} observations")
    print(
        f"{spent / observations * 1e6:.1f} us of the stage an observation, {len(said)} rules spoke"
    )
    print(f"{'signals':>8} {'a day':>6} {'most':>5}  of {learnt} days behind the first week")
    for id_, one in titles.items():
        most = max((count for (rule, _), count in by_day.items() if rule == id_), default=0)
        print(f"{said[id_]:8} {said[id_] / learnt:6.2f} {most:5}  {one.level:14}{id_}")
    print(f"{said.total():8} {said.total() / learnt:6.2f}        all")


if __name__ == "__main__":
    main()
