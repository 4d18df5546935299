"""Filtering: what is odd about filters: rules that they do not filter, fields that nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from correlators.document import Faulty
from correlators.ruleset import Filtered, Ruleset
from correlators.sigma.outline import outline
from infra.authoring.asked import of_detection
from infra.authoring.firing import Estate, Vocabularies, meant, named, near

_HINTS: Final = 20


class Idle(NamedTuple):
    """A line of a filter that takes no matches away, and why."""

    line: int
    message: str


class Filtering:
    """What there is to say of the filters of a rule set."""

    def __init__(self, ruleset: Ruleset, estate: Estate) -> None:
        self._processing = ruleset.processing
        self._estate = estate
        about = [rule.detection for rule in ruleset.rules]
        self._by_id = {one.id: one for one in about}
        self._known = {one.name: one for one in about if one.name is not None} | self._by_id
        self._hints = _HINTS

    def idle(self, one: Filtered) -> Iterator[Idle]:
        """The rules that a filter names and does not filter; that it filters none at all."""
        part = one.filter.part
        filtered = set(one.rules)
        stated = part.data["filter"]["rules"]
        named_ = [stated] if isinstance(stated, str) else stated
        for number, name in enumerate(() if one.filter.rules is None else named_):
            about = self._known.get(name) or self._known.get(name.lower())
            if about is None:
                message = f"`{name}` is no detection that is loaded, and is not filtered"
                yield Idle(part.line_of("filter", "rules", number), message + self._hint(name))
            elif about.id not in filtered:
                message = (
                    f"`{name}` is not filtered: its logsource is {named(about.logsource)}, and"
                    f" that of the filter {named(one.filter.logsource)}"
                )
                yield Idle(part.line_of("logsource"), message)
        if not filtered:
            yield Idle(part.line_of("filter"), "this filter filters no rule")

    def unknown(self, one: Filtered) -> Iterator[Idle]:
        """The fields of its selections that no record has that the rules it filters see."""
        seen = [self._by_id[id_].logsource for id_ in one.rules] or [one.filter.logsource]
        routed: Vocabularies = {
            source: words
            for logsource in seen
            for source, words in self._estate.routed(logsource).items()
        }
        try:
            tree = outline(one.filter.part, self._processing, "filter")
        except Faulty:  # a Problem of the rules that it filters already, if it filters any
            return
        for line, message in of_detection(one.filter.part, tree, dict(sorted(routed.items()))):
            yield Idle(line, message)

    def _hint(self, name: str) -> str:
        """What may be meant; for the first few names, since each is held to all that are known."""
        self._hints -= 1
        return meant(near(name, self._known) if self._hints >= 0 else None)
