"""Matchers: the rules of a run, made ready for each kind of record when the first one comes."""

from __future__ import annotations

from collections.abc import Sequence

from correlators.advisories.feed import NONE, Feed
from correlators.normal import logsource
from correlators.sigma.matcher import Matcher
from correlators.sigma.rule import Rule
from schemas.event import Event
from streams.source import Source


class Matchers:
    """Shared by all inputs: making one costs more than a small file."""

    def __init__(self, rules: Sequence[Rule], advisories: Feed = NONE) -> None:
        self._rules, self.advisories = rules, advisories
        self._raw: dict[str, Matcher] = {}
        self._normal: dict[tuple[str, str], Matcher] = {}

    def raw(self, source: Source) -> Matcher | None:
        """The matcher over raw vendor records, for sources that have such a form."""
        if source.NARROW is None:
            return None
        if source.NAME not in self._raw:
            self._raw[source.NAME] = Matcher(self._rules, source.LOGSOURCE, source.NARROW)
        return self._raw[source.NAME]

    def normal(self, event: Event) -> Matcher:
        """The matcher over the normal form of such events."""
        key = event.source, event.class_name
        if key not in self._normal:
            self._normal[key] = Matcher(self._rules, logsource(event), None)
        return self._normal[key]
