"""The exit codes that users and programs rely on."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended; part of the contract, so a change of a number is a major version."""

    OK = 0
    NO = 1  # the answer is "no": gate failed, verify failed, rejects with --strict
    USAGE = 2  # usage, config or rule error
    UNAVAILABLE = 3  # a dependency does not answer: broker, SIEM, locked file
    INTERRUPTED = 130
