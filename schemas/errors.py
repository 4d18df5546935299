"""The two ways in which a command can refuse: the user's mistake, or a dependency that is away."""

from __future__ import annotations


class Mistake(Exception):
    """Usage, configuration or rule error (exit 2).

    The message is one sentence: what, where, the mend.
    """


class Unavailable(Exception):
    """A dependency (broker, receiver, locked file, full disk) cannot be used now (exit 3)."""


class Slow(Mistake):
    """A question takes longer than it may."""
