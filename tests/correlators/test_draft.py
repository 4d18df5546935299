"""Drafts: they read like the mapping they become, and change nothing of it before they are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from correlators.draft import Draft, Place, Tail
from schemas.rows import Row

Change = tuple[str, int, int]  # what, time, and which row of it, or its number


def row(time: int, n: int, body: int = 0) -> Row:
    return Row("in", 0, "k", time, str(n), "hit", {"n": body})


changes = st.lists(
    st.tuples(st.sampled_from(["put", "put", "take"]), st.integers(0, 9), st.integers(0, 2))
)
steps = st.lists(st.tuples(changes, st.integers(0, 12), st.booleans()))


def change(tail: Tail, model: dict[Place, Row], one: Change, body: int) -> None:
    what, time, n = one
    if what == "put":
        tail[time, str(n)] = model[time, str(n)] = row(time, n, body)
    else:
        assert tail.pop((time, str(n)), None) == model.pop((time, str(n)), None)


def same(tail: Tail, model: dict[Place, Row]) -> bool:
    ordered = sorted(model)
    assert list(tail) == ordered
    assert [tail[place] for place in ordered] == [model[place] for place in ordered]
    assert len(tail) == len(model)
    assert tail.first == min((time for time, _ in model), default=2**62)
    for time in range(10):
        assert tail.since(time) == [model[place] for place in ordered if place[0] >= time]
        assert ((time, "0") in tail) == ((time, "0") in model)
        assert tail.get((time, "1")) == model.get((time, "1"))
    return True


@given(steps=steps)
def test_a_tail_is_a_mapping_in_order(steps: list[tuple[list[Change], int, bool]]) -> None:
    tail, model = Tail(), dict[Place, Row]()
    for number, (some, watermark, kept) in enumerate(steps):
        draft, after = Tail.draft(tail), model.copy()
        for one in some:
            change(draft, after, one, number)
            assert same(draft, after)
        settled = [after.pop(place) for place in sorted(after) if place[0] < watermark]
        assert draft.settle(watermark) == settled
        assert same(draft, after)
        assert same(tail, model)  # nothing of it was seen
        if kept:
            draft.keep()
            tail, model = draft, after
            assert same(tail, model)


@given(some=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5))))
def test_what_a_draft_says_has_changed_makes_the_one_from_the_other(
    some: list[tuple[bool, int, int]],
) -> None:
    before = {0: 10, 1: 11, 2: 12}
    draft = Draft(before).draft()
    after = before.copy()
    for put, key, value in some:
        if put:
            draft[key] = after[key] = value
        else:
            assert draft.pop(key, None) == after.pop(key, None)
    assert dict(draft) == after
    made = before | {k: v for k, v in draft.changed.items() if v is not None}
    assert {k: v for k, v in made.items() if draft.changed.get(k, v) is not None} == after
    draft.keep()
    assert (dict(draft), draft.changed, len(draft)) == (after, {}, len(after))
