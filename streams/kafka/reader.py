"""Reader: the topics of results for one sink, by a client that finds back to its broker by itself.

What it cannot do it says as Unavailable, in one sentence; the same call later tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import kafka
from kafka import errors

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from streams.kafka.connection import begun, lacks, reach, sync

LOOK: Final = 5_000  # records of one fetch, at most
FETCH_BYTES: Final = 16 * 2**20
# Partitions do not move while a sink writes a batch, so the group waits for the slowest: a hundred
# requests at their usual timeout of 10 s.
STEP_MS: Final = 20 * 60_000
POLL_MS: Final = 200  # for a fetch that finds nothing
ANSWER_MS: Final = 3_000  # for an answer of a broker that is there
# Seconds without partitions until the group is left and joined anew. kafka-python does not end a
# rebalance that began with a change of the topics and outlasts a poll: it stays out for ever.
JOINING: Final = 60.0
AGAIN: Final = (1.0, 10.0)  # seconds between two attempts to connect: at first, at most

# Ships no types.
_KAFKA: Final = cast("Any", kafka)
_ERRORS: Final = cast("Any", errors)


class Reader:
    """All partitions of `topics`, or with a `group` those that it gives out; one thread calls it.

    `kept` names what holds the places without a group. `forget` is told which partitions begin anew
    behind what was saved of them: they are somebody else's, or the client was closed. That
    happens during `fetch` and `close` only, or where Unavailable is raised.
    """

    def __init__(
        self,
        config: KafkaConfig,
        topics: Collection[str],
        group: str | None,
        kept: str,
        forget: Callable[[Iterable[Any]], None],
    ) -> None:
        self.lost = 0  # records that were deleted by age before they were read; not of a group
        self._config, self._topics, self._group, self._forget = config, topics, group, forget
        self._kept = kept
        self._consumer: Any = None
        self._assigned, self._since = False, 0.0
        self._reason = ""
        self._wait, self._not_before = AGAIN[0], 0.0

    def fetch(self, taken: Mapping[Any, int], *, more: bool) -> Mapping[Any, list[Any]]:
        """Records of transactions that were committed, by partition; keeps the place in the group.

        Without `more`, only of partitions that were given out by this very call. `taken`: where to
        begin without a group, by partition; else, and in a new group, with the oldest record.
        """
        self._connected(taken)
        if not self._assigned and time.monotonic() - self._since > JOINING:
            self._broken(f"group {self._group} gives out no partitions; it is joined anew")
            raise Unavailable(self._reason)
        with self._answering():
            if more:
                self._consumer.resume(*self._consumer.paused())
            else:
                self._consumer.pause(*self._consumer.assignment())
            found: Mapping[Any, list[Any]] = self._consumer.poll(
                POLL_MS if more else 0, max_records=LOOK
            )
        return found

    def lag(self) -> int:
        """How many records, about, lie behind those that were fetched; 0 is exact."""
        with self._answering():
            mine = list(self._consumer.assignment())
            ends = self._consumer.end_offsets(mine or self._places()[:1], timeout_ms=ANSWER_MS)
            lag = 0 if self._assigned else 1
            for place in mine:
                position = self._consumer.position(place, timeout_ms=0)
                lag += 1 if position is None else max(0, ends[place] - position)
        if self._assigned:
            self._wait = AGAIN[0]
        return lag

    def commit(self, taken: Mapping[Any, int]) -> bool:
        """Save the group's places; False if they are somebody else's by now."""
        offsets = {place: _KAFKA.OffsetAndMetadata(n, "", -1) for place, n in taken.items()}
        with self._answering():
            try:
                self._consumer.commit(offsets, timeout_ms=ANSWER_MS)
            except _ERRORS.CommitFailedError:
                return False
        return True

    def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        self._assigned = False
        if consumer is not None:
            with contextlib.suppress(_ERRORS.KafkaError, OSError):
                consumer.close(autocommit=False, timeout_ms=ANSWER_MS)
            self._forget(self._places())

    def _connected(self, taken: Mapping[Any, int]) -> None:
        if self._consumer is not None:
            return
        if time.monotonic() < self._not_before:
            raise Unavailable(self._reason)
        try:
            asyncio.run(reach(self._config))  # kafka-python would not say why it cannot connect
            self._connect(taken)
        except Unavailable as error:
            self._broken(str(error))
            raise
        except _ERRORS.KafkaError as error:
            self._broken(self._sentence(error))
            raise Unavailable(self._reason) from error

    def _broken(self, reason: str) -> None:
        """Close the client; the next attempt is later and later, until one gives something."""
        self.close()
        self._reason = reason
        self._not_before = time.monotonic() + self._wait
        self._wait = min(2 * self._wait, AGAIN[1])

    def _connect(self, taken: Mapping[Any, int]) -> None:
        self._consumer = begun(
            _KAFKA.KafkaConsumer,
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
            self._assign(taken)
        else:
            listener = _Listener(self._taken_away, self._given)
            self._consumer.subscribe(self._topics, listener=listener)
            # The topics must be known before the group is joined. Whoever leads it would give out
            # none of their partitions, and kafka-python can hang in the rebalance that mends that.
            self._consumer.end_offsets(self._places(), timeout_ms=ANSWER_MS)
            self._since = time.monotonic()

    def _assign(self, taken: Mapping[Any, int]) -> None:
        places = self._places()
        firsts = self._consumer.beginning_offsets(places, timeout_ms=ANSWER_MS)
        ends = self._consumer.end_offsets(places, timeout_ms=ANSWER_MS)
        if any(place not in ends or offset > ends[place] for place, offset in taken.items()):
            raise Unavailable(
                f"{self._kept} holds places in other topics than those of {self._config.prefix}"
                f" at {self._config.bootstrap}; move it away, and the sink begins with the oldest"
                " record"
            )
        self._consumer.assign(places)
        for place in places:
            start = taken.get(place, 0)
            self.lost += max(0, firsts[place] - start) if start else 0
            self._consumer.seek(place, max(firsts[place], start))
        self._given()

    def _given(self) -> None:
        self._assigned = True

    def _taken_away(self, places: Iterable[Any]) -> None:
        self._assigned, self._since = False, time.monotonic()
        self._forget(places)

    def _places(self) -> list[Any]:
        counts = range(self._config.partitions)
        return [_KAFKA.TopicPartition(topic, n) for topic in self._topics for n in counts]

    @contextmanager
    def _answering(self) -> Generator[None]:
        """What fails in here is Unavailable; only a client that had to wait goes on."""
        try:
            yield
        except _ERRORS.RetriableError as error:
            sentence = self._away()
            if sentence is not None:
                # Left to itself, it would leave one socket more open with each attempt to connect.
                self._broken(sentence)
                raise Unavailable(sentence) from error
            raise Unavailable(self._sentence(error)) from error
        except _ERRORS.KafkaError as error:
            self._broken(self._sentence(error))
            raise Unavailable(self._reason) from error

    def _away(self) -> str | None:
        """Why no broker is to be reached; None if one is."""
        try:
            asyncio.run(reach(self._config))
        except Unavailable as reason:
            return str(reason)
        return None

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, _ERRORS.TopicAuthorizationFailedError):
            named = [topic for topic in self._topics if topic in str(error)] or self._topics
            return str(lacks(self._config, "READ", ", ".join(named)))
        if isinstance(error, _ERRORS.GroupAuthorizationFailedError):
            user = self._config.username
            return (
                f"{f'user {user}' if user else 'this client'} lacks READ on group {self._group};"
                f" barograph topics rights {user or 'USER'} names all that it needs"
            )
        return (
            f"the Kafka broker at {self._config.bootstrap} gives nothing of"
            f" {', '.join(self._topics)} ({str(error) or type(error).__name__}); it is tried again"
        )


class _Listener(_KAFKA.ConsumerRebalanceListener):  # type: ignore[misc,name-defined] # untyped
    def __init__(self, revoked: Callable[[Iterable[Any]], None], given: Callable[[], None]) -> None:
        self._revoked, self._given = revoked, given

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """They may be somebody else's next."""
        self._revoked(revoked)

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:  # noqa: ARG002 - as poll gives them
        """The group has given out its partitions, perhaps none to us."""
        self._given()
