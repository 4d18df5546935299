"""Permission: the first right on a topic that a worker needs and does not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from schemas.topics import RAW, TOPICS, deployment, raw
from streams.kafka.connection import admin, answering, lacks
from streams.kafka.topics import Difference, Standing, standing
from streams.source import names

_MISSING: Final = "is missing"  # what `standing` says of a topic that nobody has made


def permitted(config: KafkaConfig, levels: int, inputs: Iterable[str]) -> None:
    """Return if a worker has all rights on the topics that are there. Blocks.

    `levels` of correlations; `inputs`: topics of `[[input]]`, without any the raw topics of all
    sources. Raises Unavailable, with the mend, for the first right that is missing.
    """
    inputs = list(inputs)
    raws = [] if inputs else [config.prefix + raw(name) for name in names()]
    ours = [plan.name for plan in deployment(config, levels)]
    found = _standing(config, [*ours, *inputs, *raws])
    denied = _first(config, {name: found[name] for name in (*ours, *inputs)})
    if denied is None and not any(isinstance(found[name], Standing) for name in raws):
        # Of what we may not see nobody says whether it is there.
        if any(_hidden(found[name]) for name in raws):
            denied = lacks(config, "READ", f"{config.prefix}{RAW}*")
    elif denied is None:
        denied = _first(config, {n: found[n] for n in raws if isinstance(found[n], Standing)})
    if denied is not None:
        raise denied


def lacking(config: KafkaConfig, topics: Iterable[str] = ()) -> Unavailable | None:
    """What to raise for the first of `topics` with a right missing; None if there is none. Blocks.

    Without `topics` it is asked for all of ours. Raises Unavailable if no broker answers.
    """
    return _first(config, _standing(config, list(topics)))


def _standing(config: KafkaConfig, topics: list[str]) -> Mapping[str, Standing | Difference]:
    client = admin(config)
    try:
        if not topics:
            with answering(config):
                there: list[str] = client.list_topics()
            topics = [config.prefix + one.name for one in TOPICS]
            topics += [one for one in there if one.startswith(config.prefix) and one not in topics]
        return standing(client, config, topics)
    finally:
        client.close()


def _first(config: KafkaConfig, found: Mapping[str, Standing | Difference]) -> Unavailable | None:
    for name, state in found.items():
        ours = name.startswith(config.prefix) and not name.startswith(config.prefix + RAW)
        needed = ("READ", "WRITE") if ours else ("READ",)
        if isinstance(state, Standing):
            missing = [right for right in needed if right not in state.rights]
            if missing:
                return lacks(config, " and ".join(missing), name)
        elif _hidden(state):
            # Of the topics of others a worker needs READ, of which DESCRIBE is a part.
            return (
                Unavailable(f"{state.what}; {state.mend}") if ours else lacks(config, "READ", name)
            )
    return None


def _hidden(state: Standing | Difference) -> bool:
    return isinstance(state, Difference) and state.what != _MISSING
