"""Check rules, run their cases, or list them."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from infra import rule_options
from infra.exits import Exit
from infra.terminal import shown
from schemas.errors import Mistake

if TYPE_CHECKING:
    from correlators.ruleset import Ruleset
    from infra.authoring.checking import Check
    from infra.rules import RuleFile

EXAMPLE = """\
barograph rules check my-rules/
barograph rules test --coverage my-rules/
barograph rules export --out sigma/"""

_T = TypeVar("_T")
_Act = Callable[[argparse.Namespace], int]
_Options = Callable[[argparse.ArgumentParser], None]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, (act, options, what, examples) in _ACTIONS.items():
        epilog = "examples:\n" + textwrap.indent("\n".join(examples), "  barograph rules ")
        action = actions.add_parser(name, help=what, description=what, epilog=epilog)
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
        options(action)


def _check_options(action: argparse.ArgumentParser) -> None:
    rule_options.processing(action)
    action.add_argument("--json", action="store_true", help="one JSON object a line, for each rule")
    action.add_argument("--sarif", metavar="FILE", help="write what is found as SARIF 2.1.0 too")
    action.add_argument(
        "--strict",
        action="store_true",
        help="exit 1 if a rule cannot fire, lacks a pattern, or something else is said of it",
    )
    action.add_argument(
        "--samples",
        action="append",
        default=[],
        metavar="FILE",
        help="records of your own, whose fields are known fields too; may be given again",
    )


def _test_options(action: argparse.ArgumentParser) -> None:
    rule_options.processing(action)
    action.add_argument("--json", action="store_true", help="one JSON object a line, for each case")
    action.add_argument(
        "--coverage",
        action="store_true",
        help="say too which branches of a condition no case decides",
    )
    action.add_argument(
        "--strict", action="store_true", help="as --coverage, and exit 1 if there is such a branch"
    )


def _export_options(action: argparse.ArgumentParser) -> None:
    action.set_defaults(pipeline=[], placeholders=[], strict=False)  # rules leave as written
    action.add_argument("--out", required=True, metavar="DIR", help="the folder to write to")


def _list_options(action: argparse.ArgumentParser) -> None:
    rule_options.processing(action)
    action.add_argument("--json", action="store_true", help="one JSON object a line, for each rule")


def run(args: argparse.Namespace) -> int:
    """Do as the action says: data to stdout, a line of counts last to stderr."""
    act: _Act = args.act
    return act(args)


def _check(args: argparse.Namespace) -> int:
    """Exit 2 if a rule has a Problem; 1 with --strict, if one cannot do what it says."""
    from infra.authoring.checked import counts, objects, table
    from infra.authoring.checking import check
    from infra.authoring.firing import Estate
    from infra.authoring.sampling import learn
    from infra.rules import stray
    from streams.source import sources

    files, ruleset = _loaded(args)
    estate = Estate(sources())
    learn(args.samples, estate)
    found = check(files, ruleset, estate, stray(args.paths))
    if args.json:
        _tell(objects(found))
    else:
        _say(table(found))
    if args.sarif is not None:
        _write(args.sarif, found, unproved=args.strict)
    print(counts(found), file=sys.stderr)
    if found.problems:
        return Exit.USAGE
    kinds = {remark.about for remark in found.remarks}
    return Exit.NO if args.strict and kinds - {"unproved"} else Exit.OK


def _write(path: str, found: Check, *, unproved: bool) -> None:
    from infra.authoring.sarif import sarif

    try:
        log = orjson.dumps(sarif(found, unproved=unproved), option=orjson.OPT_INDENT_2)
        Path(path).write_bytes(log + b"\n")
    except OSError as error:
        raise Mistake(f"cannot write {path}: {error.strerror}; name another file") from None


def _test(args: argparse.Namespace) -> int:
    """Exit 1 if a case fails, or a rule lacks cases; with --strict if cases leave a branch open.

    Exit 2 if a rule has a Problem; the cases of the others are run all the same.
    """
    from infra.authoring.coverage import gaps
    from infra.authoring.proving import Outcome, proved
    from infra.rules import stray

    files, ruleset = _loaded(args)
    wrong = sorted(ruleset.problems, key=lambda one: (one.path, one.line or 0))
    outcomes = [*proved(ruleset, files), *map(Outcome.astray, stray(args.paths))]
    failed = sum(bool(outcome.failures) for outcome in outcomes)
    found = list(gaps(ruleset, files)) if args.coverage or args.strict else []
    if args.json:
        _tell({"path": one.path, "line": one.line, "problem": one.message} for one in wrong)
        _tell(outcome.row() for outcome in outcomes)
        _tell(gap.row() for gap in found)
    else:
        _say(f"{problem}; its cases are not run" for problem in wrong)
        _say(str(outcome) for outcome in outcomes if outcome.failures)
        _say(str(gap) for gap in found)
    rules = len({outcome.rule for outcome in outcomes if outcome.rule is not None})
    cases = sum(outcome.case is not None for outcome in outcomes)
    open_ = sum(gap.branch for gap in found)
    told = (
        shown.plural(rules, "rule"),
        shown.plural(cases, "case"),
        shown.plural(failed, "failure"),
    )
    more = f", {shown.plural(open_, 'branch')} open" if args.coverage or args.strict else ""
    more += f", {shown.plural(len(wrong), 'problem')}" if wrong else ""
    print(f"{', '.join(told)}{more}", file=sys.stderr)
    if wrong:
        return Exit.USAGE
    return Exit.NO if failed or (args.strict and open_) else Exit.OK


def _list(args: argparse.Namespace) -> int:
    """All that are loaded, by kind and in the order of their files."""
    from infra.authoring.checking import rows

    files, ruleset = _loaded(args)
    if ruleset.problems:
        raise Mistake(f"{ruleset.problems[0]}; barograph rules check names all problems")
    found = rows(files, ruleset)
    if args.json:
        _tell(
            {"rule": r.id, "level": r.level, "kind": r.kind, "title": r.title, "path": r.path}
            for r in found
        )
    else:
        width = max((len(row.id) for row in found), default=0)
        _say(f"{row.id:{width}}  {row.level:13}  {row.kind:11}  {row.title}" for row in found)
    print(shown.plural(len(found), "rule"), file=sys.stderr)
    return Exit.OK


def _export(args: argparse.Namespace) -> int:
    """Exit 0; stderr says what is left out, and what pySigma does not read."""
    from infra.authoring.exported import refused, write
    from infra.authoring.exporting import exported

    files, ruleset = _loaded(args)
    if ruleset.problems:
        raise Mistake(f"{ruleset.problems[0]}; barograph rules check names all problems")
    found = list(exported(files, ruleset, ours=not args.paths))
    removed = write(Path(args.out), found)
    left = [f"{one.rule}: {one.reason}" for one in found if one.text is None]
    unread = [f"{name}: pySigma does not read it: {why}" for name, why in refused(found)]
    for line in (*left, *unread):
        print(shown.text(line), file=sys.stderr)
    filters = sum(one.name.startswith("filters/") for one in found)
    rules = shown.plural(len(found) - len(left) - filters, "rule")
    told = [f"{rules} and {shown.plural(filters, 'filter')} written to {args.out}"]
    told += [f"{len(left)} left out"]
    told += [f"{len(unread)} that pySigma does not read"] if unread else []
    told += [f"{shown.plural(removed, 'file')} of an earlier export removed"] if removed else []
    print(", ".join(told), file=sys.stderr)
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
    counted = _counted(documents, len(files) + len(others))
    return files, parse(counted, processing=processing(config))


def _counted(things: Iterable[_T], of: int) -> Iterator[_T]:
    """The things themselves; who waits at a terminal sees how far it is."""
    due = time.monotonic() + 1
    for number, thing in enumerate(things):
        if sys.stderr.isatty() and time.monotonic() >= due:
            print(f"{number:,} of {of:,} files\r", end="", file=sys.stderr, flush=True)
            due = time.monotonic() + 0.2
        yield thing


def _tell(rows: Iterable[dict[str, Any]]) -> None:
    """Objects, one a line."""
    for row in rows:
        line = shown.inert(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.write(line.decode())


def _say(lines: Iterable[str]) -> None:
    """Lines in which nothing acts on the terminal."""
    for line in lines:
        print(shown.text(line))


# By name: what it does, its options, and for people what it is for and how it is called.
_ACTIONS: dict[str, tuple[_Act, _Options, str, tuple[str, ...]]] = {
    "check": (
        _check,
        _check_options,
        "say what is wrong with rules, and which of them can never fire",
        (
            "check my-rules/",
            "check --strict --sarif rules.sarif my-rules/",
            "check --samples trail.json.gz my-rules/one.yml",
        ),
    ),
    "test": (
        _test,
        _test_options,
        "run the cases beside rules; exit 1 if one fails or is missing",
        ("test my-rules/", "test --coverage my-rules/one.yml"),
    ),
    "list": (
        _list,
        _list_options,
        "list rules with level and kind",
        ("list", "list --json my-rules/"),
    ),
    "export": (
        _export,
        _export_options,
        "write detections, correlations and filters as plain Sigma, as they are written",
        ("export --out sigma/", "export my-rules/ --out sigma/"),
    ),
}
