"""Run rules and their correlations over history: what they would have said, and what it costs."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from correlators.ruleset import Ruleset
from infra import rule_options
from infra.backtest.backtested import accounts, lines
from infra.backtest.backtesting import Backtest, Outcome
from infra.backtest.history import History, given, stored
from infra.exits import Exit
from infra.rules import related
from infra.settings import load as settings
from infra.terminal.progress import Progress
from infra.terminal.shown import inert, plural, text
from infra.terminal.times import moment
from schemas.errors import Mistake, Unavailable
from streams.trawl import Match, Span

RULES = (".yml", ".yaml")
EXAMPLE = "barograph backtest my-rules/brute_force.yml logs/ --from 2026-03-01T00:00:00Z"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="RULE|INPUT",
        help="rules (.yml, or a folder with such) and the history to run them over (.json"
        " .jsonl .ndjson .sarif .csv .gz .zst, or a folder); without an INPUT: the files that the"
        " store names",
    )
    parser.add_argument(
        "--source", metavar="NAME", help="the format of all INPUTs; without it each is sniffed"
    )
    rule_options.arguments(parser)
    parser.add_argument(
        "--from",
        dest="since",
        type=moment,
        metavar="T",
        help="only records of this time or later count",
    )
    parser.add_argument(
        "--to", dest="until", type=moment, metavar="T", help="only records before this time count"
    )
    parser.add_argument(
        "--store",
        metavar="PATH",
        help="the store that names the history (default: the newer of ./out and the data folder)",
    )
    parser.add_argument(
        "--root",
        default=".",
        metavar="DIR",
        help="where relative paths of the store start (default: here)",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="write findings.jsonl, matches.jsonl, rejects.jsonl and summary.json there",
    )
    parser.add_argument(
        "--json", action="store_true", help="matches and findings as JSON lines, not the summary"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0, whatever was found. Data goes to stdout, what could not be read to stderr."""
    config = settings(args.config)
    rules, inputs = _divided(args.paths)
    span = Span()
    span = Span(
        span.since if args.since is None else args.since,
        span.until if args.until is None else args.until,
    )
    if span.since >= span.until:
        raise Mistake("--from is not before --to, so no record can count; exchange them")
    ruleset = related(rule_options.stated(args, config.rules, paths=tuple(rules), builtin=False))
    _refuse_habits(ruleset)
    if inputs:
        history = given(inputs, args.source, config)
    else:
        history = stored(args.store, Path(args.root), config)
    for sentence in history.missing:
        print(f"not read: {text(sentence)}", file=sys.stderr)
    out = _Out(args.out, as_json=args.json)
    heads = {rule.detection.id: rule.detection for rule in ruleset.rules}

    def match(found: Match) -> None:
        rule = heads[found.detection]
        line = {"rule": rule.id, "title": rule.title, "level": rule.level}
        out.write("matches", line | {"event": found.event, "origin": found.origin})

    with out:
        started = time.process_time()
        backtest = Backtest(ruleset, history.files, config, span, match)
        progress = Progress()
        outcome = backtest.run(lambda read: progress(lambda: read))
        seconds = time.process_time() - started
        for body in outcome.findings:
            out.write("findings", body | {"meta": {"state": "final", "revision": 1}})
        for body in outcome.rejects:
            out.write("rejects", body)
        summary = _summary(outcome, history, seconds)
        if args.json:
            found = ", ".join(
                (
                    plural(summary["read"], "record"),
                    f"{summary['rejected']} rejected",
                    plural(out.written["matches"], "match"),
                    plural(summary["findings"], "finding"),
                )
            )
            print(found, file=sys.stderr)
        if args.out or not args.json:
            told = accounts(backtest, outcome, ruleset)
            out.summary(summary | {"rules": [one.record() for one in told]})
            for line in () if args.json else (*_totals(summary), *lines(told)):
                print(line)
    return Exit.OK


def _refuse_habits(ruleset: Ruleset) -> None:
    for one in ruleset.habits:
        raise Mistake(
            f"{one.path}: a backtest does not run a rule with a habit, which learns from all that"
            f" was before; run `barograph replay INPUT --rules {one.path} --no-builtin`"
        )


def _divided(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Rules and inputs. A folder that holds rules is one of rules."""
    rules: list[str] = []
    inputs: list[str] = []
    for name in paths:
        path = Path(name)
        rule = path.suffix in RULES or (
            path.is_dir() and any(next(path.rglob(f"*{suffix}"), None) for suffix in RULES)
        )
        (rules if rule else inputs).append(name)
    if not rules:
        raise Mistake(f"none of these is a rule (.yml) or a folder of rules; {EXAMPLE}")
    return rules, inputs


def _summary(outcome: Outcome, history: History, seconds: float) -> dict[str, Any]:
    read = outcome.counts["read"]
    return {
        **outcome.counts,
        "files": len(history.files),
        "not_read": history.missing,
        "findings": len(outcome.findings),
        "sources": dict(outcome.sources),
        "cpu_seconds": round(seconds, 3),
        "us_per_record": round(seconds / read * 1e6, 2) if read else 0.0,
    }


def _totals(summary: Mapping[str, Any]) -> Iterable[str]:
    read, cost = summary["read"], summary["us_per_record"]
    records = f"{plural(read, 'record')} of {plural(summary['files'], 'file')}"
    rest = f"{summary['rejected']:,} rejected, {summary['late']:,} late; {cost:g} us a record"
    yield f"{records}, {rest}"
    if summary["rejected"]:
        yield "rejected records are told by --out DIR; barograph parse tells them too"


class _Out:
    """The lines of a run: into the files of a folder, to stdout, both or nowhere."""

    def __init__(self, folder: str | None, *, as_json: bool) -> None:
        self._folder = None if folder is None else Path(folder)
        self._files: dict[str, BinaryIO] = {}
        self.written: Counter[str] = Counter()
        self._stdout = sys.stdout.buffer if as_json else None

    def __enter__(self) -> None:
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                for kind in ("findings", "matches", "rejects"):
                    self._files[kind] = (self._folder / f"{kind}.jsonl").open("wb")
            except OSError as error:
                raise _unwritable(self._folder, error) from error

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        """One line; of rejects there are none on stdout."""
        line = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
        self.written[kind] += 1
        if kind in self._files:
            self._files[kind].write(line)
        if self._stdout is not None and kind != "rejects":
            self._stdout.write(inert(line))

    def summary(self, body: Mapping[str, Any]) -> None:
        """The summary as a file."""
        if self._folder is not None:
            data = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            (self._folder / "summary.json").write_bytes(data)


def _unwritable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{folder} cannot be written: {error.strerror}; give another with --out")
