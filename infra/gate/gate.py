"""Gate: a finite run, and policies judged over what it leaves in its store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from correlators import policy
from correlators.document import Document, Problem
from correlators.gating import Verdict, judge
from correlators.known import Reference
from correlators.ruleset import Ruleset
from correlators.standards import standards
from infra.compliance.assessor import rule_ids
from infra.compliance.gathering import Terms as Standing
from infra.gate.baseline import Known
from infra.gate.gathering import estate, places
from infra.reading.reader import Reader
from infra.replaying import Order, Watch, replay
from infra.rules import document, files
from schemas.config import Config
from schemas.errors import Mistake
from schemas.policy import Policy
from schemas.times import DAY, parse
from sinks.store import SNAPSHOT

TIMELESS: Final = 3_650 * DAY  # of inputs that tell no time; spans that lead back from it are times


class Terms(NamedTuple):
    """By what is judged, on which day (UTC), and what is known already."""

    policies: tuple[Policy, ...]
    day: date
    baseline: Known


class Judged(NamedTuple):
    """Verdicts in the order of the policies, and where the records that they show lie.

    `statements`: VEX that is open; each takes a weakness out.
    """

    verdicts: tuple[Verdict, ...]
    origins: Mapping[str, str]
    statements: tuple[Reference, ...] = ()


def load(named: Sequence[str], ruleset: Ruleset) -> tuple[Policy, ...]:
    """The policies of these files and folders, or of the package by id.

    All that is wrong with them is one Mistake: a gate that leaves out a check is open.
    """
    own = {Path(one.path).stem: one for one in policy.builtin()}
    documents: list[Document] = []
    for name in dict.fromkeys(named):
        if name in own and not Path(name).exists():
            documents.append(own[name])
        elif not Path(name).exists():
            there = ", ".join(sorted(own))
            raise Mistake(f"{name} is not there, and no policy of ours is called so: {there}")
        else:
            documents += [document(path, "a policy") for path in files([name])]
    found = policy.read(documents, ruleset, standards().criteria.keys())
    if found.problems:
        raise Mistake(_told(found.problems))
    return found.policies


def judged(
    config: Config,
    ruleset: Ruleset,
    terms: Terms,
    inputs: Sequence[str],
    order: Order,
    out: Path,
    watch: Watch | None = None,
) -> Judged:
    """Run over the inputs, leave the results in `out`, and judge."""
    summary = replay(config, ruleset, inputs, out, order, watch)
    standing = Standing(config.inventory.approved, config.sla)
    with Reader(out / SNAPSHOT) as reader:
        now = max(parse(summary["until"]), TIMELESS)
        found = estate(reader, terms.policies, rule_ids(ruleset), standing, now)
        verdicts = tuple(
            judge(one, found, terms.day, terms.baseline.get(one.id, ())) for one in terms.policies
        )
        events = {
            event
            for verdict in verdicts
            for result in verdict.results
            for one in (*result.violations, *result.known, *(w.violation for w in result.waived))
            for seen in one.shown
            for event, _ in seen.evidence
        }
        events |= {event for one in found.statements for event, _ in one.evidence}
        return Judged(verdicts, places(reader, found, events), found.statements)


def _told(problems: Sequence[Problem]) -> str:
    more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
    return f"{problems[0]}{more}"
