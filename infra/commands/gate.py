"""Judge by policies whether reports, bills and logs let something be merged or released."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra import intel, rule_options
from infra.exits import Exit
from infra.rules import SUFFIXES
from infra.settings import load as settings
from infra.terminal import shown
from infra.terminal.progress import Progress
from infra.terminal.times import moment
from schemas.errors import Mistake, Unavailable
from schemas.times import DAY, SECOND

if TYPE_CHECKING:
    from correlators.gating import Verdict

AHEAD = DAY  # so far may a record be dated ahead of --at: by a clock of another zone, not to last

EXAMPLE = """\
barograph gate --policy release reports/ boms/
barograph gate --policy policies/ --baseline gate.json --sarif gate.sarif --junit gate.xml reports/
barograph gate --policy release --write-baseline gate.json reports/
barograph gate --list"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="file or folder (.json .jsonl .ndjson .sarif .csv .gz .zst)",
    )
    parser.add_argument(
        "--policy",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="files or folders of policies, or one of ours by its id; --list tells them",
    )
    parser.add_argument("--list", action="store_true", help="say which policies come along")
    parser.add_argument(
        "--baseline", metavar="FILE", help="violations that are known: only others fail the gate"
    )
    parser.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="keep the violations of now as known, and exit 0; with --baseline only those that were"
        " known before, so that what is mended leaves and nothing new comes in",
    )
    parser.add_argument(
        "--at",
        type=moment,
        metavar="T",
        help="when it is judged: waivers that ended before are over, and records of a day later or"
        " more are not read (default: now)",
    )
    parser.add_argument(
        "--source", metavar="NAME", help="the format of all files; without it each is sniffed"
    )
    rule_options.beside(parser)
    rule_options.arguments(parser)
    intel.arguments(parser)
    parser.add_argument(
        "--until", type=moment, metavar="T", help="how far time passed (default: the latest record)"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="keep the store and the findings there, as replay writes them"
    )
    parser.add_argument("--sarif", metavar="FILE", help="write what is found as SARIF 2.1.0")
    parser.add_argument("--junit", metavar="FILE", help="write the checks as a JUnit report")
    parser.add_argument("--json", action="store_true", help="all of it as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit 0 if all checks hold, 1 if one fails; 2 for a policy that cannot be used."""
    from infra.gate import baseline
    from infra.gate.gate import Terms, judged, load
    from infra.gate.told import body, summary, table
    from infra.replaying import Order
    from infra.rules import load as rules
    from infra.service.process import clock

    if args.list:
        for line in _policies():
            print(line)
        return Exit.OK
    named, inputs = _told(args.policy, args.inputs)
    config = intel.stated(settings(args.config), args)
    paths = (*config.rules.paths, *args.rules)
    ruleset = rules(rule_options.stated(args, config.rules, paths=paths))
    ruleset = ruleset.advised(intel.load(config.intel))
    policies = load(named, ruleset)
    known = baseline.read(Path(args.baseline)) if args.baseline else None
    at = clock() if args.at is None else args.at
    order = Order(source=args.source, until=args.until, not_after=at + AHEAD, final=True)
    with _folder(args.out) as out:
        terms = Terms(policies, _day(at), known or {})
        answer = judged(config, ruleset, terms, inputs, order, out, Progress().of_run)
    verdicts, origins = answer.verdicts, answer.origins
    _write(args, verdicts, origins)
    if args.json:
        print(json.dumps(body(verdicts, origins, answer.statements)))
    else:
        for verdict in verdicts:
            for line in table(verdict, origins):
                print(line)
        print(summary(verdicts, len(answer.statements)))
    if args.write_baseline:
        count = baseline.write(Path(args.write_baseline), verdicts, known)
        told = shown.plural(count, "known violation")
        print(f"barograph: {told} in {args.write_baseline}", file=sys.stderr)
        if known is None:
            return Exit.OK
    return Exit.OK if all(verdict.passed for verdict in verdicts) else Exit.NO


def _told(named: Sequence[str], inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Policies and inputs; what stands behind `--policy A B` and is no policy is an input."""
    policies, rest = list(named), list(inputs)
    if not policies:
        raise Mistake("no policy is named; give --policy release, or a file; --list tells ours")
    if not rest:
        from correlators.policy import builtin

        ours = {Path(one.path).stem for one in builtin()}
        count = 1
        while count < len(policies) and (
            policies[count] in ours or policies[count].endswith(SUFFIXES)
        ):
            count += 1
        policies, rest = policies[:count], policies[count:]
    if not rest:
        raise Mistake("no input is named; give the reports, bills of materials or logs to judge")
    return policies, rest


def _day(at: int) -> date:
    return datetime.fromtimestamp(at // SECOND, UTC).date()


@contextmanager
def _folder(out: str | None) -> Generator[Path]:
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="barograph-gate-") as folder:
        yield Path(folder)


def _write(
    args: argparse.Namespace, verdicts: Sequence[Verdict], origins: Mapping[str, str]
) -> None:
    from infra.gate.junit import junit
    from infra.gate.sarif import sarif

    if args.sarif:
        log = sarif(verdicts, origins, compared=args.baseline is not None)
        _put(args.sarif, (json.dumps(log, indent=2) + "\n").encode())
    if args.junit:
        _put(args.junit, junit(verdicts))


def _put(path: str, data: bytes) -> None:
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error


def _policies() -> Iterator[str]:
    from correlators import policy
    from correlators.ruleset import builtin, parse
    from correlators.standards import standards
    from infra.terminal.tables import table

    found = policy.read(policy.builtin(), parse(builtin()), standards().criteria.keys())
    rows = [(one.id, one.title, ", ".join(c.id for c in one.checks)) for one in found.policies]
    return table(("id", "title", "checks"), rows, whole=True)
