"""Drawn: random correlations of each type, and streams of hits that come near their edges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from correlators.accumulator import Hit
from schemas.correlation import CELLS, OPERATORS, Correlation
from schemas.times import SECOND

RULES: tuple[str, ...] = ("a", "b", "c")

Strategy = st.SearchStrategy[Correlation]

_WHOLE = st.integers(-4, 12)
_NUMBERS = st.one_of(_WHOLE, st.decimals(-4, 12, places=1))
_SPANS = st.sampled_from([1, 2, 5, 10, 20])


def _conditions(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(sorted(OPERATORS)), numbers, min_size=1, max_size=2)


@st.composite
def _clauses(draw: st.DrawFn, *, absent: bool) -> list[dict[str, list[str]]]:
    found: list[dict[str, list[str]]] = []
    for _ in range(draw(st.integers(1, 3))):
        asked = {name: draw(st.sampled_from("pan" if absent else "pn")) for name in RULES}
        clause = {
            "present": [name for name in RULES if asked[name] == "p"],
            "absent": [name for name in RULES if asked[name] == "a"],
        }
        found.append(clause if any(clause.values()) else {"present": ["a"], "absent": []})
    return found


def _of(type_: str, **more: st.SearchStrategy[Any]) -> Strategy:
    def made(span: int, **drawn: Any) -> Correlation:  # noqa: ANN401 - fields of a rule
        about = {"id": "rule", "title": "rule", "family": "rule", "type": type_, "rules": RULES}
        fields = ["v"] if type_.startswith("value") else []
        timespan = span * SECOND
        return Correlation.model_validate(about | {"fields": fields, "timespan": timespan} | drawn)

    return st.builds(made, span=_SPANS, **more)


_COUNTS = _conditions(st.integers(0, 4))
KINDS: dict[str, Strategy] = {
    "event_count": _of("event_count", condition=_COUNTS),
    "value_count": _of("value_count", condition=_COUNTS),
    "temporal": _of("temporal"),
    "temporal with a number": _of("temporal", condition=_COUNTS),
    "temporal over names": _of("temporal", clauses=_clauses(absent=False)),
    "temporal over names, with not": _of("temporal", clauses=_clauses(absent=True)),
    "temporal_ordered": _of("temporal_ordered"),
    "temporal_ordered with a number": _of("temporal_ordered", condition=_COUNTS),
    "temporal_ordered over names": _of("temporal_ordered", clauses=_clauses(absent=False)),
    "temporal_ordered over names, with not": _of("temporal_ordered", clauses=_clauses(absent=True)),
    "value_sum": _of("value_sum", condition=_conditions(_NUMBERS)),
    "value_avg": _of("value_avg", condition=_conditions(_NUMBERS)),
    "value_median": _of("value_median", condition=_conditions(_NUMBERS)),
    "value_percentile": _of(
        "value_percentile",
        condition=_conditions(_NUMBERS),
        percentile=st.sampled_from([0, 10, 50, 75, 95, 100, Decimal("33.3"), Decimal("99.9")]),
    ),
}

_VALUES = st.one_of(
    st.none(), st.integers(-3, 9).map(str), st.sampled_from(["0.1", "0.7", "-0.5", "1e18", "-1e18"])
)


def streams(rule: Correlation, size: int = 30) -> st.SearchStrategy[list[Hit]]:
    """Hits of one or two rules each, in no order; ids in the order of the list.

    Times are whole seconds, many equal, or lie about a number of timespans and cells apart.
    """
    span, cell = rule.timespan, rule.timespan // CELLS
    apart = st.builds(
        lambda spans, cells, off: max(0, spans * span + cells * cell + off),
        st.integers(0, 5),
        st.sampled_from([0, 1, 2, 31, 63]),
        st.integers(-1, 1),
    )
    times = st.one_of(st.integers(0, 40).map(lambda second: second * SECOND), apart)
    names = st.lists(st.sampled_from(RULES), min_size=1, max_size=2, unique=True).map(sorted)
    raw = st.lists(st.tuples(times, names, _VALUES), max_size=size)

    def made(drawn: list[tuple[int, list[str], str | None]]) -> list[Hit]:
        return [
            Hit(time, f"{place:03d}", tuple(names), value)
            for place, (time, names, value) in enumerate(drawn)
        ]

    return raw.map(made)
