"""The command line: finds the commands in their folder, runs one, maps its end to an exit code.

Only the chosen command is imported; `barograph --help` reads the first line of each file and
imports none.
"""

import argparse
import ast
import gc
import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

import infra.commands
from infra.exits import Exit
from schemas.errors import Mistake, Unavailable

EPILOG = """\
start here:
  barograph demo

exit codes:
  0 ok
  1 the answer is no: gate failed, verify failed, rejects with --strict
  2 usage, configuration or rule error
  3 a dependency is unavailable: broker, SIEM, locked file
  130 interrupted
"""


class Command(Protocol):
    """What a module in infra/commands holds."""

    __doc__: str | None
    EXAMPLE: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """Takes `--config` at every level; its errors are Mistakes of one sentence.

    With `module` it is the parser of that command, imported when its arguments are parsed.
    """

    def __init__(self, *, module: str | None = None, **options: Any) -> None:  # noqa: ANN401 - argparse's own
        # No abbreviations: a new option would break the scripts that shortened an old one.
        super().__init__(**options, allow_abbrev=False)
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        self._module = module
        self.add_argument(
            "--config",
            type=Path,
            default=argparse.SUPPRESS,  # a command's silence must not undo what stands before it
            metavar="PATH",
            help="configuration file (default: barograph.toml in the working directory, if any)",
        )

    def parse_known_args(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - argparse's own
        """As argparse has it, with the command's own arguments."""
        if self._module is not None:
            command = cast("Command", importlib.import_module(self._module))
            self._module = None
            self.description = command.__doc__
            self.epilog = "example:\n" + textwrap.indent(command.EXAMPLE, "  ")
            self.set_defaults(run=command.run)
            command.arguments(self)
        return super().parse_known_args(*args, **named)

    def error(self, message: str) -> NoReturn:
        """Raise `message` as a Mistake that says where the help is."""
        raise Mistake(f"{message}; see {self.prog} --help")


class Version(argparse.Action):
    """Prints the installed version and leaves."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Look the version up only now: it takes as long as everything else here."""
        from importlib.metadata import version  # noqa: PLC0415

        print("barograph", version("barograph"))
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its Exit; `argv` has no program name (default: the process's own).

    A Mistake or an Unavailable becomes one sentence on stderr and its exit code; a reader of stdout
    that leaves early is no error. Any other exception is a defect of ours and keeps its traceback.
    """
    try:
        return _run(argv)
    except Mistake as mistake:
        return _refuse(mistake, Exit.USAGE)
    except Unavailable as unavailable:
        return _refuse(unavailable, Exit.UNAVAILABLE)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # What is still buffered would fail once more while Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def command_files() -> Iterator[Path]:
    """Yield the file of every command, by name."""
    for folder in infra.commands.__path__:
        yield from sorted(Path(folder).glob("[!_]*.py"))


def _run(argv: Sequence[str] | None) -> int:
    # Records come and go by the million and hold no cycles: looking for some costs a third.
    gc.set_threshold(200_000, 20, 100)
    try:
        args = _parser().parse_args(argv)
    except SystemExit:  # --help and --version have printed; errors are Mistakes
        code: int = Exit.OK
    else:
        code = args.run(args)
    sys.stdout.flush()  # a closed pipe shows here, where it is caught, and not while Python ends
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="barograph",
        description="Correlates AI security logs and scanner output into forecast alerts.",
        epilog=EPILOG,
    )
    parser.set_defaults(config=None)
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and leave")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for file in command_files():
        with file.open(encoding="utf-8") as lines:
            docstring = ast.literal_eval(lines.readline())
        commands.add_parser(
            file.stem.replace("_", "-"),
            module=f"{infra.commands.__name__}.{file.stem}",
            help=docstring.replace("%", "%%"),
        )
    return parser


def _refuse(reason: Exception, code: Exit) -> Exit:
    # The sentence may quote a record or a file name: nothing in it may drive the terminal.
    sentence = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(reason))
    print(f"barograph: {sentence}", file=sys.stderr)
    return code
