"""Reload: the rules of the configuration read anew while the engine runs, and what came of it.

Law: a rule set with a problem replaces none; the engine goes on with what it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from correlators.ruleset import Ruleset
from infra import intel
from infra.rules import Seen, parsed, seen
from schemas.config import Config
from schemas.errors import Mistake, Unavailable
from schemas.times import SECOND, instant, rfc3339
from streams.succession import Succession

EVERY: Final = 2.0  # seconds between two looks at the rule files
DIGITS: Final = 12  # of a sha256 that people compare
PROBLEMS: Final = 20  # that are said of one broken rule set

Adopt = Callable[[Ruleset], Awaitable[Succession | None]]


class Running(NamedTuple):
    """The rules that run: the sha256 of their texts, how many, and since when."""

    sha256: str
    rules: int
    since: int


def running(row: Succession) -> Running:
    """The rules of the last change."""
    return Running(row.sha256, row.rules, instant(row.time))


class Outcome(NamedTuple):
    """What came of an attempt, in sentences."""

    done: bool
    said: list[str]


class Broken(Exception):
    """A rule set that cannot be used, with all that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(*problems)
        self.problems = problems


class Reload:
    """One attempt at a time; what it says of itself may be asked from any thread."""

    def __init__(
        self,
        settings: Callable[[], Config],
        config: Config,
        files: Seen,
        adopt: Adopt,
        running: Callable[[], Running],
        say: Callable[[str], None],
    ) -> None:
        """`settings` reads the configuration anew; `[rules]` and `[intel]` can change in a run.

        `adopt` has the engine change its rules, or raises; None if they are those that it has.
        `running` says which it has.
        """
        self._settings, self._config, self._adopt = settings, config, adopt
        self._running, self._say = running, say
        self.successes = self.failures = 0
        self.problem: str | None = None  # of the last attempt
        self._rules, self._files = config.rules, files  # what is watched, as it was when read
        self._turn = asyncio.Lock()

    async def now(self) -> Outcome:
        """Read the rules and run with them; whatever is wrong is said, counted and returned."""
        async with self._turn:
            try:
                said = await self._changed()
            except Broken as broken:
                return self._failed(broken.problems)
            except (Mistake, Unavailable) as error:
                return self._failed([str(error)])
            except Exception as error:  # noqa: BLE001 - a defect of ours stops no engine that works
                return self._failed([f"these rules cannot run: {error!r}"])
            self.successes += 1
            self.problem = None
            return self._told(Outcome(done=True, said=said))

    async def watch(self) -> None:
        """Read the rules anew whenever their files have changed and are at rest again."""
        before = self._files
        while True:
            await asyncio.sleep(EVERY)
            try:
                found = await asyncio.to_thread(seen, self._rules)
            except OSError:  # a folder went away in the middle of the look: they are not at rest
                continue
            if found == before != self._files:
                self._files = found  # once, also where the configuration cannot be read
                await self.now()
            before = found

    def about(self) -> dict[str, Any]:
        """The rules that run, for /readyz; `problem` is that of the last attempt to change them."""
        said = described(self._running())
        return said if self.problem is None else said | {"problem": self.problem}

    def metrics(self) -> Iterator[Metric]:
        """Its metrics, looked up now."""
        yield from rules_metrics(self._running())
        for name, what, value in (
            ("reloads", "Attempts to change the rules that went well.", self.successes),
            ("reload_failures", "Attempts to change the rules that changed none.", self.failures),
        ):
            counter = CounterMetricFamily(f"barograph_rules_{name}", what)
            counter.add_metric([], value)
            yield counter
        yield GaugeMetricFamily(
            "barograph_rules_last_reload_successful",
            "1 if the last attempt to change the rules went well, or there was none.",
            value=float(self.problem is None),
        )

    async def _changed(self) -> list[str]:
        config, ruleset = await asyncio.to_thread(self._read)
        if ruleset.problems:
            raise Broken([str(problem) for problem in ruleset.problems])
        said = [self._done(await self._adopt(ruleset))]
        if (
            config.model_copy(update={"rules": self._config.rules, "intel": self._config.intel})
            != self._config
        ):
            said.append(
                "settings other than [rules] and [intel] changed; they hold after a restart"
            )
        return said

    def _read(self) -> tuple[Config, Ruleset]:
        config = self._settings()
        self._rules, self._files = config.rules, seen(config.rules)
        return config, parsed(config.rules).advised(intel.load(config.intel))

    def _failed(self, problems: list[str]) -> Outcome:
        self.failures += 1
        self.problem = problems[0]
        more = len(problems) - PROBLEMS
        said = problems[:PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        kept = f"the rules stay as they are ({self._running().sha256[:DIGITS]})"
        return self._told(Outcome(done=False, said=[*said, kept]))

    def _done(self, row: Succession | None) -> str:
        if row is None:
            return f"the rules are those that run ({self._running().sha256[:DIGITS]})"
        return sentence(row)

    def _told(self, outcome: Outcome) -> Outcome:
        with suppress(OSError):  # whoever started it may have gone with the terminal
            for sentence in outcome.said:
                self._say(sentence)
        return outcome


def sentence(row: Succession) -> str:
    """A change of rules in words."""
    counts = ", ".join(
        f"{named.count} {verb}"
        for verb, named in (
            ("added", row.added),
            ("changed", row.changed),
            ("taken out", row.removed),
        )
    )
    since = row.watermark or "the first record"
    return f"{row.rules} rules ({row.sha256[:DIGITS]}) hold from {since} on: {counts}"


def described(now: Running) -> dict[str, Any]:
    """The rules that run, for /readyz."""
    return {"sha256": now.sha256[:DIGITS], "rules": now.rules, "since": rfc3339(now.since)}


def rules_metrics(now: Running) -> Iterator[Metric]:
    """What a driver says of its rules."""
    info = GaugeMetricFamily(
        "barograph_rules_info", "1, by the rule set that runs.", labels=["sha256"]
    )
    info.add_metric([now.sha256[:DIGITS]], 1)
    yield info
    yield GaugeMetricFamily("barograph_rules", "Rules that run.", value=now.rules)
    yield GaugeMetricFamily(
        "barograph_rules_last_change_timestamp_seconds",
        "When this rule set began to run.",
        value=now.since / SECOND,
    )
