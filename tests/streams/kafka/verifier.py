"""Verifier: what the topics of a finished deployment say, read as a stranger would read them.

Nothing of the engine is used here: a Kafka client, JSON, and the topics, keys and headers that the
documentation names. Who wants to know whether a deployment lost or doubled anything needs no more.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple, cast

import kafka

_KAFKA: Final = cast("Any", kafka)  # ships no types

BETWEEN: Final = ("signals", "facts", "inventory", "membership", "attach", "assess")
REVISED: Final = ("findings", "alerts")
OURS: Final = (*BETWEEN, *REVISED, "history", "dead-letters")
# Said once for each record that came in; the other results are states, of which the newest counts.
ONCE: Final = frozenset({"event", "late", "signal", "reject"})
OPEN: Final = 120.0  # seconds; brokers abort what a dead worker has left open long before

Said = tuple[str, str, str]  # topic with kind or level, key, and a digest of the rest or an id


class Revision(NamedTuple):
    """One appearance of a finding or an alert, and its place, for who has to look for it."""

    number: int
    state: str
    sha256: str
    place: str


class Story:
    """What lies under a `prefix`, told without it, so that two deployments can be compared.

    `inputs`: origins of the records that came in; `unread`: how many of them the consumer group of
    the first stage has not passed. `once`: how often each thing was said that is said once for each
    record that came in. `newest`: what was said last by topic, key and id, None if it was taken
    back. `revisions`: of findings and alerts, in order. `backwards`: Ticks after later ones.
    `aborted`: records of transactions that failed, which no reader sees. `written`: by raw
    partition the wall-clock milliseconds at which something of its records was written.
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.inputs: set[str] = set()
        self.once: Counter[Said] = Counter()
        self.newest: dict[Said, str | None] = {}
        self.revisions: defaultdict[tuple[str, str], list[Revision]] = defaultdict(list)
        self.counts: Counter[str] = Counter()
        self.backwards: list[str] = []
        self.written: defaultdict[str, list[int]] = defaultdict(list)
        self._watermarks: dict[tuple[str, int, str, int], int] = {}
        self._prefix = prefix
        ours = [prefix + name for name in OURS]
        with (
            closing(_client(bootstrap, "read_committed", f"{prefix}ingest")) as committed,
            closing(_client(bootstrap, "read_uncommitted")) as all_,
        ):
            raw = sorted(name for name in committed.topics() if name.startswith(f"{prefix}raw."))
            places = _places(committed, [*raw, *ours])
            _settled(committed, all_, places)
            for record in _records(committed, places):
                self._take(record)
            self.unread = sum(
                end - (committed.committed(place) or 0)
                for place, end in committed.end_offsets(_places(committed, raw)).items()
            )
            seen = sum(count for name, count in self.counts.items() if name != "raw")
            self.aborted = sum(1 for _ in _records(all_, _places(all_, ours))) - seen

    @property
    def final(self) -> dict[tuple[str, str], set[str]]:
        """The body_sha256 with which each finding and alert was final; one, if all is well."""
        return {
            name: {one.sha256 for one in found if one.state == "final"}
            for name, found in self.revisions.items()
            if found[-1].state == "final"
        }

    def _take(self, record: Any) -> None:  # noqa: ANN401 - a ConsumerRecord
        topic = record.topic.removeprefix(self._prefix)
        if topic.startswith("raw."):
            self.inputs.add(f"kafka:{topic}/{record.partition}/{record.offset}")
            self.counts["raw"] += 1
            return
        if topic in BETWEEN and not record.headers:
            self.counts[f"{topic} of strangers"] += 1
            return
        kind = {name: value.decode() for name, value in record.headers}
        schema, state = kind.get("barograph-schema", ""), kind.get("barograph-state", "")
        key = self._text(record.key)
        body = json.loads(self._text(record.value))
        self.counts[f"{topic} {schema}"] += 1
        if schema == "tick":
            self._tick(topic, record.partition, body)
        elif topic in REVISED:
            meta = body["meta"]
            place = f"{record.partition}/{record.offset} at {record.timestamp}"
            one = Revision(meta["revision"], meta["state"], body["body_sha256"], place)
            self.revisions[topic, body["id"]].append(one)
        elif topic in BETWEEN:
            level = f"{topic} {body['level']}"
            gone = schema == "delete"
            self.newest[level, key, body["id"]] = None if gone else _digest(body)
            if level in ("signals 0", "facts 0"):
                self.once[level, key, _digest(body)] += 1
        elif schema in ONCE:
            self.once[f"{topic} {schema}", key, _digest(body)] += 1
            origin = body["evidence"]["origin"] if schema == "event" else body.get("origin", "")
            self.written[origin.rpartition("/")[0]].append(record.timestamp)
        else:
            gone = state == "withdrawn"
            self.newest[f"{topic} {schema}", key, ""] = None if gone else _digest(body)

    def _text(self, data: bytes | None) -> str:
        return (data or b"").decode().replace(self._prefix, "")

    def _tick(self, topic: str, partition: int, body: dict[str, Any]) -> None:
        place = (topic, partition, body["input"], body["level"])
        before = self._watermarks.get(place, body["watermark"])
        if body["watermark"] < before:
            self.backwards.append(f"{topic}/{partition}: {body} after {before}")
        self._watermarks[place] = body["watermark"]


class Verdict(NamedTuple):
    """A story held against that of an undisturbed deployment with the same records.

    `lost`, `doubled`: how many things are said too rarely or too often. `repeated`: revisions that
    are given out again with the same number and content, which is allowed. `problems`: all that
    must not be, in words.
    """

    lost: int
    doubled: int
    repeated: int
    problems: list[str]


def judged(story: Story, calm: Story, want: Mapping[tuple[str, str], str]) -> Verdict:
    """Hold a story against a calm one; `want`: body_sha256 of final results by topic and id."""
    problems: list[str] = []
    if story.inputs != calm.inputs:
        problems.append(f"{len(story.inputs)} records came in, {len(calm.inputs)} were to")
    if story.unread:
        problems.append(f"{story.unread} records were not read")
    lost, doubled = calm.once - story.once, story.once - calm.once
    problems += [f"lost {count} of {said}" for said, count in _grouped(lost)]
    problems += [f"doubled {count} of {said}" for said, count in _grouped(doubled)]
    differing = Counter(
        {
            said: 1
            for said in story.newest.keys() | calm.newest.keys()
            if story.newest.get(said) != calm.newest.get(said)
        }
    )
    problems += [f"{count} of {said} end otherwise" for said, count in _grouped(differing)]
    problems += [f"Ticks go back: {tick}" for tick in story.backwards]
    repeated, twice = 0, 0
    for name, found in story.revisions.items():
        for before, after in pairwise(found):
            same = after[:-1] == before[:-1]
            repeated += same
            twice += after.number == before.number and not same
            if after.number <= before.number and not same:
                problems.append(f"{name}: revision {after} after {before}")
    final = story.final
    problems += [f"{name} was final as {found}" for name, found in final.items() if len(found) > 1]
    got = {name: min(found) for name, found in final.items()}
    if got != {name: min(found) for name, found in calm.final.items()}:
        problems.append("the final results are not those of the undisturbed deployment")
    if got != want:
        problems.append("the final results are not those of the replay")
    return Verdict(lost.total(), doubled.total() + twice, repeated, problems)


def _grouped(said: Counter[Said]) -> list[tuple[str, int]]:
    found = Counter[str]()
    for (topic, _, _), count in said.items():
        found[topic] += count
    return sorted(found.items())


def _digest(body: object) -> str:
    return sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def _client(bootstrap: str, isolation: str, group: str | None = None) -> Any:  # noqa: ANN401
    return _KAFKA.KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        group_id=group,
        isolation_level=isolation,
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=8 * 2**20,
    )


def _places(consumer: Any, topics: Sequence[str]) -> list[Any]:  # noqa: ANN401
    return [
        _KAFKA.TopicPartition(topic, partition)
        for topic in topics
        for partition in sorted(consumer.partitions_for_topic(topic))
    ]


def _settled(committed: Any, all_: Any, places: Sequence[Any]) -> None:  # noqa: ANN401
    """Wait until no transaction is open in these partitions."""
    end = time.monotonic() + OPEN
    while committed.end_offsets(places) != all_.end_offsets(places):
        if time.monotonic() > end:
            raise AssertionError("a transaction stays open")
        time.sleep(0.2)


def _records(consumer: Any, places: Sequence[Any]) -> Iterator[Any]:  # noqa: ANN401
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends = consumer.end_offsets(places)
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(200, max_records=5_000).values():
            yield from records
