"""Rights: the least that a user of the brokers needs, as commands that grant it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from schemas.config import KafkaConfig
from schemas.topics import ALERTS, DEAD_LETTERS, FINDINGS, HISTORY, RAW, deployment, raw

Role = Literal["worker", "sink", "producer", "creator", "replayer"]
SINKS_READ: Final = (FINDINGS, ALERTS, HISTORY, DEAD_LETTERS)


def grants(
    config: KafkaConfig,
    levels: int,
    user: str,
    role: Role,
    sources: Iterable[str] = (),
    inputs: Iterable[str] = (),
) -> Iterator[str]:
    """The `kafka-acls.sh` commands that let `user` be a `role`; READ and WRITE imply DESCRIBE.

    worker: all stages and sinks. sink: takes results on. producer: writes raw topics, those of
    `sources` or all. creator: `topics create` and `check`. replayer: `dead-letters replay`.
    `inputs`: topics with names of their own that a worker reads.
    """

    def allow(rights: str, *resources: str) -> str:
        words = ["kafka-acls.sh", "--bootstrap-server", config.bootstrap, "--add"]
        words += ["--allow-principal", f"User:{user}"]
        for right in rights.split():
            words += ["--operation", right]
        return shlex.join([*words, *resources])

    prefix, sources = config.prefix, tuple(dict.fromkeys(sources))
    raws = _named(prefix + raw(name) for name in sources) or _starting("--topic", prefix + RAW)
    if role == "worker":
        ours = _named(plan.name for plan in deployment(config, levels))
        yield allow("READ WRITE DESCRIBE_CONFIGS", *ours)
        yield allow("READ", *raws)
        if own := _named(inputs):
            yield allow("READ", *own)
        yield allow("READ", *_starting("--group", prefix))
        yield allow("WRITE", *_starting("--transactional-id", prefix))
    elif role == "sink":
        yield allow("READ", *_named(prefix + name for name in SINKS_READ))
        yield allow("READ", *_starting("--group", f"{prefix}sink."))
    elif role == "producer":
        yield allow("WRITE", *raws)
    elif role == "replayer":
        yield allow("READ WRITE", *_named([prefix + DEAD_LETTERS, *inputs]))
        yield allow("READ WRITE", *raws)
        yield allow("WRITE", "--transactional-id", f"{prefix}{DEAD_LETTERS}-replay")
    else:
        yield allow("CREATE DESCRIBE DESCRIBE_CONFIGS", *_starting("--topic", prefix))


def _named(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in ("--topic", name)]


def _starting(option: str, prefix: str) -> list[str]:
    if not prefix:
        return [option, "*"]
    return [option, prefix, "--resource-pattern-type", "prefixed"]
