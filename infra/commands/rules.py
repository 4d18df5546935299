"""Check rules, run their cases, or list them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from infra import rule_options
from infra.exits import Exit
from schemas.errors import Mistake

if TYPE_CHECKING:
    from correlators.ruleset import Ruleset
    from infra.rules import RuleFile

EXAMPLE = "barograph rules check my-rules/"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, act, what in (
        ("check", _check, "say what is wrong with rules, and which of them can never fire"),
        ("test", _test, "run the cases beside rules; exit 1 if one fails or is missing"),
        ("list", _list, "list rules with level and kind"),
    ):
        action = actions.add_parser(name, help=what, description=what)
        action.set_defaults(act=act)
        action.add_argument(
            "paths",
            nargs="*",
            metavar="PATH",
            help="file or folder of rules, which may refer to built-in ones (default: these)",
        )
        action.add_argument(
            "--no-builtin", action="store_true", help="read PATHs without the built-in rules"
        )
        rule_options.processing(action)
        action.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Do as the action says: data to stdout, a line of counts last to stderr."""
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _check(args: argparse.Namespace) -> int:
    """Exit 2 if a rule has a Problem. A rule that cannot fire, or has no cases, is only told."""
    from infra.firing import firing
    from streams.source import sources

    files, ruleset = _loaded(args)
    proved = {file.document.path for file in files if file.cases is not None}
    known = firing(ruleset, sources())
    silent = unproved = 0
    rows = list(_rows(files, ruleset))
    for row in rows:
        able = known[row["rule"]]
        silent += not able.sources
        unproved += row["path"] not in proved
        row |= {"fires_on": list(able.sources), "proved": row["path"] in proved}
        if able.reason:
            row["reason"] = able.reason
        can = f"can fire on {', '.join(able.sources)}" if able.sources else "can fire"
        state = f"cannot fire: {able.reason}" if able.reason else can
        _tell(args, row, f"{row['rule']}: {state}" + ("" if row["proved"] else "; has no cases"))
    for problem in ruleset.problems:
        _tell(
            args,
            {"path": problem.path, "line": problem.line, "problem": problem.message},
            str(problem),
        )
    print(
        f"{len(rows)} rules loaded, {silent} of them cannot fire, {unproved} have no cases, "
        f"{len(ruleset.problems)} problems",
        file=sys.stderr,
    )
    return Exit.USAGE if ruleset.problems else Exit.OK


def _test(args: argparse.Namespace) -> int:
    """Exit 1 if a case fails, or a rule lacks cases."""
    from infra.proving import proved

    files, ruleset = _loaded(args)
    if ruleset.problems:
        raise Mistake(f"{ruleset.problems[0]}; mend it before its cases are run")
    cases = failed = 0
    for outcome in proved(ruleset, files):
        cases += outcome.case is not None
        failed += bool(outcome.failures)
        row = {
            "rule": outcome.rule,
            "case": outcome.case,
            "place": outcome.place,
            "passed": not outcome.failures,
            "failures": list(outcome.failures),
        }
        name = f"{outcome.rule}, {outcome.case}" if outcome.case else outcome.rule
        line = f"{outcome.place}: {name}: {'; '.join(outcome.failures)}"
        if outcome.failures or args.json:
            _tell(args, row, line)
    rules = len(list(_rows(files, ruleset)))
    print(f"{rules} rules, {cases} cases, {failed} failures", file=sys.stderr)
    return Exit.NO if failed else Exit.OK


def _list(args: argparse.Namespace) -> int:
    """All that are loaded, by kind and in the order of their files."""
    files, ruleset = _loaded(args)
    if ruleset.problems:
        raise Mistake(f"{ruleset.problems[0]}; barograph rules check names all problems")
    rows = list(_rows(files, ruleset))
    width = max((len(row["rule"]) for row in rows), default=0)
    for row in rows:
        line = f"{row['rule']:{width}}  {row['level']:13}  {row['kind']:11}  {row['title']}"
        _tell(args, row, line)
    print(f"{len(rows)} rules", file=sys.stderr)
    return Exit.OK


def _loaded(args: argparse.Namespace) -> tuple[list[RuleFile], Ruleset]:
    """The files in question, and all rules that they may refer to."""
    from correlators.ruleset import parse
    from infra.rules import builtin, processing, read
    from infra.settings import load as settings

    files = list(read(args.paths) if args.paths else builtin())
    given = {file.document.text for file in files}  # who works on a built-in rule names its file
    known = builtin() if args.paths and not args.no_builtin else ()
    others = [file for file in known if file.document.text not in given]
    documents = (file.document for file in chain(others, files))
    config = rule_options.stated(args, settings(args.config).rules)
    return files, parse(documents, processing=processing(config))


def _rows(files: list[RuleFile], ruleset: Ruleset) -> Iterator[dict[str, Any]]:
    """What there is to say of each rule of these files."""
    asked = {file.document.path for file in files}
    for rule in ruleset.rules:
        if rule.detection.path in asked:
            yield _row("detection", rule.detection, rule.detection.level)
    for correlation in ruleset.correlations:
        if correlation.path in asked:
            yield _row("correlation", correlation, correlation.level)
    for story in ruleset.convergences:
        if story.path in asked:
            yield _row("convergence", story, story.severity)


def _row(kind: str, rule: Any, level: str) -> dict[str, Any]:  # noqa: ANN401 - three records that share these
    return {"rule": rule.id, "level": level, "kind": kind, "title": rule.title, "path": rule.path}


def _tell(args: argparse.Namespace, row: dict[str, Any], line: str) -> None:
    if args.json:
        import orjson

        sys.stdout.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode())
    else:
        print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))
