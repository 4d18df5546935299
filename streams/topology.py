"""Topology: which stages there are, what feeds each, where a row goes; both drivers build from it.

ingest --> habits --> correlate-1 --> ... --> correlate-n --+
   |------> observe ----> inventory ----> membership -------+--> attach --> assess
   +--------------------------------------------------------+

Correlations wait for habits only where one of them refers to a habit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from zlib import crc32

from correlators.assess import Assess, memory
from correlators.attach import Attach
from correlators.correlate import Correlate
from correlators.forecast import Forecaster
from correlators.habits.stage import Habits
from correlators.inventory import Inventory
from correlators.keyed import Keyed
from correlators.logic import Logic
from correlators.normal import PRODUCT
from correlators.observe import Observe
from correlators.priority import complete
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.sigma.matcher import runs_on
from schemas.detection import Logsource
from schemas.rows import Delete, Row
from schemas.topics import ASSESS, ATTACH, FACTS, HABITS, INVENTORY, MEMBERSHIP, SIGNALS
from streams.source import named


class Stage(NamedTuple):
    """A keyed stage: its correlation level (0 elsewhere) and the stages whose Ticks it waits for.

    `single`: it has one partition, however many the others have. `timed`: of raw inputs it waits
    only for those that can feed a correlation or a habit. `calm`: it takes what is there or
    what is usual, and what that comes to may be known a second later.
    """

    name: str
    level: int
    logic: Logic
    feeders: tuple[str, ...]
    single: bool = False
    timed: bool = False
    calm: bool = False


_STAGE_OF = {
    HABITS: "habits",
    FACTS: "observe",
    INVENTORY: "inventory",
    MEMBERSHIP: "attach",
    ATTACH: "attach",
    ASSESS: "assess",
}
INGEST = "ingest"


def levels(ruleset: Ruleset, routes: Routes) -> list[Stage]:
    """The stages of correlations, by level."""
    correlate = Correlate(ruleset.correlations, routes)
    names = [f"correlate-{n + 1}" for n in range(ruleset.levels)]
    asked = any(one.id in ruleset.feeds for one in ruleset.habits)
    first = (INGEST, "habits") if asked else (INGEST,)
    return [
        Stage(name, n + 1, correlate, (*first, *names[:n]), timed=True)
        for n, name in enumerate(names)
    ]


def stages(ruleset: Ruleset, routes: Routes) -> list[Stage]:
    """All keyed stages, each after its feeders."""
    correlate = levels(ruleset, routes)
    counted = [stage.name for stage in correlate]
    attach = Attach(memory(ruleset.convergences))
    assess = Assess(ruleset.convergences, routes, complete, Forecaster.builtin())
    observed = (INGEST,) if ruleset.habits else ()
    return [
        Stage("habits", 0, Habits(ruleset.habits, routes), observed, timed=True, calm=True),
        *correlate,
        Stage("observe", 0, Observe(), (INGEST,), calm=True),
        Stage("inventory", 0, Inventory(), ("observe",), single=True, calm=True),
        Stage("attach", 0, attach, (INGEST, "habits", *counted, "observe", "inventory")),
        Stage("assess", 0, assess, ("attach",)),
    ]


def stage_of(row: Row | Delete) -> str:
    """The stage that owns the row."""
    return f"correlate-{row.level}" if row.topic == SIGNALS else _STAGE_OF[row.topic]


def partition_of(key: str, partitions: int) -> int:
    """The partition that owns a key."""
    return crc32(key.encode()) % partitions


def instances(stage: Stage, partitions: int) -> list[str]:
    """The names of a stage's partitions, as its Ticks carry them."""
    return [f"{stage.name}/{p}" for p in range(1 if stage.single else partitions)]


def feeding(ruleset: Ruleset, sources: Mapping[str, Iterable[str] | None]) -> Iterator[str]:
    """The ingest inputs that can feed a correlation or a habit.

    `sources`: input -> names of its sources, None = any. Rules over fast logs do not wait for an
    input of which neither can ever see a record.
    """
    wanted = {name for rule in ruleset.correlations for name in rule.rules}
    wanted |= {one.id for one in ruleset.habits}
    needed = [rule.detection.logsource for rule in ruleset.rules if rule.detection.id in wanted]
    for input_, names in sources.items():
        if names is None or any(
            _reaches(logsource, name) for logsource in needed for name in names
        ):
            yield input_


class Fed(NamedTuple):
    """A stage with all upstream partitions and raw inputs that can feed it, by name."""

    stage: Stage
    inputs: tuple[str, ...]

    def keyed(self, partition: int) -> Keyed:
        """One partition of it, empty."""
        return Keyed(
            self.stage.logic, f"{self.stage.name}/{partition}", self.stage.level, self.inputs
        )


def fed(
    ruleset: Ruleset, routes: Routes, sources: Mapping[str, Iterable[str] | None], partitions: int
) -> list[Fed]:
    """The keyed stages in the order in which rows flow; one without inputs is fed by nothing."""
    plan = stages(ruleset, routes)
    names = {stage.name: instances(stage, partitions) for stage in plan}
    raw = {INGEST: list(sources)}
    logs = set(feeding(ruleset, sources))
    found: list[Fed] = []
    for stage in plan:
        inputs = tuple(
            name
            for feeder in stage.feeders
            for name in (raw | names)[feeder]
            if not (stage.timed and feeder == INGEST and name not in logs)
        )
        found.append(Fed(stage, inputs))
        if not inputs:
            names[stage.name] = []  # nothing can feed it: it has no Tick to say, and none waits
    return found


def build(
    ruleset: Ruleset, routes: Routes, sources: Mapping[str, Iterable[str] | None], partitions: int
) -> dict[str, Keyed]:
    """Every partition of every keyed stage by name, in the order in which rows flow."""
    return {
        name: one.keyed(partition)
        for one in fed(ruleset, routes, sources, partitions)
        for partition, name in enumerate(instances(one.stage, partitions))
    }


def topic_between(feeder: str, reader: str) -> str:
    """The topic in which rows and Ticks of a stage reach another."""
    if reader == "attach":
        return MEMBERSHIP if feeder == "inventory" else ATTACH
    return next((topic for topic, stage in _STAGE_OF.items() if stage == reader), SIGNALS)


def _reaches(logsource: Logsource, name: str) -> bool:
    """True if a rule of this logsource can see a record of the source, raw or in normal form."""
    if logsource.product == PRODUCT:
        return logsource.service in (None, name)
    return runs_on(logsource, named(name).LOGSOURCE)
