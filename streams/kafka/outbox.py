"""Outbox: the topics of results as one sink's courier sees them; each sink has its own place there.

Guarantee: every result of the sink's kinds is handed out at least once, those of one id in order;
behind a kill, a rebalance or a broker that was away come those again that were handed out but not
yet saved as taken. The topics are the buffer: who is away delays only itself, and evicts nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Collection, Iterable
from pathlib import Path
from threading import Condition
from typing import Any, Final, NamedTuple, cast

import kafka
import msgspec

from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from schemas.rows import Result, ResultKind
from streams.kafka.place_file import PlaceFile
from streams.kafka.reader import Reader
from streams.kafka.wire import SCHEMA, result_of, topic_of

STEP: Final = 100  # results of one batch for a receiver of one request each: see reader.STEP_MS
MANY: Final = 10_000  # records without a result for this sink, after which its place is saved too
PROBE: Final = 1.0  # seconds between two questions where the topics end
PATIENCE: Final = 3.0  # seconds until the courier has answered
REPLACED: Final = frozenset(("alert", "finding"))  # kinds whose topics keep the newest by id


class _Waiting(NamedTuple):
    """A record that was fetched: `place` is its partition, `behind` the offset after it."""

    sequence: int
    place: Any
    behind: int
    size: int
    result: Result | None


class TopicOutbox:
    """The Outbox of one Courier. All but `backlog`, `waiting` and `problem` is for its thread only.

    A remote sink is a consumer group, `<prefix>sink.<name>`: its members share the partitions. What
    a `local` one writes is on this machine: each worker that has one reads everything, and its
    places are in `<folder>/sink-<name>.json` with the sink's bookmark, both or neither. A sink that
    is new, or has lost that file, begins with the oldest record.

    A receiver that fell behind by more than a step gets of each alert and finding only the newest
    revision among those that were fetched together: what Kafka's compaction does to them anyway.
    That loses no outcome: a revision holds all of its alert, and whichever is newest, be it open,
    resolved or withdrawn, is delivered; an alert that came and went meanwhile arrives once, as what
    it has become. Who keeps up gets each revision. Local sinks do too: they keep the history.

    Sequences are running numbers of this process. `passed` counts records that are no results.
    """

    def __init__(
        self, config: KafkaConfig, name: str, kinds: Collection[str], folder: Path, *, local: bool
    ) -> None:
        """Connects to nothing yet. Mistake if the file of a local sink is damaged."""
        self.problem: str | None = None
        self.passed = 0
        topics = sorted({config.prefix + topic_of(cast("ResultKind", kind)) for kind in kinds})
        group = None if local else f"{config.prefix}sink.{name}"
        self._kinds = frozenset(kind.encode() for kind in kinds)
        self._file = PlaceFile(folder / f"sink-{name}.json") if local else None
        self._reader = Reader(config, topics, group, str(self._file), self._forget)
        self._bookmark: Any = None
        self._taken: dict[Any, int] = {}  # where to go on; of a group, what is not committed yet
        if self._file is not None:
            saved, self._bookmark = self._file.read()
            self._taken = {_place(key): offset for key, offset in saved.items()}
        self._waiting: deque[_Waiting] = deque()
        self._sequence = self._done = 0
        self._unsaved = False
        self._since_saved = 0
        self._lag = 1
        self._probed = self._asked = 0.0
        self._answered = Condition()

    @property
    def lost(self) -> int:
        """Records that were deleted by age before this local sink had taken them."""
        return self._reader.lost

    def newest(self) -> int:
        """The sequence of the newest result at hand, after a look at the topics.

        Keeps the place in the group: to be called every few seconds, also while nothing is taken.
        """
        try:
            if self._unsaved:
                self._save()
            self._look()
            self.problem = None
        except Unavailable as error:
            self.problem = str(error)
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
        """At most `limit` of the results at hand behind `after`, of these kinds; few if remote.

        None while what was taken before cannot be saved: more of that would come twice.
        """
        batch: list[tuple[int, Result]] = []
        if self._unsaved:
            return batch
        most = limit if self._file is not None else min(limit, STEP)
        size = 0
        for sequence, _, _, length, result in self._waiting:
            if result is None or sequence <= after or (kinds and result.kind not in kinds):
                continue
            size += length
            if len(batch) == most or (batch and size > limit_bytes):
                break
            batch.append((sequence, result))
        return batch

    def cursor(self, sink: str) -> int:  # noqa: ARG002 - there is one sink
        """The sequence up to which everything is taken."""
        return self._done

    def bookmark(self, sink: str) -> Any:  # noqa: ANN401, ARG002 - JSON; there is one sink
        """What a local sink gave last. A remote one has none: its partitions move."""
        return self._bookmark

    def backlog(self, sink: str) -> int:
        """How many records wait for this sink, about, those of other kinds among them; 0 is exact.

        From any thread; waits for seconds, at most, until the courier has asked the broker.
        """
        with self._answered:
            asked = self._asked = time.monotonic()
            known = self._answered.wait_for(lambda: self._probed >= asked, PATIENCE)
            return max(self.waiting(sink), 0 if known else 1)

    def waiting(self, sink: str) -> int:  # noqa: ARG002 - there is one sink
        """The same as of the last time that the courier asked; waits for nobody."""
        return len(self._waiting) + self._lag

    def advance(self, sink: str, sequence: int, bookmark: Any = None) -> None:  # noqa: ANN401, ARG002 - JSON; there is one sink
        """Everything up to `sequence` is taken.

        What the broker or the disk cannot save now is saved later, before more is handed out.
        """
        while self._waiting and self._waiting[0].sequence <= sequence:
            one = self._waiting.popleft()
            self._taken[one.place] = one.behind
            self._since_saved += 1
            self._unsaved |= one.result is not None or self._since_saved >= MANY
        self._done, self._bookmark = max(self._done, sequence), bookmark
        if self._unsaved:
            try:
                self._save()
            except Unavailable as error:
                self.problem = str(error)

    def close(self) -> None:
        """Save the place, leave the group."""
        with contextlib.suppress(
            Unavailable
        ):  # a problem already, and what is not saved comes again
            if self._since_saved:
                self._save()
        self._reader.close()

    def _save(self) -> None:
        if self._file is not None:
            saved = {f"{place.topic}/{place.partition}": n for place, n in self._taken.items()}
            self._file.write(saved, self._bookmark)
        elif self._taken:
            if not self._reader.commit(self._taken):
                self._forget(list(self._taken))
            self._taken.clear()
        self._unsaved, self._since_saved = False, 0

    def _forget(self, places: Iterable[Any]) -> None:
        """These partitions begin anew behind what was saved, here or with another member."""
        gone = set(places)
        self._waiting = deque(one for one in self._waiting if one.place not in gone)
        if self._file is None:
            for place in gone & self._taken.keys():
                del self._taken[place]
            self._unsaved = self._unsaved and bool(self._taken)

    def _look(self) -> None:
        """Fetch more once all is taken; until then only keep the place."""
        results = 0
        for place, records in self._reader.fetch(self._taken, more=not self._waiting).items():
            for record in records:
                self._sequence += 1
                size, result = len(record.value or b""), self._result(record)
                results += result is not None
                one = _Waiting(self._sequence, place, record.offset + 1, size, result)
                self._waiting.append(one)
        if self._file is None and results > STEP:
            self._waiting = _newest(self._waiting)
        now = time.monotonic()
        # A client waits in silence for a broker that is away; only a question shows that.
        if self._asked > self._probed or now > self._probed + PROBE or self.problem is not None:
            lag = self._reader.lag()
            with self._answered:
                self._lag, self._probed = lag, now
                self._answered.notify_all()

    def _result(self, record: Any) -> Result | None:  # noqa: ANN401 - a ConsumerRecord
        """The result for this sink, if the record is one."""
        kind = dict(record.headers).get(SCHEMA)
        if kind is not None and kind not in self._kinds:
            return None
        result = None
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):  # counted as no result
            result = result_of(record.key, record.value, record.headers, record.timestamp * 1000)
        self.passed += result is None
        return result


def _place(key: str) -> Any:  # noqa: ANN401 - a TopicPartition
    topic, _, number = key.rpartition("/")
    return cast("Any", kafka).TopicPartition(topic, int(number))


def _newest(waiting: Iterable[_Waiting]) -> deque[_Waiting]:
    """The same records; of ids that come again only the last keeps its result."""
    newest: deque[_Waiting] = deque()
    seen: set[tuple[str, str]] = set()
    for one in reversed(list(waiting)):
        result = one.result
        if result is not None and result.kind in REPLACED:
            id_ = (result.kind, result.id)
            newest.appendleft(one._replace(result=None) if id_ in seen else one)
            seen.add(id_)
        else:
            newest.appendleft(one)
    return newest
