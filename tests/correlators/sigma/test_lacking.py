import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.sigma.engine import ENGINE
from correlators.sigma.lacking import lacks


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a(?=b)", "lookahead `(?=`"),
        ("a(?!b)", "lookahead `(?!`"),
        ("(?<=a)b", "lookbehind `(?<=`"),
        ("(?<!a)b", "lookbehind `(?<!`"),
        (r"(a)\1", r"backreference `\1`"),
        (r"(?P<n>a)(?P=n)", "backreference `(?P=`"),
        (r"(?<n>a)\k<n>", r"backreference `\k`"),
        ("(?>a+)b", "atomic group `(?>`"),
        ("a++b", "possessive quantifier `++`"),
        ("a{2}+b", "possessive quantifier `}+`"),
        ("(?(1)a|b)", "conditional `(?(`"),
        ("(?#why)a", "comment `(?#`"),
        ("(?R)", "recursion `(?R`"),
        (r"a\Z", r"escape of that name `\Z`"),
        (r"\u200b", r"escape of that name `\u`"),
    ],
)
def test_what_re2_lacks_is_named(pattern: str, name: str) -> None:
    with pytest.raises(ENGINE.error):
        ENGINE.compile(pattern)
    assert str(lacks(pattern)).startswith(f"RE2 has no {name}: ")


@pytest.mark.parametrize(
    "pattern", [r"\(\?=", "[(?!]", r"a\\1", "(?:a)+", "(?i)a", "(?P<n>a)", "a+?", "[a]+", "(", "]("]
)
def test_what_it_has_is_not_called_lacking(pattern: str) -> None:
    assert lacks(pattern) is None


@given(st.text(alphabet="(?=!<>P#R)[]\\1uZka+*{}|", max_size=40))
def test_any_text_is_read(pattern: str) -> None:
    said = lacks(pattern)
    assert said is None or said.startswith("RE2 has no ")
