"""The commands: one module each, found by infra.cli because it lies in this folder.

A module `dead_letters.py` is the command `dead-letters`. Its first line is a docstring of one line,
the help text. It has

    EXAMPLE: str                                             a line that a user can copy
    def arguments(parser: argparse.ArgumentParser) -> None   declares what the command takes
    def run(args: argparse.Namespace) -> int                 does it, returns an infra.exits.Exit

`args.config` is the path given by `--config`, or None. Data goes to stdout, progress to stderr.
A user's mistake is raised as schemas.errors.Mistake, a dependency that cannot be used as
schemas.errors.Unavailable.
"""
