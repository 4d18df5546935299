"""Deployment: the stages of a worker as jobs, from the configuration and what the brokers have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from correlators.routes import Routes
from correlators.ruleset import Ruleset
from schemas.config import Config, InputConfig, KafkaConfig
from schemas.errors import Mistake
from schemas.times import BEGINNING, END
from schemas.topics import RAW, deployment, raw
from streams.declared import DECLARED, edges
from streams.ingest import Ingest
from streams.kafka.agreement import Agreed, agree, agreed, have_ended
from streams.kafka.connection import client, reach
from streams.kafka.job import Job
from streams.kafka.keyed_part import KeyedPart
from streams.kafka.light import ROWS_BYTES
from streams.kafka.outbound import Outbound, tick_topics
from streams.kafka.pace import CALM, PAUSE
from streams.kafka.raw_part import RawInput, RawPart, progress_of
from streams.kafka.recovery import Recovery
from streams.kafka.untyped import Admin
from streams.matchers import Matchers
from streams.outdated import stated
from streams.source import named, names
from streams.topology import INGEST, Fed, fed, instances, topic_between


class _Plan(NamedTuple):
    """What the parts of all stages are made from."""

    config: Config
    kafka: KafkaConfig
    ruleset: Ruleset
    routes: Routes
    inputs: Mapping[str, RawInput]
    feds: Sequence[Fed]
    ticks: Mapping[str, Sequence[str]]
    agreed: Agreed


class Deployment(NamedTuple):
    """The stages that a worker hosts; `ended` asks whether a run with an end is over everywhere."""

    jobs: list[Job]
    ended: Callable[[], Awaitable[bool]]


async def deploy(
    config: Config,
    kafka: KafkaConfig,
    ruleset: Ruleset,
    clock: Callable[[], int],
    until: int | None = None,
) -> Deployment:
    """The stages that this worker hosts, once it has agreed with the others.

    Raises Unavailable where no broker answers, Mistake where topics are missing or of another
    number of partitions, and where other workers want something else.
    """
    await reach(kafka)
    there = await _topics(kafka)
    _check(kafka, ruleset, there)
    found = _inputs(config, kafka, there)
    routes = Routes(ruleset)
    sources = {DECLARED: (), **{name: (one.source,) for name, one in found.items()}}
    feds = [one for one in fed(ruleset, routes, sources, kafka.partitions) if one.inputs]
    ticks = tick_topics(feds)
    wanted = Agreed(
        kafka.partitions,
        ruleset.sha256,
        {name: (one.source, BEGINNING) for name, one in found.items()},
        edges(config.system),
    )
    taken = await agree(
        kafka,
        wanted,
        ticks[DECLARED],
        lambda: _times(kafka, until),
        lambda: _running(kafka),
    )
    inputs = {name: one._replace(since=taken.inputs[name][1]) for name, one in found.items()}
    plan = _Plan(config, kafka, ruleset, routes, inputs, feds, ticks, taken)
    hosted = [_raw_job(plan, clock, until), *(_keyed_job(plan, one, clock) for one in feds)]
    expected = {name for one in feds for name in instances(one.stage, kafka.partitions)}

    async def ended() -> bool:
        return expected <= await have_ended(kafka)

    return Deployment(hosted, ended)


def _raw_job(plan: _Plan, clock: Callable[[], int], until: int | None) -> Job:
    kafka = plan.kafka
    matchers = Matchers(plan.ruleset.rules, plan.ruleset.advisories)

    def make(name: str) -> RawPart:
        one = plan.inputs.get(name)
        if one is None:
            raise _grown(name)
        ingest = Ingest(name, matchers, plan.routes, named, one.lateness, plan.config.limits)
        own = one.partition % kafka.partitions
        state = TopicPartition(f"{kafka.prefix}{INGEST}-state", own)
        outbound = Outbound(plan.ticks.get(name, ()), kafka.partitions, own)
        return RawPart(one, ingest, outbound, state, clock, until)

    return Job(
        INGEST,
        sorted({one.topic for one in plan.inputs.values()}),
        kafka.prefix + INGEST,
        _raw_name,
        make,
        lambda: _still(plan),
        plan.config.limits.batch_records,
    )


def _raw_name(tp: TopicPartition) -> str:
    return f"{tp.topic}/{tp.partition}"


def _keyed_job(plan: _Plan, one: Fed, clock: Callable[[], int]) -> Job:
    kafka, stage = plan.kafka, one.stage
    topics = list(dict.fromkeys(topic_between(feeder, stage.name) for feeder in stage.feeders))
    known = instances(stage, kafka.partitions)
    rules = stated(plan.ruleset)

    def part_of(tp: TopicPartition) -> str:
        return f"{stage.name}/{tp.partition}"

    def make(name: str) -> KeyedPart:
        if name not in known:
            raise _grown(name)
        own = known.index(name)
        outbound = Outbound(plan.ticks.get(name, ()), kafka.partitions, own)
        return KeyedPart(one, own, topics, outbound, kafka.prefix, rules, clock)

    return Job(
        stage.name,
        [kafka.prefix + topic for topic in topics],
        kafka.prefix + stage.name,
        part_of,
        make,
        lambda: _still(plan),
        plan.config.limits.batch_records,
        together=len(topics) > 1,
        pause=CALM if stage.calm else PAUSE,
        part_bytes=ROWS_BYTES,
    )


def _grown(name: str) -> Mistake:
    return Mistake(
        f"{name} is a partition more than there were when this worker started; stop all workers,"
        " then start them: they wait for what each of them knows"
    )


async def _still(plan: _Plan) -> None:
    """Another agreement holds by now: this worker must not go on."""
    held = await agreed(plan.kafka)
    if held is None or not held.same(plan.agreed):
        raise Mistake(
            "another worker has started with other rules, inputs or systems; stop this one, or"
            " start it anew with the same"
        )


async def _topics(kafka: KafkaConfig) -> dict[str, int]:
    """The topics that we may see, with their number of partitions."""
    admin = Admin(**client(kafka))
    await admin.start()
    try:
        found: list[dict[str, Any]] = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in found}


def _check(kafka: KafkaConfig, ruleset: Ruleset, there: Mapping[str, int]) -> None:
    for topic in deployment(kafka, ruleset.levels):
        count = there.get(topic.name)
        if count is None:
            raise Mistake(
                f"the topic {topic.name} is not there, or may not be seen; run"
                " `barograph topics create`, or `barograph topics check` for all that is missing"
            )
        if count != topic.partitions:
            raise Mistake(
                f"the topic {topic.name} has {count} partitions and needs {topic.partitions}; set"
                " kafka.partitions to what the topics have, or use a new kafka.prefix"
            )


def _inputs(config: Config, kafka: KafkaConfig, there: Mapping[str, int]) -> dict[str, RawInput]:
    """The raw partitions by name: of the configured topics, else of those named by a source."""
    others = [entry.name for entry in config.input if entry.kind != "kafka"]
    if others:
        raise Mistake(
            f"input {others[0]!r} is no topic, and with [kafka] all inputs are; give it kind ="
            " 'kafka' and a topic, or run it in a worker without [kafka]"
        )
    entries = list(config.input) or [
        InputConfig(name=source, kind="kafka", topic=topic, source=source)
        for source in names()
        if (topic := kafka.prefix + raw(source)) in there
    ]
    if not entries:
        raise Mistake(
            f"there is no topic {kafka.prefix}{RAW}<source> and the configuration has no [[input]]"
            " of kind 'kafka'; make one, for example `barograph topics create --raw cloudtrail`"
        )
    found: dict[str, RawInput] = {}
    for entry in entries:
        topic, source = str(entry.topic), named(str(entry.source))
        if topic not in there:
            raise Mistake(
                f"the topic {topic} of input {entry.name!r} is not there, or may not be seen"
            )
        lateness = source.LATENESS if entry.lateness is None else entry.lateness
        for partition in range(there[topic]):
            one = RawInput(topic, partition, source.NAME, entry.encoding, lateness, entry.idle)
            if found.setdefault(one.name, one) is not one:
                raise Mistake(f"the topic {topic} is the input of two entries; remove one")
    return found


async def _times(kafka: KafkaConfig, until: int | None) -> dict[str, int]:
    recovery = Recovery(kafka)
    await recovery.start()
    try:
        places = [
            TopicPartition(f"{kafka.prefix}{INGEST}-state", partition)
            for partition in range(kafka.partitions)
        ]
        values = await recovery.values(places)
    finally:
        await recovery.stop()
    times = {
        name: progress.watermark
        for partition in values.values()
        for name, progress in progress_of(partition).items()
    }
    if END in times.values() and until is None:
        raise Mistake(
            f"{kafka.prefix} holds a run that has ended; use a new kafka.prefix to begin anew"
        )
    return {name: time for name, time in times.items() if time != END}


async def _running(kafka: KafkaConfig) -> int:
    """How many workers take part in the first stage."""
    admin = Admin(**client(kafka))
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([kafka.prefix + INGEST])
    finally:
        await admin.close()
    return sum(len(group[5]) for group in answer.groups)
