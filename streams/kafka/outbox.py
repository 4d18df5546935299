"""Outbox: the topics of results as one sink's courier sees them; each sink has its own place there.

Guarantee: every result of the sink's kinds is handed out at least once, those of one id in order;
behind a kill, a rebalance or a broker that was away come those again that were handed out but not
yet saved as taken. The topics are the buffer: who is away delays only itself, and evicts nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from threading import Condition
from typing import Any, Final, NamedTuple, cast

import kafka
import msgspec
from kafka import errors

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from schemas.rows import Result, ResultKind
from streams.kafka.connection import lacks, reach, sync
from streams.kafka.place_file import PlaceFile
from streams.kafka.wire import SCHEMA, result_of, topic_of

LOOK: Final = 5_000  # records that are fetched at once
# What a receiver of one request per result takes in one step. Partitions do not move during a step,
# so the broker must wait for the slowest: each request at its usual timeout of 10 s.
STEP: Final = 100
STEP_MS: Final = 20 * 60_000
MANY: Final = 10_000  # records without a result for this sink, after which its place is saved too
FETCH_BYTES: Final = 16 * 2**20
POLL_MS: Final = 200  # for a look that finds nothing
ANSWER_MS: Final = 3_000  # for an answer of a broker that is there
PROBE: Final = 1.0  # seconds between two questions where the topics end
AGAIN: Final = (1.0, 30.0)  # seconds between two attempts to connect: at first, at most
REPLACED: Final = frozenset(("alert", "finding"))  # kinds whose topics keep the newest by id

# Ships no types.
_KAFKA: Final = cast("Any", kafka)
_ERRORS: Final = cast("Any", errors)


class _Waiting(NamedTuple):
    """A record that was fetched: `place` is its partition, `behind` the offset after it."""

    sequence: int
    place: Any
    behind: int
    size: int
    result: Result | None


class TopicOutbox:
    """The Outbox of one Courier, in whose thread all is called but `backlog` and `problem`.

    A remote sink is a consumer group, `<prefix>sink.<name>`: its members share the partitions. What
    a `local` one writes is on this machine: each worker that has one reads everything, and its
    places are in `<folder>/sink-<name>.json` with the sink's bookmark, both or neither. A sink that
    is new, or has lost that file, begins with the oldest record.

    A receiver that fell behind by more than a step gets of each alert and finding only the newest
    revision among those that were fetched together: what Kafka's compaction does, but sooner. The
    newest says all: `resolved`, `expired` and `withdrawn` come last in the life of an id and so
    replace, and are never replaced by what came before them. One who has kept up gets each revision.

    Sequences are running numbers of this process. `passed` counts records that are no results,
    `lost` those that were deleted by age before this local sink had taken them.
    """

    def __init__(
        self, config: KafkaConfig, name: str, kinds: Collection[str], folder: Path, *, local: bool
    ) -> None:
        """Connects to nothing yet. Mistake if the file of a local sink is damaged."""
        self.problem: str | None = None
        self.passed = self.lost = 0
        self._config, self._kinds = config, frozenset(kind.encode() for kind in kinds)
        self._topics = sorted({config.prefix + topic_of(cast("ResultKind", k)) for k in kinds})
        self._group = None if local else f"{config.prefix}sink.{name}"
        self._file = PlaceFile(folder / f"sink-{name}.json") if local else None
        self._bookmark: Any = None
        self._taken: dict[Any, int] = {}  # place -> offset; of a group: what is not committed yet
        if self._file is not None:
            saved, self._bookmark = self._file.read()
            self._taken = {_place(key): offset for key, offset in saved.items()}
        self._consumer: Any = None
        self._waiting: deque[_Waiting] = deque()
        self._sequence = self._done = 0
        self._unsaved = self._assigned = False
        self._since_saved = 0
        self._lag = 1
        self._probed = self._asked = 0.0
        self._answered = Condition()
        self._wait, self._not_before = AGAIN[0], 0.0

    def newest(self) -> int:
        """The sequence of the newest result at hand, after a look at the topics.

        Keeps the place in the group: to be called every few seconds, also while nothing is taken.
        """
        try:
            if self._connected():
                if self._unsaved:
                    self._save()
                self._look()
        except (Unavailable, _ERRORS.KafkaError) as error:
            self._failed(error)
        if self._unsaved or not self._waiting:
            return self._done
        return self._waiting[-1].sequence

    def outbox(
        self,
        after: int,
        limit: int,
        kinds: Collection[str] | None = None,
        limit_bytes: int = 2**62,
    ) -> list[tuple[int, Result]]:
        """At most `limit` results behind `after`, of those at hand; a remote sink gets few.

        None while the broker cannot save what was taken before: that would come twice.
        """
        batch: list[tuple[int, Result]] = []
        if self._unsaved:
            return batch
        size = 0
        for sequence, _, _, length, result in self._waiting:
            if result is None or sequence <= after or (kinds and result.kind not in kinds):
                continue
            size += length
            if len(batch) == (limit if self._group is None else min(limit, STEP)) or (
                batch and size > limit_bytes
            ):
                break
            batch.append((sequence, result))
        return batch

    def cursor(self, sink: str) -> int:  # noqa: ARG002 - there is one sink
        """The sequence up to which everything is taken."""
        return self._done

    def bookmark(self, sink: str) -> Any:  # noqa: ANN401, ARG002 - JSON; there is one sink
        """What a local sink gave last. A remote one has none: its partitions move."""
        return self._bookmark

    def backlog(self, sink: str) -> int:  # noqa: ARG002 - there is one sink
        """How many records wait here for this sink, those of other kinds among them; 0 is exact.

        From any thread; waits until the courier has asked the broker, or for a while.
        """
        with self._answered:
            now = self._asked = time.monotonic()
            known = self._answered.wait_for(lambda: self._probed >= now, ANSWER_MS / 1000)
        return max(len(self._waiting) + self._lag, 0 if known else 1)

    def advance(self, sink: str, sequence: int, bookmark: Any = None) -> None:  # noqa: ANN401, ARG002 - JSON; there is one sink
        """Everything up to `sequence` is taken.

        What the broker or the disk cannot save now is saved later, before more is handed out.
        """
        due = False
        while self._waiting and self._waiting[0].sequence <= sequence:
            one = self._waiting.popleft()
            self._taken[one.place] = one.behind
            due |= one.result is not None
            self._since_saved += 1
        self._done, self._bookmark = max(self._done, sequence), bookmark
        if due or self._since_saved >= MANY:
            self._unsaved = True
            try:
                self._save()
            except (Unavailable, _ERRORS.KafkaError) as error:
                self._failed(error)

    def close(self) -> None:
        """Save the place, leave the group."""
        with contextlib.suppress(Unavailable, _ERRORS.KafkaError):
            if self._since_saved:
                self._save()
        self._drop()

    # -- the place

    def _save(self) -> None:
        if self._file is not None:
            saved = {f"{place.topic}/{place.partition}": n for place, n in self._taken.items()}
            self._file.write(saved, self._bookmark)
        elif self._consumer is not None and self._taken:
            offsets = {p: _KAFKA.OffsetAndMetadata(n, "", -1) for p, n in self._taken.items()}
            try:
                self._consumer.commit(offsets, timeout_ms=ANSWER_MS)
            except _ERRORS.CommitFailedError:
                self._forget(self._taken)  # they are another member's by now, and come again
            self._taken.clear()
        self._unsaved, self._since_saved = False, 0

    def _forget(self, places: Iterable[Any]) -> None:
        """These partitions were revoked: whoever has them next begins behind what was saved."""
        gone = set(places)
        self._waiting = deque(one for one in self._waiting if one.place not in gone)
        for place in gone:
            self._taken.pop(place, None)
        self._unsaved = self._unsaved and bool(self._taken)

    # -- the broker

    def _connected(self) -> bool:
        if self._consumer is not None:
            return True
        if time.monotonic() < self._not_before:
            return False
        asyncio.run(reach(self._config))  # kafka-python would not say why it cannot connect
        self._consumer = _KAFKA.KafkaConsumer(
            **sync(self._config),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=STEP_MS,
            fetch_max_wait_ms=100,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=min(self._config.message_bytes, FETCH_BYTES),
            reconnect_backoff_max_ms=2_000,
            metadata_max_age_ms=60_000,
        )
        if self._group is None:
            self._assign()
        else:
            listener = _Listener(self._forget, self._begin)
            self._consumer.subscribe(self._topics, listener=listener)
        return True

    def _assign(self) -> None:
        places = self._places()
        firsts = self._consumer.beginning_offsets(places, timeout_ms=ANSWER_MS)
        ends = self._consumer.end_offsets(places, timeout_ms=ANSWER_MS)
        known = self._taken
        if known.keys() - set(places) or any(known.get(p, 0) > ends[p] for p in places):
            raise Unavailable(
                f"{self._file} holds places in other topics than those of {self._config.prefix} at"
                f" {self._config.bootstrap}; move it away, and the sink begins with the oldest"
                " record"
            )
        self._consumer.assign(places)
        for place in places:
            # Absent: nothing of this partition was ever taken, so nothing that it held is lost.
            self.lost += max(0, firsts[place] - known.get(place, firsts[place]))
            self._consumer.seek(place, max(firsts[place], known.get(place, 0)))
        self._begin(places)

    def _begin(self, _: object) -> None:
        self._assigned = True

    def _places(self) -> list[Any]:
        counts = range(self._config.partitions)
        return [_KAFKA.TopicPartition(topic, n) for topic in self._topics for n in counts]

    def _look(self) -> None:
        """Fetch more once all is taken; until then only stay in the group."""
        consumer = self._consumer
        if self._waiting:
            consumer.pause(*consumer.assignment())
        else:
            consumer.resume(*consumer.paused())
        found = consumer.poll(0 if self._waiting else POLL_MS, max_records=LOOK)
        self._fetched(found)
        due = self._asked > self._probed or time.monotonic() > self._probed + PROBE
        if due or self.problem is not None:
            self._probe()
        self._wait, self.problem = AGAIN[0], None

    def _fetched(self, found: Mapping[Any, list[Any]]) -> None:
        results = 0
        for place, records in found.items():
            for record in records:
                self._sequence += 1
                result = self._result(record)
                results += result is not None
                size = len(record.value or b"")
                one = _Waiting(self._sequence, place, record.offset + 1, size, result)
                self._waiting.append(one)
        if self._group is not None and results > STEP:
            self._waiting = _newest(self._waiting)

    def _result(self, record: Any) -> Result | None:  # noqa: ANN401 - a ConsumerRecord
        """The result for this sink, if the record is one."""
        kind = dict(record.headers).get(SCHEMA)
        result = None
        if kind is None or kind in self._kinds:
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                result = result_of(
                    record.key, record.value, record.headers, record.timestamp * 1000
                )
            self.passed += result is None
        return result

    def _probe(self) -> None:
        """Ask where the topics end, and so whether the broker is there at all."""
        began = time.monotonic()
        mine = list(self._consumer.assignment())
        ends = self._consumer.end_offsets(mine or self._places()[:1], timeout_ms=ANSWER_MS)
        lag = 0 if self._assigned else 1
        for place in mine:
            position = self._consumer.position(place, timeout_ms=0)
            lag += 1 if position is None else max(0, ends[place] - position)
        with self._answered:
            self._lag, self._probed = lag, began
            self._answered.notify_all()

    def _failed(self, error: Exception) -> None:
        """Say why; a client that only waits for its broker is kept, and finds back by itself."""
        self.problem = self._sentence(error)
        if self._consumer is None or not isinstance(error, Unavailable | _ERRORS.RetriableError):
            self._drop()
            self._not_before = time.monotonic() + self._wait
            self._wait = min(2 * self._wait, AGAIN[1])

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, Unavailable):
            return str(error)
        if isinstance(error, _ERRORS.TopicAuthorizationFailedError):
            named = error.args[0] if error.args else self._topics
            return str(lacks(self._config, "READ", ", ".join(sorted(named))))
        if isinstance(error, _ERRORS.GroupAuthorizationFailedError):
            user = self._config.username
            return (
                f"{f'user {user}' if user else 'this client'} lacks READ on group {self._group};"
                f" barograph topics rights {user or 'USER'} names all that it needs"
            )
        try:
            asyncio.run(reach(self._config))
        except Unavailable as reason:
            return str(reason)
        said = str(error) or type(error).__name__
        topics = ", ".join(self._topics)
        return (
            f"the Kafka broker at {self._config.bootstrap} gives nothing of {topics} ({said}); it"
            " is tried again"
        )

    def _drop(self) -> None:
        """Close the client; what was fetched and not taken is fetched again."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(_ERRORS.KafkaError, OSError):
                consumer.close(autocommit=False, timeout_ms=ANSWER_MS)
        self._waiting.clear()
        self._assigned = False
        if self._group is not None:
            self._forget(list(self._taken))


class _Listener(_KAFKA.ConsumerRebalanceListener):  # type: ignore[misc] # kafka-python ships no types
    """Called during `poll` only: no batch is with the sink then."""

    def __init__(
        self, revoked: Callable[[Iterable[Any]], None], assigned: Callable[[object], None]
    ) -> None:
        self.on_partitions_revoked = revoked
        self.on_partitions_assigned = assigned
