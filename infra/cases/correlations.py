"""Cases of correlations: hits at offsets, and the episodes that they must give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from correlators.ruleset import Ruleset
from infra.cases.offsets import START, offset
from schemas.times import rfc3339
from streams.given import Correlating, Given


def failures(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the case says; nothing if all is well.

    A case: `hits` [{of, at, fields}], how far time passes if further than these (`until`), and the
    `episodes` [{group, onset, last}] of `rule`, in any order.
    """
    correlating = Correlating(ruleset)
    hits = [_given(n, hit) for n, hit in enumerate(case["hits"])]
    until = START + offset(case["until"]) if "until" in case else None
    results = [*correlating.take(sorted(hits, key=lambda hit: hit.time)), *correlating.end(until)]
    found = [
        r.body
        for r in results
        if r.kind == "finding" and r.state == "final" and r.body["rule"] == rule
    ]
    got = sorted((_group(f["group"]), f["onset_time"], f["last_time"]) for f in found)
    want = sorted((_group(e["group"]), _at(e["onset"]), _at(e["last"])) for e in case["episodes"])
    for episode in want:
        if episode not in got:
            yield f"no episode {_said(episode)}"
    for episode in got:
        if episode not in want:
            yield f"an episode that is not expected: {_said(episode)}"


def _given(number: int, hit: Mapping[str, Any]) -> Given:
    return Given(
        id=f"hit-{number}",
        time=START + offset(hit["at"]),
        detection=hit["of"],
        event=f"hit-{number}",
        fields=hit.get("fields", {}),
        sha256="",
        entities=(),
        family=hit["of"],
    )


def _group(group: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value).casefold()) for name, value in group.items()))


def _at(stated: str) -> str:
    return rfc3339(START + offset(stated))


def _said(episode: tuple[Any, str, str]) -> str:
    group, onset, last = episode
    return f"of {dict(group)} from {onset} to {last}"
