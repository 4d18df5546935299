"""Topics: make those of a deployment, and say in what the broker's differ from them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

import kafka.admin

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from schemas.topics import RAW, Plan, raw
from streams.kafka.connection import admin, answering, lacks
from streams.source import names

# Error codes of the Kafka protocol.
_UNKNOWN, _DENIED, _EXISTS, _DENIED_CLUSTER, _REPLICATION = 3, 29, 36, 31, 38
# What keeps no run from its right results: how soon state is cleaned.
_TUNING: Final = frozenset(
    {
        "segment.bytes",
        "segment.ms",
        "min.cleanable.dirty.ratio",
        "max.compaction.lag.ms",
        "delete.retention.ms",
    }
)
_ADMIN: Final = cast("Any", kafka.admin)  # ships no types


class Made(NamedTuple):
    """A topic of the deployment, and whether it was made now or was there."""

    plan: Plan
    made: bool


class Difference(NamedTuple):
    """In what a topic differs, and the mend. A `hint` keeps no run from working."""

    topic: str
    what: str
    mend: str
    hint: bool = False


class Standing(NamedTuple):
    """What the broker has of a topic; `settings` None if we may not see them."""

    partitions: int
    replication: int
    rights: frozenset[str]
    settings: dict[str, str] | None


def create(
    client: Any,  # noqa: ANN401 - as connection.admin returns it
    config: KafkaConfig,
    plans: Sequence[Plan],
    *,
    dry: bool = False,
) -> list[Made]:
    """Make what is missing; `dry` asks the broker whether it would. What is there stays as it is.

    Unavailable names the first topic that could not be made; the others are made then.
    """
    wanted = {
        plan.name: {
            "num_partitions": plan.partitions,
            "replication_factor": config.replication,
            "configs": plan.settings,
        }
        for plan in plans
    }
    with answering(config):
        answer = client.create_topics(wanted, validate_only=dry, raise_errors=False)
        codes = {one["name"]: int(one["error_code"]) for one in answer["topics"]}
        told = {one["name"]: one["error_message"] for one in answer["topics"]}
        made = [name for name, code in codes.items() if not code]
        if made and not dry:
            client.wait_for_topics(made)
    for plan in plans:
        if codes[plan.name] not in (0, _EXISTS):
            raise _refused(config, plan.name, codes[plan.name], told[plan.name])
    return [Made(plan, made=codes[plan.name] != _EXISTS) for plan in plans]


def check(
    client: Any,  # noqa: ANN401 - as connection.admin returns it
    config: KafkaConfig,
    plans: Sequence[Plan],
    inputs: Iterable[str] = (),
) -> list[Difference]:
    """Every Difference between the broker's topics and `plans`, in that order.

    `inputs`: full names of topics that others write, which need only be there and be readable.
    """
    names = [plan.name for plan in plans]
    others = [name for name in dict.fromkeys(inputs) if name not in names]
    found = standing(client, config, [*names, *others])
    differences: list[Difference] = []
    alone: list[str] = []
    for plan in plans:
        state = found[plan.name]
        differences += _compared(config, plan, state)
        if isinstance(state, Standing) and state.replication == 1:
            alone.append(plan.name)
    for name in others:
        state = found[name]
        if not isinstance(state, Standing):
            differences.append(state)
        else:
            differences += _rights(config, name, state, ("READ",))
    if alone:
        what = f"and {len(alone) - 1} others have one replica: lost with its broker"
        differences.append(Difference(alone[0], what, "have three brokers or more", hint=True))
    return differences


def standing(
    client: Any,  # noqa: ANN401 - as connection.admin returns it
    config: KafkaConfig,
    names: Sequence[str],
) -> dict[str, Standing | Difference]:
    """What the broker has by these names; a Difference for what is missing or hidden from us."""
    if not names:
        return {}
    with answering(config):
        topics = client.describe_topics(list(names))
        there = [one["name"] for one in topics if not one["error_code"]]
        kind = _ADMIN.ConfigResourceType.TOPIC
        asked = [_ADMIN.ConfigResource(kind, name) for name in there]
        told: Any = client.describe_configs(asked, config_filter="all") if asked else {"topic": {}}
    settings: dict[str, dict[str, dict[str, str]]] = told["topic"]
    found: dict[str, Standing | Difference] = {}
    for one in topics:
        name: str = one["name"]
        if one["error_code"]:
            found[name] = _absent(config, name, one["error_code"])
            continue
        of_it = settings.get(name)  # empty if DESCRIBE_CONFIGS is denied
        found[name] = Standing(
            len(one["partitions"]),
            min((len(part["replica_nodes"]) for part in one["partitions"]), default=0),
            frozenset(one["authorized_operations"]),
            {key: value["value"] for key, value in of_it.items()} if of_it else None,
        )
    return found


def able(config: KafkaConfig, name: str, right: str) -> Standing:
    """What the broker has of a topic. Unavailable, with the mend, if it is missing or denied."""
    client = admin(config)
    try:
        state = standing(client, config, [name])[name]
    finally:
        client.close()
    if isinstance(state, Difference):
        what = f"topic {name} is missing" if state.what == "is missing" else state.what
        raise Unavailable(f"{what}; {state.mend}")
    if right not in state.rights:
        raise lacks(config, right, name)
    return state


def _compared(
    config: KafkaConfig, plan: Plan, state: Standing | Difference
) -> Iterator[Difference]:
    if not isinstance(state, Standing):
        yield state
        return
    name = plan.name
    raw = name.startswith(config.prefix + RAW)  # others write it: how it is made is theirs to say
    yield from _rights(config, name, state, ("READ",) if raw else ("READ", "WRITE"))
    if raw:
        return
    if state.partitions != plan.partitions:
        mend = (
            f"keys would change their places: set kafka.partitions = {state.partitions}, "
            "or take a new kafka.prefix"
            if plan.partitions == config.partitions
            else "delete it and run barograph topics create"
        )
        yield Difference(name, f"has {state.partitions} partitions, not {plan.partitions}", mend)
    if state.replication < config.replication:
        yield Difference(
            name,
            f"has replication {state.replication}, not {config.replication}",
            "kafka-reassign-partitions.sh adds some, or set kafka.replication",
        )
    if state.settings is None:
        what = str(lacks(config, "DESCRIBE_CONFIGS", name)).partition("; ")
        yield Difference(name, f"{what[0]}: its settings are not compared", what[2], hint=True)
        return
    for key, wanted in plan.settings.items():
        is_ = state.settings.get(key, "unset")
        enough = key == "max.message.bytes" and is_.isdecimal() and int(is_) >= int(wanted)
        if is_ != wanted and not enough:
            yield Difference(
                name,
                f"has {key}={is_}, not {wanted}",
                _alter(config, name, f"{key}={wanted}"),
                hint=key in _TUNING,
            )


def _rights(
    config: KafkaConfig, name: str, state: Standing, needed: Sequence[str]
) -> Iterator[Difference]:
    for right in needed:
        if right not in state.rights:
            what, _, mend = str(lacks(config, right, name)).partition("; ")
            yield Difference(name, what, mend)


def _absent(config: KafkaConfig, name: str, code: int) -> Difference:
    if code == _DENIED:
        what, _, mend = str(lacks(config, "DESCRIBE", name)).partition("; ")
        return Difference(name, what, mend)
    if code == _UNKNOWN:
        return Difference(name, "is missing", _made_by(config, name))
    return Difference(name, f"answers with error {code}", "look at the broker's log")


def _made_by(config: KafkaConfig, name: str) -> str:
    if name.startswith(config.prefix + RAW):
        source = next((one for one in names() if config.prefix + raw(one) == name), None)
        if source is None:
            return "no source is called so: mend its name, or make it and name it in [[input]]"
        return shlex.join(("barograph", "topics", "create", "--raw", source))
    ours = name.startswith(config.prefix)
    return "barograph topics create" if ours else "make it, or mend its name"


def _refused(config: KafkaConfig, name: str, code: int, told: str | None) -> Unavailable:
    if code in (_DENIED, _DENIED_CLUSTER):
        return lacks(config, "CREATE", name)
    mend = "mend kafka.replication" if code == _REPLICATION else "mend that and try again"
    return Unavailable(
        f"the broker does not make topic {name}: {(told or f'error {code}').rstrip('.')}; {mend}"
    )


def _alter(config: KafkaConfig, name: str, setting: str) -> str:
    words = ("kafka-configs.sh", "--bootstrap-server", config.bootstrap, "--alter")
    return shlex.join((*words, "--topic", name, "--add-config", setting))
