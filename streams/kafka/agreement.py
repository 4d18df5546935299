"""Agreement: what all workers of a deployment must have in common, written where all can read it.

A worker that wants something else is refused while others run; when none does, it writes its own
agreement, and the state of changed rules is dropped as partitions are recovered. Two that start at
once fence each other here: the later one's agreement holds, and the other sees it at its first
assignment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from aiokafka import TopicPartition

from schemas.config import KafkaConfig
from schemas.errors import Mistake
from schemas.times import BEGINNING
from schemas.topics import AGREEMENT
from streams.declared import said
from streams.kafka.outbound import Outbound
from streams.kafka.part import Sent, Step
from streams.kafka.recovery import Recovery
from streams.kafka.transactions import Transactions
from streams.kafka.wire import Record

_KEY, _ENDED = b"deployment", b"ended/"


class Agreed(msgspec.Struct, frozen=True):
    """What all workers have in common.

    `inputs`: raw partitions by name, with the name of their source and the time since which each is
    waited for. `systems`: edges of the configuration, sorted.
    """

    partitions: int
    rules: str
    inputs: dict[str, tuple[str, int]]
    systems: list[tuple[str, str]]

    def same(self, other: Agreed) -> bool:
        """True if workers with one and the other may run side by side."""
        mine = {name: source for name, (source, _) in self.inputs.items()}
        theirs = {name: source for name, (source, _) in other.inputs.items()}
        return (self.partitions, self.rules, mine, self.systems) == (
            other.partitions,
            other.rules,
            theirs,
            other.systems,
        )


async def agreed(config: KafkaConfig) -> Agreed | None:
    """The agreement that holds, None before the first."""
    found = (await _written(config)).get(_KEY)
    return None if found is None else msgspec.json.decode(found, type=Agreed)


def ended(part: str) -> Sent:
    """What a partition of a stage says in the transaction in which time comes to its end there."""
    return Sent(AGREEMENT, 0, Record(_ENDED + part.encode(), b"{}"))


async def have_ended(config: KafkaConfig) -> set[str]:
    """The partitions of stages in which time has come to its end, by name."""
    written = await _written(config)
    return {key.removeprefix(_ENDED).decode() for key in written if key.startswith(_ENDED)}


async def _written(config: KafkaConfig) -> dict[bytes, bytes]:
    place = TopicPartition(config.prefix + AGREEMENT, 0)
    recovery = Recovery(config)
    await recovery.start()
    try:
        return (await recovery.values([place]))[place]
    finally:
        await recovery.stop()


async def agree(
    config: KafkaConfig,
    wanted: Agreed,
    ticks: Sequence[str],
    times: Callable[[], Awaitable[Mapping[str, int]]],
    running: Callable[[], Awaitable[int]],
) -> Agreed:
    """The agreement that holds from now on.

    `ticks`: the topics that wait for the configuration; `times`: how far each raw partition has
    come; `running`: how many workers are there. Raises Mistake where they want something else.
    """
    transactions = Transactions(config, f"{config.prefix}agreement", f"{config.prefix}agreement")
    await transactions.start()  # who is in the midst of this is fenced: what we read now holds
    try:
        held = await agreed(config)
        if held is not None and held.same(wanted):
            return held
        if held is not None and held.partitions != wanted.partitions:
            raise Mistake(
                f"the topics of {config.prefix} hold state of {held.partitions} partitions and"
                f" kafka.partitions is {wanted.partitions}; set it back, or replay into a new"
                " kafka.prefix"
            )
        others = 0 if held is None else await running()
        if held is not None and others:
            raise Mistake(
                f"{others} workers run with other {_differing(held, wanted)}; give this one the"
                " same, or stop them all before the first one starts with the new"
            )
        known: Mapping[str, int] = {} if held is None else await times()
        since = max(known.values(), default=BEGINNING)
        taken = _taken(held, wanted, since)
        outbound = Outbound(ticks, wanted.partitions)
        before = [] if held is None else held.systems
        declared = outbound.sent(said(before, wanted.systems, max(since, 0)))
        value = Sent(AGREEMENT, 0, Record(_KEY, msgspec.json.encode(taken)))
        await transactions.save(Step([*declared, value], {}))
        return taken
    finally:
        await transactions.stop()


def _taken(held: Agreed | None, wanted: Agreed, now: int) -> Agreed:
    """The wanted one; an input that is new was not waited for, and begins where the others are."""
    before = {} if held is None else held.inputs
    inputs = {
        name: before.get(name, (source, now))
        if before.get(name, (source,))[0] == source
        else (source, now)
        for name, (source, _) in wanted.inputs.items()
    }
    return msgspec.structs.replace(wanted, inputs=inputs)


def _differing(held: Agreed, wanted: Agreed) -> str:
    found = [
        name
        for name, differs in (
            ("rules", held.rules != wanted.rules),
            ("inputs", held.inputs.keys() != wanted.inputs.keys()),
            ("systems", held.systems != wanted.systems),
        )
        if differs
    ]
    return " and ".join(found or ["sources of inputs"])
