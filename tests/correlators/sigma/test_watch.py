from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.sigma import watch as module
from correlators.sigma.values import fold
from correlators.sigma.watch import Memo, Plain, Watch
from correlators.sigma.witness import SHORTEST, Atom, Kind


def test_a_memo_works_each_spelling_out_once() -> None:
    asked: list[str] = []

    def work(folded: str) -> int:
        asked.append(folded)
        return len(folded)

    memo = Memo(work, 0)
    given: list[Plain] = ["Kim", "KIM", "Kim", None, True, "\u039f\u0394\u039f\u03a3", "Kim"]
    assert [memo[one] for one in given] == [3, 3, 3, 0, 4, 4, 3]
    assert asked == ["kim", "kim", "true", "\u03bf\u03b4\u03bf\u03c3"]


def test_a_memo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    memo = Memo(len, 0)
    for n in range(50):
        assert memo[str(n)] == len(str(n))
        assert len(memo) <= 5
    assert memo["x" * 300] == 300
    assert "x" * 300 not in memo
    assert memo[None] == 0


PARTS = st.text("ab\u03c3", min_size=SHORTEST, max_size=5)


@given(
    st.lists(PARTS, max_size=40),
    st.lists(st.text("ab\u03c3", max_size=3), max_size=5),
    st.text("ab\u03c3", max_size=12),
)
def test_a_text_calls_up_what_looks_for_it_or_for_a_part_of_it(
    parts: list[str], whole: list[str], text: str
) -> None:
    watch = Watch()
    expected: set[int] = set()

    def atoms() -> Iterator[Atom]:
        yield from (Atom("A", "has", part) for part in parts)
        yield from (Atom("A", "is", one) for one in whole)

    for n, atom in enumerate(atoms()):
        watch.add(atom, n)
        if atom.literal == text or (atom.kind == "has" and atom.literal in text):
            expected.add(n)
    assert set(watch.called(text)) == expected


def test_any_text_calls_up_what_asks_for_any() -> None:
    watch = Watch()
    watch.add(Atom("A", "there"), 7)
    assert not watch.of_texts
    assert (watch.called(""), watch.called("x")) == ((7,), (7,))


@pytest.mark.parametrize("spelling", ["403", "403.0", "4.03e2"])
def test_a_number_calls_up_however_it_is_spelled(spelling: str) -> None:
    watch = Watch()
    watch.add(Atom("A", "is", "403"), 7)
    assert watch.of_numbers
    assert watch.called(spelling) == (7,)
    assert watch.called("404") == ()


@pytest.mark.parametrize(
    ("atoms", "lengths"),
    [
        ([("is", "root"), ("is", "federated")], (4, 9)),
        ([("is", "root"), ("has", "oot")], ()),
        ([("is", "root"), ("there", "")], ()),
        ([("is", "k\u03b1")], ()),
        ([("is", "")], ()),
        ([("is", "true")], ()),
        ([("is", "403")], ()),
        ([("is", "a"), ("is", "bb"), ("is", "ccc"), ("is", "dddd")], ()),
    ],
)
def test_texts_of_other_lengths_call_nothing_up(
    atoms: list[tuple[Kind, str]], lengths: tuple[int, ...]
) -> None:
    watch = Watch()
    for kind, literal in atoms:
        watch.add(Atom("A", kind, literal), 0)
    assert watch.lengths == lengths


def test_only_one_letter_is_longer_in_small_and_then_it_is_not_ascii() -> None:
    longer = [c for c in map(chr, range(0x110000)) if len(fold(c)) != 1]
    assert longer == ["\u0130"]
    assert not fold("\u0130").isascii()
