"""Matcher: the rules that run on one kind of record, routed by logsource, found by witness."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from correlators.normal import PRODUCT
from correlators.sigma.narrow import Narrow, Scan, Scanner, decoded_object, relevance
from correlators.sigma.plan import Plan
from correlators.sigma.rule import Rule
from schemas.detection import Logsource

SAMPLE: Final = 256  # records that cost some 5 ms and show what is seldom


class Matcher:
    """A rule runs only where its logsource is implied by that of the records.

    The normal form is for rules that ask for it by `product: barograph`. Rules of other logsources
    cost nothing. A scan may name a rule that then does not match, but leaves none out that does.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        logsource: Logsource,
        narrow: Narrow | None,
        sample: int = SAMPLE,
    ) -> None:
        """`narrow` says how raw records can be scanned; without it there is no `scan`.

        After so many records as `sample` the scan is made anew, by what was seldom in them.
        """
        routed = [rule for rule in rules if runs_on(rule.detection.logsource, logsource)]
        self.rules = tuple(routed)
        self._narrow = narrow
        self._plan = Plan(routed) if narrow is None else _plan(routed, narrow)
        self._scanner = None if narrow is None else Scanner(self._plan, narrow)
        self._relevant = None if narrow is None else relevance(narrow)
        self._sample: list[bytes] = []
        self._to_learn = sample
        self._order = {id(rule): place for place, rule in enumerate(routed)}

    def scan(self, records: Sequence[bytes]) -> Scan:
        """Judge raw JSON records without decoding all of each."""
        if self._scanner is None:
            raise TypeError("these records have no narrow form to scan")
        scan = self._scanner.scan(records)
        if self._to_learn and self._narrow is not None:
            self._learn(records[: self._to_learn], self._narrow)
        return scan

    def relevant(self, record: Mapping[str, Any]) -> bool:
        """True if a decoded record matters whatever the rules say."""
        return self._relevant is None or self._relevant(record)

    def match(
        self, record: Mapping[str, Any], candidates: Sequence[Rule] | None = None
    ) -> list[Rule]:
        """The rules that match a decoded record, in order; of `candidates` if a scan named them."""
        if candidates is None:
            candidates = self._plan.named(self._plan.called(record))
        matched = [rule for rule in candidates if rule.matches(record)]
        if len(matched) > 1:
            matched.sort(key=lambda rule: self._order[id(rule)])
        return matched

    def _learn(self, records: Sequence[bytes], narrow: Narrow) -> None:
        """Take records into the sample, and plan by it when it is complete."""
        self._sample += records
        self._to_learn -= len(records)
        if not self._to_learn:
            decoded = [record for record in map(decoded_object, self._sample) if record is not None]
            self._plan = _plan(self.rules, narrow, decoded)
            self._scanner = Scanner(self._plan, narrow)
            self._sample = []


def _plan(rules: Sequence[Rule], narrow: Narrow, sample: Sequence[Mapping[str, Any]] = ()) -> Plan:
    return Plan(rules, narrow.relevant, sample, narrow.ordinary)


def runs_on(rule: Logsource, records: Logsource) -> bool:
    """True if a rule of one logsource is for records of the other."""
    return rule.implied_by(records) and (records.product != PRODUCT or rule.product == PRODUCT)
