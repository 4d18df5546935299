"""Cases of detections: a record that must match or must not."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import orjson

from correlators.normal import logsource, normal_form
from correlators.ruleset import Ruleset
from correlators.sigma.matcher import Matcher, runs_on
from correlators.sigma.rule import Rule
from correlators.sigma.values import is_object
from infra.authoring.cases.shape import Keys
from schemas.config import Limits
from schemas.detection import Logsource
from schemas.event import Reject
from streams.reading import Reader
from streams.source import Reason, Source, Unreadable, named, names

CASE: Final = Keys(("source", "event", "match"))
NORMAL = "normal"


def failures(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the case says; nothing if all is well.

    A case: `source`, `event`, `match`. The event is a document of the source, which is routed and
    read like a live one, or of source `normal` the normal form itself.
    """
    if wrong := list(CASE.wrong(case, "the case")):
        yield from wrong
        return
    source, event, expected = str(case["source"]), case["event"], case["match"]
    if not isinstance(expected, bool):
        yield f"`match` is true or false, not {expected!r}"
        return
    if not is_object(event):
        yield "`event` is an object, the record that is to be judged"
        return
    wanted = next(one for one in ruleset.rules if one.detection.id == rule)
    try:
        matched = wanted.matches(event) if source == NORMAL else _live(wanted, named(source), event)
    except Unreadable as error:
        yield f"{source} cannot read the event: {error.detail}"
        return
    if matched is not expected:
        yield "does not match" if expected else "matches"


def missing(cases: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What the cases of a rule leave open."""
    expected = [case.get("match") for case in cases]
    if True not in expected:
        yield "no case that matches"
    if False not in expected:
        yield "no case that does not match"


def judged(rule: Rule, case: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The records that the condition of a rule is asked about in a case, as it sees them.

    None for a case that cannot be run. A vendor's rule sees the raw record, others the normal form
    of each Event.
    """
    source, event = case.get("source"), case.get("event")
    if not is_object(event) or not isinstance(source, str):
        return
    if source == NORMAL or source not in names():
        yield from (event,) if source == NORMAL else ()
    elif _raw(rule, named(source)):
        yield event
    else:
        try:
            yield from (form for form, _ in _forms(named(source), event))
        except Unreadable:
            return


def _live(rule: Rule, source: Source, event: Mapping[str, Any]) -> bool:
    if _raw(rule, source):
        matcher = Matcher([rule], source.LOGSOURCE, source.NARROW)
        scan = matcher.scan([orjson.dumps(event)])
        return any(matcher.match(event, rules) for _, rules in scan.hits)
    return any(Matcher([rule], where, None).match(form) for form, where in _forms(source, event))


def _raw(rule: Rule, source: Source) -> bool:
    return source.NARROW is not None and runs_on(rule.detection.logsource, source.LOGSOURCE)


def _forms(
    source: Source, event: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Logsource]]:
    """The normal form of each record of a document, and where rules over it run."""
    for result, _ in Reader(source, "case", Limits()).read(orjson.dumps(event), 0):
        if isinstance(result, Reject):
            raise Unreadable(cast("Reason", result.reason), result.detail)
        yield normal_form(result.event, result.private), logsource(result.event)
