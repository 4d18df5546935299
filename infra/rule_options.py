"""Options of every command that loads rules: what is done to them, and how much may be wrong."""

import argparse

from schemas.config import RulesConfig


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--pipeline`, `--placeholders` and `--strict`."""
    processing(parser)
    parser.add_argument(
        "--strict", action="store_true", help="exit 2 if one of the rules cannot be used"
    )


def beside(parser: argparse.ArgumentParser) -> None:
    """Declare `--rules` of commands that have the built-in ones."""
    parser.add_argument(
        "--rules",
        action="append",
        default=[],
        metavar="PATH",
        help="file or folder of rules beside the built-in ones; may be repeated",
    )


def processing(parser: argparse.ArgumentParser) -> None:
    """Declare `--pipeline` and `--placeholders` alone."""
    parser.set_defaults(strict=False)
    parser.add_argument(
        "--pipeline",
        action="append",
        default=[],
        metavar="FILE",
        help="processing pipeline of pySigma that is applied to the rules, or `sigmahq` for the"
        " names that SigmaHQ has for cloud logs; may be repeated",
    )
    parser.add_argument(
        "--placeholders",
        action="append",
        default=[],
        metavar="FILE",
        help="values of %%name%% in rules, `placeholders: {name: [...]}`; may be repeated",
    )


def stated(
    args: argparse.Namespace,
    config: RulesConfig,
    *,
    paths: tuple[str, ...] | None = None,
    builtin: bool | None = None,
) -> RulesConfig:
    """The configuration with what the command line adds; `paths` and `builtin` take its place."""
    return RulesConfig(
        paths=config.paths if paths is None else paths,
        builtin=config.builtin if builtin is None else builtin,
        pipelines=(*config.pipelines, *args.pipeline),
        placeholders=(*config.placeholders, *args.placeholders),
        strict=config.strict or args.strict,
    )
