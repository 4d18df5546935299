"""Rules that count the same detections by the same field keep their hits once."""

from __future__ import annotations

from typing import Any

import pytest

from correlators.pool import Pool, Taker, pools
from correlators.sightings import Caught
from schemas.correlation import Correlation


def rule(id_: str, type_: str = "event_count", **more: Any) -> Correlation:  # noqa: ANN401 - fields of a rule
    about = {"id": id_, "title": id_, "family": id_, "type": type_, "timespan": "5m"}
    usual: dict[str, Any] = {"rules": ["a", "b"], "group_by": ["user"]}
    if not type_.startswith("temporal"):
        usual["condition"] = {"gte": 2}
    return Correlation.model_validate(about | usual | more)


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (rule("y", timespan="1h", condition={"lt": 9}), True),
        (rule("y", "temporal"), True),
        (rule("y", "temporal_ordered", rules=["b", "a"]), True),
        (
            rule("y", group_by=["who"], aliases={"who": {"a": "user", "b": "user"}}),
            True,
        ),
        (rule("y", group_by=["who"], aliases={"who": {"a": "user"}}), False),
        (rule("y", group_by=["user", "host"]), False),
        (rule("y", rules=["a"]), False),
        (rule("y", "value_count", fields=["host"]), False),
        (rule("y", "value_sum", fields=["host"]), False),
        (rule("y", "temporal", clauses=[{"present": ["a"], "absent": ["b"]}]), False),
        (rule("y", level_number=2), False),
    ],
)
def test_what_is_counted_alike_is_in_one_pool(other: Correlation, *, shared: bool) -> None:
    together = [[one.id for one in pool.rules] for pool in pools([rule("x"), other])]
    assert together == ([["x", "y"]] if shared else [["x"], ["y"]])


def test_pools_come_in_the_order_of_strata() -> None:
    found = pools([rule("high", level_number=2, rules=["x"]), rule("x")])
    assert [[one.id for one in pool.rules] for pool in found] == [["x"], ["high"]]


def test_a_hit_is_kept_once_and_lost_for_each_rule() -> None:
    (pool,) = pools([rule("x"), rule("y", "temporal")])
    (taker,) = pool.takers("a")
    assert list(pool.takers("c")) == []
    assert taker.fields({"user": "Ann"}, 1, "e1", 7) == 0
    assert taker.fields({}, 1, "e2", 8) == 2
    assert taker.raw({"user": None}, 1, "e3", 9) == 2
    assert tails(pool) == {"ann": [(1, "e1", 7, ("a",), None, None)]}


def test_many_are_taken_as_one_by_one() -> None:
    columns = {"user": ["Ann", "ANN", None, "Bob", "ann"], "host": ["H", "h", "h", None, "I"]}
    caught = Caught("a", [0, 1, 2, 3], [10, 20, 30, 40], ["e0", "e1", "e2", "e3"], [1, 2, 3, 4])
    (pool,) = pools([rule("x", "value_count", rules=["a"], fields=["host"])])
    (taker,) = pool.takers("a")
    assert taker.take(columns, caught) == 1
    assert tails(pool) == {
        "ann": [(10, "e0", 1, ("a",), "h", None), (20, "e1", 2, ("a",), "h", None)],
        "bob": [(40, "e3", 4, ("a",), None, None)],
    }
    (other,) = pools(pool.rules)
    one_by_one(Taker(other, "a"), columns, caught)
    assert tails(other) == tails(pool)


def one_by_one(taker: Taker, columns: dict[str, list[Any]], caught: Caught) -> None:
    for n, (time, uid, place) in zip(caught.stand, caught.each(), strict=True):
        taker.fields({path: column[n] for path, column in columns.items()}, time, uid, place)


def tails(pool: Pool) -> dict[Any, Any]:
    return {values: group.tail for values, group in pool.groups.items()}
