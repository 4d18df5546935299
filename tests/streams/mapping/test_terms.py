"""Paths and templates: what they find, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.mapping.terms import Each, Place, Term, Wrong, path, template

RECORD = {
    "a": {"b": [{"c": 1}, {"c": "two"}], "d.e": True, "n": 1.5, "empty": ""},
    "list": [{"id": "x"}, {"id": "y"}],
}
PLACE = Place(RECORD, RECORD, {"scan": {"at": "noon"}})


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("a.b[1].c", "two"),
        ("a.b[0]", {"c": 1}),
        ("a.'d.e'", True),
        ("a.b[9].c", None),
        ("a.b.c", None),
        ("nothing.at.all", None),
        ("$.scan.at", "noon"),
        ("^.a.n", 1.5),
        (" a.n ", 1.5),
    ],
)
def test_paths(said: str, value: object) -> None:
    assert path(said).of(PLACE) == value


@pytest.mark.parametrize(
    "said", ["", "a..b", ".a", "a.", "a[x]", "a[1", "a b[", "'a", 7, "x" * 300]
)
def test_no_paths(said: object) -> None:
    with pytest.raises(Wrong):
        path(said)


def test_templates() -> None:
    assert Term(template=template("door/{a.b[1].c}/{a.n}")).of(PLACE) == "door/two/1.5"
    assert Term(template=template("{a.'d.e'}")).of(PLACE) == "true"
    assert Term(template=template("half/{a.empty}")).of(PLACE) is None
    for said in ("a}b", "{a", "{}", "", None):
        with pytest.raises(Wrong):
            template(said)


def test_the_first_path_that_says_something() -> None:
    assert Term(paths=(path("x"), path("a.empty"), path("a.n"))).of(PLACE) == 1.5
    assert Term(paths=(path("x"),), otherwise="none").of(PLACE) == "none"


def test_what_a_value_means() -> None:
    term = Term(paths=(path("a.b[1].c"),), known={"two": "2"}, otherwise="?")
    assert term.of(PLACE) == "2"
    assert term._replace(paths=(path("a.n"),)).of(PLACE) == "?"
    assert Term(paths=(path("a.'d.e'"),), known={"true": "yes"}).of(PLACE) == "yes"


def test_each_element_is_a_place() -> None:
    places = list(Each(path("list")).of(PLACE))
    assert [path("id").of(place) for place in places] == ["x", "y"]
    assert path("^.a.n").of(places[0]) == 1.5
    assert [path("n").of(place) for place in Each(path("a")).of(PLACE)] == [1.5]
    assert list(Each(path("a.n")).of(PLACE)) == []


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_none(said: str) -> None:
    try:
        found = path(said)
    except Wrong:
        return
    assert len(found.steps) <= len(said)
    found.of(PLACE)
