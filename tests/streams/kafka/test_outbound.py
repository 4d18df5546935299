"""Outbound: which partition an output goes to."""

from __future__ import annotations

from schemas.rows import Result, Row, Tick
from streams.kafka.outbound import Outbound

OUTBOUND = Outbound(("attach", "inventory"), 4, own=3)


def places(output: Row | Tick | Result) -> list[tuple[str, int]]:
    return [(sent.topic, sent.partition) for sent in OUTBOUND.sent([output])]


def test_a_row_goes_to_the_partition_that_owns_its_key() -> None:
    rows = [Row("facts", 0, f"principal:{name}", 1, "a", "asset", {}) for name in ("ann", "bob")]

    assert [places(row) for row in rows] == [[("facts", 2)], [("facts", 1)]]


def test_a_tick_goes_to_all_partitions_of_the_topics_that_wait_for_it() -> None:
    told = places(Tick("observe/3", 0, 5, 5))

    assert told == [("attach", n) for n in range(4)] + [("inventory", 0)]


def test_history_is_written_to_one_partition() -> None:
    events = [Result("event", f"e{n}", 1, "final", {"uid": f"e{n}"}) for n in range(9)]
    assets = [Result("asset", f"principal:{n}", 1, "provisional", {}) for n in range(9)]

    assert {place for one in (*events, *assets) for place in places(one)} == {("history", 3)}


def test_what_is_compacted_goes_by_its_id() -> None:
    alerts = [Result("alert", f"a{n}", 1, "final", {}) for n in range(30)]

    assert {place for one in alerts for place in places(one)} == {("alerts", n) for n in range(4)}
