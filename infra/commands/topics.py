"""Make the topics of a deployment, check them, or say which rights a user needs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from infra.exits import Exit
from infra.settings import load as settings

if TYPE_CHECKING:
    from schemas.config import Config, KafkaConfig
    from schemas.topics import Plan

EXAMPLE = "barograph topics create --raw cloudtrail --raw otel"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, act, what, example in (
        ("create", _create, "make what is missing; what is there stays as it is", "--raw otel"),
        (
            "check",
            _check,
            "say in what topics differ, and the mend; exit 1 if a run would suffer",
            "--raw otel",
        ),
        (
            "rights",
            _rights,
            "print the commands that grant a user the least that it needs",
            "collector --role producer --raw otel",
        ),
    ):
        epilog = f"example:\n  barograph topics {name} {example}"
        action = actions.add_parser(name, help=what, description=what, epilog=epilog)
        action.set_defaults(act=act)
        action.add_argument(
            "--raw",
            action="append",
            default=[],
            metavar="NAME",
            help="also the raw topic of this source; may be repeated",
        )
        if name == "create":
            action.add_argument("--dry-run", action="store_true", help="ask only, make nothing")
        if name == "rights":
            action.add_argument("user", metavar="USER", help="the name that the brokers know")
            action.add_argument(
                "--role",
                choices=("worker", "sink", "producer", "creator", "replayer"),
                default="worker",
                help="worker: all stages and sinks (default); sink: sinks only; producer: writes "
                "raw topics; creator: topics create and check; replayer: dead-letters replay",
            )
        else:
            action.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Do as the action says: data to stdout, a line of counts last to stderr."""
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _create(args: argparse.Namespace) -> int:
    """Exit 0 once all are there."""
    from streams.kafka.connection import admin
    from streams.kafka.topics import create

    _, kafka, plans = _plans(args)
    client = admin(kafka)
    try:
        done = create(client, kafka, plans, dry=args.dry_run)
    finally:
        client.close()
    made = "would be made" if args.dry_run else "made"
    for plan, new in done:
        if args.json:
            print(json.dumps(plan._asdict() | {"made": new and not args.dry_run, "there": not new}))
        else:
            print(f"{plan.name}: {f'{made}, {_size(plan)}' if new else 'there'}")
    count = sum(new for _, new in done)
    print(f"{count} {made}, {len(done) - count} there", file=sys.stderr)
    return Exit.OK


def _check(args: argparse.Namespace) -> int:
    """Exit 1 if a Difference is more than a hint."""
    from infra.brokers import inputs
    from streams.kafka.connection import admin
    from streams.kafka.topics import check

    config, kafka, plans = _plans(args)
    client = admin(kafka)
    try:
        found = check(client, kafka, plans, inputs(config))
    finally:
        client.close()
    for one in found:
        if args.json:
            print(json.dumps(one._asdict()))
        else:
            print(f"{'hint: ' if one.hint else ''}{one.topic}: {one.what}; {one.mend}")
    hints = sum(one.hint for one in found)
    print(f"{len(plans)} topics, {len(found) - hints} differences, {hints} hints", file=sys.stderr)
    return Exit.NO if len(found) > hints else Exit.OK


def _rights(args: argparse.Namespace) -> int:
    """No broker is asked."""
    from infra.brokers import inputs
    from streams.kafka.rights import grants

    config, kafka, _ = _plans(args)
    for line in grants(kafka, _levels(config), args.user, args.role, args.raw, inputs(config)):
        print(line)
    return Exit.OK


def _plans(args: argparse.Namespace) -> tuple[Config, KafkaConfig, list[Plan]]:
    from infra.brokers import kafka
    from schemas.topics import deployment
    from streams.source import named

    config = settings(args.config)
    brokers = kafka(config, args.config)
    return (
        config,
        brokers,
        deployment(brokers, _levels(config), (named(name).NAME for name in args.raw)),
    )


def _levels(config: Config) -> int:
    """How many levels of correlations the rules have: each has its topic of state."""
    from infra.rules import load

    return load(config.rules).levels


def _size(plan: Plan) -> str:
    return f"{plan.partitions} {'partition' if plan.partitions == 1 else 'partitions'}"
