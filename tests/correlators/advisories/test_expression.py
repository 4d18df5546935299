"""Expressions of the YAML feed: what they hold for, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.advisories.expression import NoExpression, expression


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ('version < "1.2"', ["0.1", "1.2rc1", "1.1.9"], ["1.2", "1.2.0", "2"]),
        ('version<="v0.8.5"', ["0.8.5", "0.8.4.post1"], ["0.8.5.post1", "0.9"]),
        ("version >= '1' && version != '1.5'", ["1.0", "2"], ["0.9", "1.5.0"]),
        (
            '(version >= "1.0.0" && version <= "1.1.5") || version == "1.2.0"',
            ["1.0", "1.1.5", "1.2"],
            ["0.9", "1.1.6", "1.2.1"],
        ),
        # `&&` binds closer than `||`.
        ('version == "9" || version > "1" && version < "3"', ["9", "2"], ["1", "3"]),
        ('version < "b3561"', ["b2000"], ["b3561", "1.0", "latest"]),
        ('version < "b10" || version < "2"', ["b9", "1.0"], ["b10", "2", "what"]),
    ],
)
def test_versions(text: str, inside: list[str], outside: list[str]) -> None:
    read = expression(text)
    assert [one for one in inside if read.holds(one) is not True] == []
    assert [one for one in outside if read.holds(one) is True] == []


def test_what_cannot_be_compared_is_neither() -> None:
    assert expression('version != "b10"').holds("1.0") is None
    assert expression('version < "b10" && version < "1"').holds("2") is False
    assert expression('version < "b10" || version < "3"').holds("2") is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it names no version"),
        ('version = "1.0"', "`=` is no comparison; is it `==`?"),
        ('is_internal=="true"', "it asks for `is_internal`, not for the version"),
        ('version < "latest"', "`latest` is no version that can be compared"),
        ("version < 1", "`1` is not in quotes"),
        ('version < "1" version', "`version` is too much"),
        ('(version < "1"', "a `)` is missing"),
        ('version < "1" &&', "it ends too early"),
        ('version < "1', '`"1` is not understood'),
        ("(" * 40, "nested deeper than 32 levels"),
        ("(" * 5000, "longer than 4096 characters"),
    ],
)
def test_none(text: str, why: str) -> None:
    with pytest.raises(NoExpression) as caught:
        expression(text)
    assert str(caught.value) == why


@given(st.text(alphabet='version <>=!&|()"1.b', max_size=60))
def test_any_text_is_an_expression_or_none(text: str) -> None:
    try:
        read = expression(text)
    except NoExpression:
        return
    assert read.holds("1.0") in {True, False, None}
    assert list(read.bounds())
