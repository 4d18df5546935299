"""Versions of Debian, beside the rules of the Debian Policy Manual (5.6.12) as it tells them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.advisories.advisory import Span
from correlators.advisories.dpkg import debian
from correlators.advisories.versions import compared, known

PART = st.text(alphabet="019aAzZ.+~", max_size=8)
VERSION = st.builds(
    lambda epoch, first, upstream, revision: f"{epoch}{first}{upstream}{revision}",
    st.sampled_from(["", "0:", "1:", "01:", "10:"]),
    st.sampled_from("0129"),
    st.one_of(PART, st.builds("{}-{}".format, PART, PART.filter(bool))),
    st.one_of(st.just(""), st.builds("-{}".format, PART.filter(bool))),
)


def parts(version: str) -> tuple[int, str, str]:
    """Epoch, upstream version and revision: the first colon and the last hyphen part them."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    return (int(epoch), upstream, revision) if hyphen else (int(epoch), rest, "0")


def lexically(one: str, other: str) -> int:
    """Letters sort before what is no letter, and a tilde before anything, even the end."""
    for left, right in itertools.zip_longest(one, other):
        mine, theirs = (
            (0 if at == "~" else 1 if at is None else 2 if at.isalpha() else 3, at or "")
            for at in (left, right)
        )
        if mine != theirs:
            return 1 if mine > theirs else -1
    return 0


def policy(one: str, other: str) -> int:
    """Compare as the manual says, step by step from left to right."""
    while one or other:
        sides = []
        for text in (one, other):
            word = "".join(itertools.takewhile(lambda at: not at.isdigit(), text))
            digits = "".join(itertools.takewhile(str.isdigit, text[len(word) :]))
            sides.append((word, int(digits or 0), text[len(word) + len(digits) :]))
        (word, number, one), (other_word, other_number, other) = sides
        found = lexically(word, other_word) or (number > other_number) - (number < other_number)
        if found:
            return found
    return 0


@given(VERSION, VERSION)
def test_versions_compare_as_the_manual_says(one: str, other: str) -> None:
    (epoch, upstream, revision), (epoch2, upstream2, revision2) = parts(one), parts(other)
    epochs = (epoch > epoch2) - (epoch < epoch2)
    expected = epochs or policy(upstream, upstream2) or policy(revision, revision2)
    assert compared("dpkg", one, other) == expected


@given(VERSION, VERSION, VERSION)
def test_the_order_is_one(one: str, two: str, three: str) -> None:
    first, second, third = sorted((one, two, three), key=lambda text: debian(text) or ())
    assert (compared("dpkg", first, second) or 0) <= 0
    assert (compared("dpkg", second, third) or 0) <= 0
    assert (compared("dpkg", first, third) or 0) <= 0
    assert compared("dpkg", one, one) == 0


def test_versions_in_their_order() -> None:
    """The tildes are the example of the manual."""
    ascending = (
        *("1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a", "1.0.0"),
        *("1.0.0-0.1", "1.0.0-1~bpo12+1", "1.0.0-1~deb12u1", "1.0.0-1~deb12u2", "1.0.0-1"),
        *("1.0.0-1+b1", "1.0.0-1+deb12u1", "1.0.0-1.1", "1.0.0-2", "1.0.0-10", "1.0.0+dfsg-1"),
        *("1.0.1~rc1-1", "1.0.1-1", "1.9-1", "1.10-1", "2-1", "1:0.1-1", "2:0.1-1", "10:0.1-1"),
    )
    for (n, one), (m, other) in itertools.product(enumerate(ascending), repeat=2):
        assert compared("dpkg", one, other) == (n > m) - (n < m), (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.0", "1.0-0"),
        ("1.0", "0:1.0"),
        ("1.0", "1.00"),
        ("1.0", "1."),
        ("01.0", "1.0"),
        ("1.0-1", " 1.0-01 "),
        ("1.0-a", "1.0-a0"),
        ("1-2-3", "1-2-03"),
        ("1:1:2", "1:1:02"),
    ],
)
def test_versions_that_are_one(one: str, other: str) -> None:
    assert compared("dpkg", one, other) == 0


@pytest.mark.parametrize(
    "text", ["", "a1", "1_0", "1.0-", "-1", "1:", ":1", "x:1", "1:2:", "1.0 1", "1é", "1:2", "1٣"]
)
def test_what_is_no_version(text: str) -> None:
    assert known("dpkg", text) == (text in {"1:2", "1:2:"})


@given(st.text(max_size=160))
def test_any_text_compares_or_does_not(text: str) -> None:
    assert compared("dpkg", text, text) in {0, None}
    assert known("dpkg", text) == (len(text) <= 128 and debian(text) is not None)


def test_a_range_of_debian() -> None:
    span = Span("dpkg", (("introduced", "0"), ("fixed", "3.0.11-1~deb12u2")))
    held = ("3.0.9-1", "3.0.11-1~deb12u1", "3.0.11-1~deb12u1+b1", "3.0.11-1~")
    free = ("3.0.11-1~deb12u2", "3.0.11-1", "3.0.11-1+b1", "1:1.0-1", "no version")
    assert [span.holds(one) for one in (*held, *free)] == [True] * 4 + [False] * 5
