"""Rereading: the hashes of raw records, as they lie in files and topics now."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from schemas.config import Config, Encoding, KafkaConfig
from schemas.errors import Mistake
from streams.source import Unreadable, named
from streams.trace import Message, hashes, message_hashes, place


class Recorded(NamedTuple):
    """Where the raw record of an event lies, and the name of the source that read it."""

    origin: str
    source: str


class Reread(NamedTuple):
    """The hash of a record now, or None and why; `deleted`: its topic has it no longer."""

    sha256: str | None
    problem: str = ""
    deleted: bool = False


class _Document(NamedTuple):
    """A file (its path) or a message, as one source reads it."""

    lies: str | Message
    source: str


_Numbered = Mapping[int, Recorded]  # records by their number in a document


def reread(records: Collection[Recorded], root: Path, config: Config) -> dict[Recorded, Reread]:
    """The hash of each record, or why there is none. Relative paths start at `root`.

    Every file is read once, and every topic, from the brokers of `config`. Unavailable if none of
    these answers.
    """
    found: dict[Recorded, Reread] = {}
    documents: dict[_Document, dict[int, Recorded]] = {}
    for record in set(records):
        try:
            lies, number = place(record.origin)
        except Mistake as error:
            found[record] = Reread(None, str(error))
        else:
            documents.setdefault(_Document(lies, record.source), {})[number] = record
    messages: dict[Message, dict[str, _Numbered]] = {}
    for (lies, source), records_of in documents.items():
        if isinstance(lies, Message):
            messages.setdefault(lies, {})[source] = records_of
        else:
            found.update(_of_file(root / lies, source, records_of, config))
    if messages and config.kafka is not None:
        found.update(asyncio.run(_of_topics(messages, config, config.kafka)))
    elif messages:
        problem = "lies in a topic; name its brokers in [kafka] of the configuration (--config)"
        for by_source in messages.values():
            for numbered in by_source.values():
                found.update(_all(numbered, problem))
    return found


def _of_file(
    path: Path, source: str, numbered: _Numbered, config: Config
) -> Iterator[tuple[Recorded, Reread]]:
    try:
        now = hashes(path, numbered, config.limits, named(source))
    except Mistake as error:
        yield from _all(numbered, f"cannot be read: {error}")
    else:
        yield from _each(numbered, now)


async def _of_topics(
    wanted: Mapping[Message, Mapping[str, _Numbered]], config: Config, kafka: KafkaConfig
) -> dict[Recorded, Reread]:
    # Only here: who has only files need not wait until Kafka's clients are imported.
    from streams.kafka.encoding import document  # noqa: PLC0415
    from streams.kafka.messages import Deleted, messages  # noqa: PLC0415

    encodings: dict[str | None, Encoding] = {
        one.topic: one.encoding for one in config.input if one.kind == "kafka"
    }
    found: dict[Recorded, Reread] = {}
    async for message, held in messages(kafka, wanted):
        for source, numbered in wanted[message].items():
            if not isinstance(held, bytes):
                found.update(_all(numbered, held.reason, deleted=isinstance(held, Deleted)))
                continue
            try:
                whole = document(held, encodings.get(message.topic, "json"))
                now = message_hashes(whole, numbered, config.limits, named(source))
            except (Mistake, Unreadable) as error:
                found.update(_all(numbered, f"cannot be read: {error}"))
            else:
                found.update(_each(numbered, now))
    return found


def _each(numbered: _Numbered, now: Mapping[int, str]) -> Iterator[tuple[Recorded, Reread]]:
    for number, record in numbered.items():
        problem = "" if number in now else f"{record.origin} is gone"
        yield record, Reread(now.get(number), problem)


def _all(
    numbered: _Numbered, problem: str, *, deleted: bool = False
) -> Iterator[tuple[Recorded, Reread]]:
    for record in numbered.values():
        yield record, Reread(None, f"{record.origin} {problem}", deleted)
