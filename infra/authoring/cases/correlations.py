"""Cases of correlations: hits at offsets, and the episodes that they must give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from correlators.correlate import comparable
from correlators.ruleset import Ruleset
from correlators.sigma.values import is_object
from infra.authoring.cases.offsets import START, offset, spelled
from infra.authoring.cases.shape import Keys, called, ids, near, nearest, wrong_each
from schemas.correlation import Correlation
from schemas.times import parse
from streams.given import Correlating, Given

CASE: Final = Keys(("hits", "episodes"), ("until",))
HIT: Final = Keys(("at", "of"), ("fields",))
EPISODE: Final = Keys(("group", "onset", "last"))


class _Episode(NamedTuple):
    """Onset and last as offsets in microseconds; group values as they compare, by name."""

    group: tuple[tuple[str, str], ...]
    onset: int
    last: int


def failures(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the case says; nothing if all is well.

    A case: `hits` [{of, at, fields}], how far time passes if further than these (`until`), and the
    `episodes` [{group, onset, last}] of `rule`, in any order. A hit is `of` a rule that `rule`
    refers to, itself or through a lower one, and has every field that these ask for; one that lacks
    it on purpose says `null`.
    """
    if wrong := [*_misshapen(case)] or [*_idle(ruleset, rule, case)]:
        yield from wrong
        return
    names, correlating = ids(ruleset), Correlating(ruleset)
    hits = [_given(n, hit, names) for n, hit in enumerate(case["hits"])]
    until = START + offset(case["until"]) if "until" in case else None
    results = [*correlating.take(sorted(hits, key=lambda hit: hit.time)), *correlating.end(until)]
    got = sorted(
        _Episode(_group(r.body["group"]), _since(r.body["onset_time"]), _since(r.body["last_time"]))
        for r in results
        if r.kind == "finding" and r.state == "final" and r.body["rule"] == rule
    )
    want = [(_wanted(one), one) for one in case["episodes"]]
    for episode, stated in want:
        if episode not in got:
            yield f"no episode{_said(stated['group'], stated['onset'], stated['last'])}"
    written = {offset(hit["at"]): hit["at"] for hit in case["hits"]}
    for group, onset, last in (one for one in got if one not in [episode for episode, _ in want]):
        times = (written.get(time, spelled(time)) for time in (onset, last))
        yield f"an episode that is not expected:{_said(dict(group), *times)}"


def _misshapen(case: Mapping[str, Any]) -> Iterator[str]:
    yield from CASE.wrong(case, "the case")
    yield from wrong_each(case, "hits", "hit", HIT)
    yield from wrong_each(case, "episodes", "episode", EPISODE)
    for number, one in enumerate(case.get("episodes") or (), 1):
        group: object = one.get("group", {}) if is_object(one) else {}
        if not is_object(group):
            yield f"`group` of episode {number} is a mapping, not {group!r}"


def _idle(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """Why hits would do nothing, whatever the rule says."""
    names, waiting = ids(ruleset), _waiting(ruleset, rule)
    for number, hit in enumerate(case["hits"], 1):
        of, fields = str(hit["of"]), hit.get("fields", {})
        if (id_ := names.get(of, of)) not in waiting:
            known = called(names, waiting)
            listed = ", ".join(f"`{one}`" for one in known)
            yield (
                f"hit {number} is of `{of}`, which is no rule that this one refers to"
                f"{near(of, known) or f' ({listed})'}"
            )
        elif not is_object(fields):
            yield f"`fields` of hit {number} is a mapping, not {fields!r}"
        else:
            yield from dict.fromkeys(
                sentence
                for one in waiting[id_]
                for sentence in _lacking(one, id_, fields, f"hit {number}")
            )


def _lacking(rule: Correlation, of: str, fields: Mapping[str, Any], hit: str) -> Iterator[str]:
    for name in (*rule.group_by, *rule.fields):
        field = rule.aliases.get(name, {}).get(of, name)
        does = "groups by" if name in rule.group_by else "counts"
        if field not in fields:
            typed = nearest(field, fields)
            mend = f"it has `{typed}`" if typed else f"`{field}: null` if that is meant"
            yield f"{hit} lacks the field `{field}`, which `{rule.name or rule.id}` {does} ({mend})"
        elif fields[field] is not None and comparable(fields[field]) is None:
            yield f"`{field}` of {hit} is a list or a mapping, and no value that one {does}"


def _waiting(ruleset: Ruleset, rule: str) -> dict[str, list[Correlation]]:
    """By id of a rule, the correlations that refer to it: `rule`, and the lower ones of its chain.

    The ids are in the order of the chain, from `rule` down.
    """
    known = {one.id: one for one in ruleset.correlations}
    found: dict[str, list[Correlation]] = {}
    chain = [rule]
    for id_ in chain:  # it grows while it is walked
        for lower in known[id_].rules:
            found.setdefault(lower, []).append(known[id_])
            if lower in known and lower not in chain:
                chain.append(lower)
    return found


def _given(number: int, hit: Mapping[str, Any], names: Mapping[str, str]) -> Given:
    of = str(hit["of"])
    return Given(
        id=f"hit-{number}",
        time=START + offset(hit["at"]),
        detection=names.get(of, of),
        event=f"hit-{number}",
        fields=hit.get("fields", {}),
        sha256="",
        entities=(),
        family=of,
    )


def _wanted(episode: Mapping[str, Any]) -> _Episode:
    return _Episode(_group(episode["group"]), offset(episode["onset"]), offset(episode["last"]))


def _group(group: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, comparable(value) or str(value)) for name, value in group.items()))


def _since(time: str) -> int:
    return parse(time) - START


def _said(group: Mapping[str, Any], onset: object, last: object) -> str:
    of = ", ".join(f"{name}={value}" for name, value in group.items())
    return f"{f' of {of}' if of else ''} from {onset} to {last}"
