"""People: what a sink whose receiver is a person tells, when, and when together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, Field

from schemas.alert import Stage
from schemas.rows import Result
from schemas.times import DAY, MINUTE, Duration
from sinks.delivery.digest import Digest, Issue
from sinks.delivery.memory import Memory
from sinks.delivery.news import News, Said, news
from sinks.delivery.past import Past
from sinks.delivery.routing import AlertSettings
from sinks.delivery.sending import one_by_one
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer
from sinks.formats.words import checked

Link = Annotated[str, AfterValidator(checked)]


class PeopleSettings(AlertSettings):
    """What every sink understands that writes to people.

    `link`: where an alert can be looked at, with {id}, {thread} and {system} in it. `past`: an
    alert that had expired for so long when it was first seen is told to nobody. With `digest`
    alerts wait and go out together, once in each such span of the wall clock (UTC); only those that
    reached one of the stages `urgent` go at once.
    """

    link: Link | None = None
    past: Duration = Field(default=DAY, ge=0)
    digest: Duration | None = Field(default=None, ge=MINUTE)
    urgent: tuple[Stage, ...] = ("warning",)


class Speaker(Protocol):
    """How one receiver is told."""

    def tell(self, result: Result, what: News | None, before: Said | None) -> Answer:
        """Say what is new in an alert of which people know `before`.

        None: nothing is, but what is shown may be brought up to date.
        """
        ...

    def gather(self, issue: Issue) -> Answer:
        """Say what waited, in one message."""
        ...

    def rest(self) -> None:
        """Nothing is to be said at the moment: hang up."""
        ...


class People:
    """A sink that tells news, each once, and only the newest of what waited.

    Of several revisions in a batch the newest alone counts: what came and went while nobody could
    be reached is told to nobody. What was told is remembered; a kill between the telling and the
    remembering has it told again. Where nothing can be remembered nothing is told.
    """

    kinds = frozenset(("alert",))
    local = False

    def __init__(
        self,
        speaker: Speaker,
        settings: PeopleSettings,
        memory: Memory,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock`: seconds since 1970, for when digests are due and the past is over."""
        self.speaker, self._memory, self._clock = speaker, memory, clock
        self._digest = Digest(memory, settings.digest, settings.urgent, settings.link)
        self._past = Past(memory, settings.past)

    def open(self, bookmark: Any) -> None:  # noqa: ANN401, ARG002 - JSON
        """What was told is in the memory."""
        self._digest.open()
        self._past.open(self._clock())

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Tell, or keep for the digest, one after the other."""
        late = self._gather()
        if late is not None and late.problem is not None:
            return late
        newest = {result.id: result for result in batch}
        past: list[str] = []
        delivered = one_by_one(
            batch, lambda one: self._one(one, past) if newest[one.id] is one else Answer("ok")
        )
        self._past.keep(past, self._clock())
        return delivered

    def flush(self) -> Delivered | None:
        """Send the digest, or how much was passed over, if it is time."""
        try:
            return self._gather()
        finally:
            self.speaker.rest()

    def close(self) -> None:
        """Hang up; what waits for a digest goes on waiting."""
        self.speaker.rest()
        self._memory.close()

    def _one(self, result: Result, past: list[str]) -> Answer:
        told = self._memory.get(f"said:{result.id}")
        before = None if told is None else Said(*told)
        if before is not None and result.body["meta"]["revision"] <= before.revision:
            return Answer("ok")
        if before is None and self._past.takes(result):
            past.append(result.id)
            return Answer("ok")
        self._past.drop(result.id)
        what = news(before, result)
        if self._digest.takes(result):
            self._digest.keep(result, before, what, self._clock())
            return Answer("ok")
        if what is None and (before is None or before.closed):
            self._digest.drop(result.id)
            return Answer("ok")
        self._memory.ready()
        answer = self.speaker.tell(result, what, before)
        if answer.verdict in ("ok", "reject", "split"):  # who refuses it is not asked again
            self._memory.put({f"said:{result.id}": tuple(Said.of(result, before))})
            self._digest.drop(result.id)
        return answer

    def _gather(self) -> Delivered | None:
        now = self._clock()
        waited, passed = self._digest.due(now), self._past.due(now)
        if waited is not None:
            return self._gathered(waited, self._digest.done)
        return None if passed is None else self._gathered(passed, self._past.done)

    def _gathered(self, issue: Issue, done: Callable[[], None]) -> Delivered:
        self._memory.ready()
        answer = self.speaker.gather(issue)
        if answer.verdict == "ok":
            done()
            return Delivered(0)
        # Its texts are ours: who will never take one has to be looked at.
        seldom = answer.verdict in ("config", "reject", "split")
        return Delivered(0, problem=answer.reason, wait=answer.wait, misconfigured=seldom)
