"""Problems: what the brokers refuse, as one sentence: who, what, where, the mend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final, cast

from aiokafka import errors
from kafka.errors import KafkaError

from schemas.config import KafkaConfig
from schemas.errors import Mistake, Unavailable
from streams.kafka.connection import lacks, reach, refuses
from streams.kafka.permission import lacking

BROKERS: Final = (errors.KafkaError, errors.IllegalOperation, KafkaError)  # of both libraries
# Codes of the Kafka protocol, which the errors of both libraries have.
_TOPIC_DENIED: Final = 29
_DENIED: Final = {
    30: ("READ", "group"),
    31: ("IDEMPOTENT_WRITE", "cluster"),
    53: ("WRITE", "transactional id"),
}
_LARGE: Final = frozenset((10, 18))
_UNKNOWN, _LOGIN = 3, 58
# A producer that was fenced says one of these, and so does one that was denied a topic in the midst
# of its transaction.
_BROKEN: Final = frozenset((47, 48, 49, 90))
_FENCED: Final = (errors.ProducerFenced, errors.IllegalOperation)


def sentence(error: BaseException, config: KafkaConfig) -> str:
    """What went wrong. Where the library does not say which right is missing, it asks the brokers.

    It blocks for that; a coroutine calls it by `asyncio.to_thread`.
    """
    chain = list(_chain(error))
    said = next((said for one in chain if (said := _said(one, config)) is not None), None)
    if said is not None:
        return said
    if any(isinstance(one, _FENCED) or _code(one) in _BROKEN for one in chain):
        return _overtaken(error, config)
    if isinstance(error, Unavailable | Mistake):
        return str(error)
    if any(isinstance(one, BROKERS) for one in chain):
        try:
            asyncio.run(reach(config))  # the libraries do not say why they cannot connect
        except Unavailable as away:
            return str(away)
    if isinstance(error, TimeoutError):
        return f"the Kafka broker at {config.bootstrap} takes too long to answer"
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _said(error: BaseException, config: KafkaConfig) -> str | None:
    """The sentence of an error that has one whatever it comes from."""
    code, names = _code(error), _names(error)
    if code == _TOPIC_DENIED:
        return _denied(names, config)
    if code in _DENIED:
        right, kind = _DENIED[code]
        name = "kafka-cluster" if kind == "cluster" else ", ".join(names) or f"{config.prefix}*"
        return str(lacks(config, right, name, kind))
    if code in _LARGE or isinstance(error, errors.RecordTooLargeError):
        return (
            f"a record is larger than a topic of {config.prefix} takes, which is"
            f" {config.message_bytes} bytes by kafka.message_bytes; raise that, and"
            " `barograph topics check` names the topics to be altered"
        )
    if code == _UNKNOWN:
        topics = ", ".join(names) or f"a topic of {config.prefix}"
        return f"{topics} is missing; `barograph topics check` names all that are"
    if code == _LOGIN or isinstance(error, errors.AuthenticationFailedError):
        return str(refuses(config, config.bootstrap))
    return None


def _denied(topics: list[str], config: KafkaConfig) -> str:
    """The library knows the topic, or not even that; the right is the brokers' to say."""
    said = ", ".join(topics)
    try:
        found = lacking(config, topics)
    except Unavailable:
        found = lacks(config, "READ or WRITE", said or f"{config.prefix}*")
    return str(found or f"{said or config.prefix} was denied, and is not any more")


def _overtaken(error: BaseException, config: KafkaConfig) -> str:
    try:
        denied = lacking(config)
    except Unavailable as reason:
        return str(reason)
    if denied is not None:
        return str(denied)
    if isinstance(error, Unavailable):
        return str(error)
    return "another worker has taken over, or a transaction took too long"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, nearest first."""
    one: BaseException | None = error
    seen: set[int] = set()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _code(error: BaseException) -> int | None:
    return getattr(error, "errno", None) if isinstance(error, BROKERS) else None


def _names(error: BaseException) -> list[str]:
    """What the error is about; its libraries put a name there, or a set of some."""
    found: set[str] = set()
    for one in error.args:
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, set | list):
            found.update(map(str, cast("Iterable[object]", one)))
    return sorted(name for name in found if " " not in name)
