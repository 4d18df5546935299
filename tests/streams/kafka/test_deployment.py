"""Deployment: what a worker that runs is given later."""

from __future__ import annotations

from typing import Any, cast

import pytest

from correlators.routes import Routes
from correlators.ruleset import builtin, parse
from schemas.config import Config, KafkaConfig
from schemas.errors import Mistake
from schemas.rows import Row
from schemas.topics import ASSESS, ATTACH, SIGNALS
from streams.kafka import deployment
from streams.kafka.pace import CALM, PAUSE
from streams.kafka.raw_part import RawInput
from streams.topology import fed, stage_of

NEVER = cast("Any", None)


def test_a_topic_that_has_more_partitions_than_at_the_start_is_a_sentence() -> None:
    """What lies there would be in nobody's time: none of those that wait have heard of it."""
    rules, kafka = parse(builtin()), KafkaConfig(bootstrap="127.0.0.1:9", partitions=2)
    routes, name = Routes(rules), "raw.cloudtrail/0"
    inputs = {name: RawInput("raw.cloudtrail", 0, "cloudtrail", "json", 0, 0)}
    feds = fed(rules, routes, {name: ("cloudtrail",)}, kafka.partitions)
    plan = deployment._Plan(Config(), kafka, rules, routes, inputs, feds, {}, NEVER)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    raw = deployment._raw_job(plan, NEVER, None)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    keyed = deployment._keyed_job(plan, feds[0], NEVER)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    for job, more in ((raw, "raw.cloudtrail/1"), (keyed, f"{feds[0].stage.name}/2")):
        with pytest.raises(Mistake) as said:
            job.make(more)
        assert str(said.value) == (
            f"{more} is a partition more than there were when this worker started; stop all"
            " workers, then start them: they wait for what each of them knows"
        )


def test_a_stage_of_several_topics_gets_all_inputs_of_a_part() -> None:
    rules, kafka = parse(builtin()), KafkaConfig(bootstrap="127.0.0.1:9", partitions=2)
    routes = Routes(rules)
    plan = deployment._Plan(Config(), kafka, rules, routes, {}, [], {}, NEVER)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    jobs = [
        deployment._keyed_job(plan, one, NEVER)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        for one in fed(rules, routes, {"raw/0": ("cloudtrail",)}, kafka.partitions)
    ]
    assert {job.stage for job in jobs if len(job.topics) > 1} == {"attach"}
    assert {job.stage for job in jobs if job.together} == {"attach"}


def test_stages_that_take_what_is_there_or_usual_pause_longer_and_no_hit_meets_one() -> None:
    rules, kafka = parse(builtin()), KafkaConfig(bootstrap="127.0.0.1:9", partitions=2)
    routes = Routes(rules)
    plan = deployment._Plan(Config(), kafka, rules, routes, {}, [], {}, NEVER)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    feds = fed(rules, routes, {"raw/0": ("cloudtrail",)}, kafka.partitions)
    jobs = [deployment._keyed_job(plan, one, NEVER) for one in feds]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert {job.pause for job in jobs} == {PAUSE, CALM}
    calm = {job.stage for job in jobs if job.pause == CALM}
    assert calm == {"habits", "observe", "inventory"}
    way = {
        stage_of(Row(topic, 1, "key", 0, "id", "hit", {})) for topic in (SIGNALS, ATTACH, ASSESS)
    }
    assert way == {"correlate-1", "attach", "assess"}
