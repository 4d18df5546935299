from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import product
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document, Part, parts
from correlators.sigma import contradiction
from correlators.sigma.contradiction import impossible
from correlators.sigma.outline import Node, outline

RULE = "title: t\nlogsource: {product: aws}\ndetection:\n%s  condition: %s\n"


def read(selections: str, condition: str) -> Node:
    (part,) = parts(Document("t.yml", RULE % (selections, condition)))
    assert isinstance(part, Part)
    return outline(part)


def always(_: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("selections", "condition", "why"),
    [
        ("  a: {f: x}\n  b: {f: Y}\n", "a and b", "`f` cannot be both 'x' and 'y'"),
        ("  a: {f: x}\n  b: {f: [X, y]}\n", "a and not b", "`f` must be 'x' and must not"),
        ("  a: {f|all: [x, z]}\n", "a", "`f` cannot be both 'x' and 'z'"),
        ("  a: {f: x}\n  b: {f|exists: false}\n", "a and b", "`f` cannot be both 'x' and absent"),
        ("  a: {f: null}\n  b: {f: 1}\n", "a and b", "`f` cannot be both absent or null and '1'"),
        ("  a: {f: true}\n  b: {f: false}\n", "a and b", "`f` cannot be both 'true' and 'false'"),
        ("  a: {f: x}\n  b: {g: y}\n  c: {f: z}\n", "all of them",
         "`f` cannot be both 'x' and 'z'"),
    ],
)  # fmt: skip
def test_what_nothing_fulfils_is_called_impossible(
    selections: str, condition: str, why: str
) -> None:
    found = impossible(read(selections, condition), always)
    assert found is not None
    assert found.why == why


@pytest.mark.parametrize(
    ("selections", "condition"),
    [
        ("  a: {f: x}\n  b: {f: X}\n", "a and b"),
        ("  a: {f: x}\n  b: {f: y}\n", "a or b"),
        ("  a: {f: [x, z]}\n  b: {f: [X, y]}\n", "a and not b"),
        ("  a: {f: 5}\n  b: {f: '5.0'}\n", "a and b"),
        ("  a: {f: x}\n  b: {f|contains: y}\n", "a and b"),  # impossible, but not shown cheaply
        ("  a: {f: x}\n  b: {f|cased: X}\n", "a and not b"),
    ],
)
def test_what_may_be_is_not(selections: str, condition: str) -> None:
    assert impossible(read(selections, condition), always) is None


def test_a_field_that_may_be_a_list_can_hold_both() -> None:
    tree = read("  a: {f: x}\n  b: {f: y}\n", "a and b")
    assert tree.holds({"f": ["x", "y"]})
    assert impossible(tree, lambda field: field != "f") is None


VALUES = ("x", "X", "'5'", "5", "'5.0'", "true", "null")
SELECTION = st.builds(
    lambda field, key, values: f"{{{field}{key}: {values}}}",
    st.sampled_from("fg"),
    st.just(""),
    st.one_of(
        st.sampled_from(VALUES),
        st.lists(st.sampled_from(VALUES[:-1]), min_size=2, max_size=3).map(
            lambda values: f"[{', '.join(values)}]"
        ),
    ),
) | st.builds(
    lambda field, there: f"{{{field}|exists: {there}}}",
    st.sampled_from("fg"),
    st.sampled_from(["true", "false"]),
)
NAMES = "abcd"
CONDITION = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds("({}) and ({})".format, inner, inner)
        | st.builds("({}) or ({})".format, inner, inner)
    ),
    max_leaves=6,
)
HELD: tuple[dict[str, Any], ...] = (
    {},
    *({"f": value} for value in ("x", "X", "y", "5", "5.0", 5, 5.0, True, "true", None)),
)
RECORDS = [first | {"g": second["f"]} if second else first for first, second in product(HELD, HELD)]


@given(st.lists(SELECTION, min_size=4, max_size=4), CONDITION)
def test_no_record_fulfils_what_is_called_impossible(selections: list[str], condition: str) -> None:
    named = "".join(f"  {name}: {one}\n" for name, one in zip(NAMES, selections, strict=True))
    tree = read(named, condition)
    if impossible(tree, always) is not None:
        assert [record for record in RECORDS if tree.holds(record)] == []


@given(st.lists(SELECTION, min_size=4, max_size=4), CONDITION)
def test_no_record_does_what_cannot_be(selections: list[str], condition: str) -> None:
    named = "".join(f"  {name}: {one}\n" for name, one in zip(NAMES, selections, strict=True))
    tree = read(named, condition)
    can_be_true, can_be_false = tree.can_hold(lambda field: field == "f")
    held = {tree.holds(record) for record in HELD}
    assert (True in held) <= can_be_true
    assert (False in held) <= can_be_false


class Counted(frozenset[str]):
    """Counts the texts that sets are made of."""

    made = 0

    def __new__(cls, texts: Iterable[str] = ()) -> Self:
        self = super().__new__(cls, texts)
        cls.made += len(self)
        return self

    def __or__(self, other: AbstractSet[Any]) -> "Counted":
        return Counted(super().__or__(other))

    def __and__(self, other: AbstractSet[Any]) -> "Counted":
        return Counted(super().__and__(other))


@pytest.mark.parametrize("condition", ["a", "not a", "a and not b"])
def test_a_list_of_values_costs_what_its_length_is(
    condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = ", ".join(f"v{n}" for n in range(400))
    tree = read(f"  a: {{f: [{many}]}}\n  b: {{f: [{many}]}}\n", condition)
    monkeypatch.setattr(contradiction, "frozenset", Counted, raising=False)
    Counted.made = 0
    impossible(tree, always)
    assert 0 < Counted.made < 400 * 8  # one union after another would make 80,000
