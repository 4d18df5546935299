"""A life in the group: what it knows, takes and gives back while the group changes."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka import untyped
from streams.kafka.connection import client
from streams.kafka.hosted import Hosted
from streams.kafka.job import Figures, Job
from streams.kafka.life import Life
from streams.kafka.pace import Processor
from streams.kafka.transactions import Transactions
from tests.streams.kafka.living import (
    Recorder,
    Stage,
    consumer,
    hosted,
    living,
    names,
    rebalances,
    soon,
)

NOBODY = KafkaConfig(bootstrap="127.0.0.1:9")
NEVER = cast("Any", None)
PLACE = TopicPartition("raw", 0)


class Gate:
    """A call of ours that waits until it is let through."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


async def lonely() -> Life:
    """A life that has never begun."""

    async def unchecked() -> None: ...

    def make(name: str) -> Recorder:
        return Recorder(name, [PLACE], PLACE)

    job = Job("correlate", ["raw"], "group", lambda _: "raw-0", make, unchecked, 100)
    return Life(NOBODY, job, NEVER, Figures(), Processor())


async def farewell(life: Life) -> None:
    await life._farewell()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


async def test_an_input_that_the_group_has_taken_has_no_end() -> None:
    """It may be taken while somebody asks for the lag: no reason to end the worker."""
    life = await lonely()
    one = Hosted(Recorder("raw-0", [PLACE], PLACE), NEVER, consumer(life), 100)
    assert one.end(PLACE) is None
    await farewell(life)


async def test_nothing_is_assigned_before_the_group_has_said_so() -> None:
    """It begins with taking away what nobody had."""
    life = await lonely()
    await life.on_partitions_revoked(set())
    assert not life.assigned
    await farewell(life)


async def test_who_leaves_begins_nothing() -> None:
    """Its producers would fence those of the next life, and nobody would close them."""
    life = await lonely()
    life.end()
    await life.on_partitions_assigned({PLACE})
    assert life.parts == []
    await farewell(life)


async def test_no_part_steps_on_while_another_finishes() -> None:
    life = await lonely()
    for name in ("a", "b"):
        producer = Transactions(NOBODY, name, "group")
        one = Hosted(Recorder(name, [PLACE], PLACE), producer, consumer(life), 100)
        one.ready.set()
        life._hosted[name] = one  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    slow, other = hosted(life)
    await slow.turn.acquire()
    revoking = asyncio.create_task(life.on_partitions_revoked({PLACE}))
    await soon(lambda: not slow.ready.is_set())
    assert not other.ready.is_set()
    slow.turn.release()
    await revoking
    await farewell(life)


async def test_who_waits_for_the_group_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    life = await lonely()
    gate = Gate()

    async def started() -> None: ...

    monkeypatch.setattr(life._recovery, "start", started)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(consumer(life), "start", gate)
    async with living(life):
        await gate.reached.wait()


@pytest.mark.kafka
async def test_what_a_fetch_from_before_a_rebalance_brings_is_read_again(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a fetch may end behind the rebalance, with records that nobody else has seen."""
    stage = Stage(broker, prefix, ["in"], 1)
    life, gate = stage.life(), Gate()
    fetch = consumer(life).getmany

    async def slow(*inputs: TopicPartition, **options: object) -> object:
        if inputs == stage.made[0].inputs:
            await gate()
        return await fetch(*inputs, **options)

    async with living(life):
        await soon(lambda: stage.made)
        monkeypatch.setattr(consumer(life), "getmany", slow)
        await gate.reached.wait()
        before = rebalances(life)
        async with stage.joined():
            await soon(lambda: rebalances(life) > before and hosted(life)[0].ready.is_set())
            await stage.write(b"1")
            gate.open.set()
            await soon(stage.taken)
            await stage.write(b"2")
            await soon(lambda: len(stage.taken()) > 1)
    assert stage.taken() == [b"1", b"2"]


@pytest.mark.kafka
async def test_a_fetch_that_outlasts_a_rebalance_does_not_begin_where_the_group_was_told(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a partition without records it was told nothing, which ended the life."""
    stage, gate, fetched = Stage(broker, prefix, ["in"], 1), Gate(), asyncio.Event()
    checks = [Gate(), Gate()]
    checks[0].open.set()
    left = iter(checks)

    async def checked() -> None:
        await next(left, checks[0])()

    life = stage.life(checked=checked)
    fetch = consumer(life).getmany

    async def slow(*inputs: TopicPartition, **options: object) -> object:
        if inputs != stage.made[0].inputs:
            return await fetch(*inputs, **options)
        await gate()
        try:
            return await fetch(*inputs, **options)
        finally:
            fetched.set()

    async with living(life):
        await soon(lambda: stage.made)
        monkeypatch.setattr(consumer(life), "getmany", slow)
        await gate.reached.wait()
        async with stage.joined():
            await checks[1].reached.wait()
            gate.open.set()
            await fetched.wait()
            checks[1].open.set()
            await stage.write(b"1")
            await soon(stage.taken)
    assert stage.taken() == [b"1"]


@pytest.mark.kafka
async def test_a_part_that_is_recovered_in_the_midst_of_a_rebalance_waits_for_its_end(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it steps before it is known whether it may, and what it has at hand is read twice."""
    stage, recovery = Stage(broker, prefix, ["in"], 1), Gate()
    checks = [Gate(), Gate()]
    checks[0].open.set()
    left = iter(checks)

    async def checked() -> None:
        await next(left, checks[0])()

    life = stage.life(checked=checked)
    recover = life._recovery.recover  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    async def slow(parts: Any) -> object:  # noqa: ANN401
        found = await recover(parts)
        await recovery()
        return found

    monkeypatch.setattr(life._recovery, "recover", slow)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    async with living(life):
        await recovery.reached.wait()
        await stage.write(b"1")
        async with stage.joined():
            await checks[1].reached.wait()
            recovery.open.set()
            await soon(lambda: hosted(life)[0].recovered)
            assert not hosted(life)[0].ready.is_set()
            checks[1].open.set()
            await soon(stage.taken)
    assert stage.taken() == [b"1"]


@pytest.mark.kafka
async def test_all_inputs_of_a_part_come_to_one_worker(broker: Broker, prefix: str) -> None:
    """Four partitions of two topics dealt out to three, one by one, are no parts."""
    stage = Stage(broker, prefix, ["legs", "members"], 4)
    lives = [stage.life() for _ in range(3)]
    async with living(*lives):
        await soon(lambda: sorted(map(len, names(lives))) == [1, 1, 2])
        assert sorted(name for each in names(lives) for name in each) == [
            f"record/{number}" for number in range(4)
        ]


@pytest.mark.kafka
async def test_who_has_no_part_stays_in_the_group_and_takes_over(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group in which nobody fetches for five minutes is left by aiokafka, for ever."""
    stage = Stage(broker, prefix, ["in"], 1)
    lives = [stage.life(), stage.life()]
    async with living(*lives):
        await soon(lambda: sorted(map(len, names(lives))) == [0, 1] and all(assigned(lives)))
        standby, owner = sorted(lives, key=lambda life: len(life.parts))
        coordinator = consumer(standby)._coordinator  # noqa: SLF001
        beats, beat = [], coordinator._do_heartbeat  # noqa: SLF001

        async def counted() -> object:
            beats.append(1)
            return await beat()

        monkeypatch.setattr(coordinator, "_max_poll_interval", 0.2)
        monkeypatch.setattr(coordinator, "_do_heartbeat", counted)
        await soon(lambda: len(beats) > 1)
        owner.end()
        await soon(lambda: names([standby]) == [["record/0"]])


@pytest.mark.kafka
async def test_what_goes_wrong_in_the_group_ends_a_life_without_parts(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(broker, prefix, ["in"], 1)
    lives = [stage.life(), stage.life()]
    running = {life: asyncio.create_task(life.run()) for life in lives}
    await soon(lambda: sorted(map(len, names(lives))) == [0, 1] and all(assigned(lives)))
    standby, owner = sorted(lives, key=lambda life: len(life.parts))

    async def refused() -> bool:
        raise KafkaError("the heart stops")

    monkeypatch.setattr(consumer(standby)._coordinator, "_do_heartbeat", refused)  # noqa: SLF001
    with pytest.raises(KafkaError, match="the heart stops"):
        await asyncio.wait_for(running[standby], 60)
    owner.end()
    await running[owner]


@pytest.mark.kafka
async def test_a_life_for_which_nothing_is_fetched_any_more_ends(
    broker: Broker, prefix: str
) -> None:
    stage = Stage(broker, prefix, ["in"], 1)
    life = stage.life()
    running = asyncio.create_task(life.run())
    await soon(lambda: names([life]) == [["record/0"]])
    consumer(life)._fetcher.error_future.cancel()  # noqa: SLF001
    with pytest.raises(Unavailable, match=f"nothing is fetched any more for group {stage.group}"):
        await asyncio.wait_for(running, 60)


@pytest.mark.kafka
async def test_a_part_that_is_taken_away_while_its_producer_starts_holds_up_no_other(
    broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, gate = Stage(broker, prefix, ["in"], 2), Gate()
    start, stop = Transactions.start, Transactions.stop
    stopped: list[Transactions] = []

    async def slow(self: Transactions) -> None:
        await gate()
        await start(self)

    async def told(self: Transactions) -> None:
        await stop(self)
        stopped.append(self)

    monkeypatch.setattr(Transactions, "start", slow)
    monkeypatch.setattr(Transactions, "stop", told)
    life = stage.life()
    async with living(life):
        await gate.reached.wait()
        before, both = rebalances(life), hosted(life)
        async with stage.joined(stage.topics[0]):
            await soon(lambda: rebalances(life) > before and len(hosted(life)) == 1)
            gate.open.set()
            await soon(lambda: len(stopped) == 1 and hosted(life)[0].ready.is_set())
            (gone,) = (one for one in both if one not in hosted(life))
            assert stopped == [gone.transactions]
            (number,) = (tp.partition for tp in hosted(life)[0].part.inputs)
            await stage.write(b"1", partition=number)
            await soon(stage.taken)


@pytest.mark.kafka
async def test_marks_and_what_lies_behind_an_open_transaction_are_nothing_to_read(
    broker: Broker, prefix: str
) -> None:
    """Who has read what there is holds up nobody, whatever others have left open."""
    stage = Stage(broker, prefix, ["in"], 1)
    ids = [f"{prefix}{name}" for name in ("whole", "open")]
    producers = [untyped.Producer(**client(stage.config), transactional_id=id_) for id_ in ids]
    life = stage.life()
    async with living(life):
        await soon(lambda: names([life]) == [["record/0"]])
        (one,) = hosted(life)
        one.part.reached = 7  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        for producer in producers:
            await producer.start()
            await producer.begin_transaction()
        await producers[0].send_and_wait(stage.topics[0], b"1", partition=0)
        await producers[0].commit_transaction()
        await soon(lambda: one.part.positions == {TopicPartition(stage.topics[0], 0): 1})
        await soon(lambda: one.standing == (7, 0) and life.lag() == 0)  # a mark lies behind it
        await producers[1].send_and_wait(stage.topics[0], b"2", partition=0)
        await soon(lambda: life.lag() == 1)
        assert one.standing == (7, 0)
        await producers[1].abort_transaction()
        await soon(lambda: life.lag() == 0)
    for producer in producers:
        await producer.stop()
    assert stage.taken() == [b"1"]


def assigned(lives: list[Life]) -> list[bool]:
    return [life.assigned for life in lives]
