"""The forecast: better than frequency on cases that it has not seen, and never bold."""

import random
from collections.abc import Sequence
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.atlas import fold
from correlators.feasibility import Feasible, on, table
from correlators.forecast import END, Forecaster, likely, steps
from schemas.atlas import atlas
from schemas.entity import KINDS

BUILTIN = Forecaster.builtin()
SHORT = (("A", "B", "C"), ("A", "B"), ("C", "B"))
TACTICS = {"A": ("one",), "B": ("two",), "C": ("one", "two"), "D": ()}
observed = st.lists(st.sampled_from(sorted(atlas().techniques)), max_size=24)
kinds = st.sets(st.sampled_from(KINDS))


def left_out(memory: int | None) -> tuple[int, int, int, int, float]:
    """Steps, hits among the first 1, 3 and 5, Brier score; each case foretold from the others."""
    known = atlas()
    cases = [[fold(t) for t in case] for case in known.sequences.values()]
    tactics = {id_: t.tactics for id_, t in known.techniques.items() if fold(id_) == id_}
    ranks: list[int] = []
    squares: list[float] = []
    for out, case in enumerate(cases):
        forecaster = Forecaster([*cases[:out], *cases[out + 1 :]], tactics)
        for position in range(1, len(case)):
            history = case[:position] if memory is None else []
            chances = forecaster.distribution(history)
            order = sorted(chances, key=lambda t: (-chances[t], t))
            ranks.append(order.index(case[position]))
            squares.append(fsum(p * p for p in chances.values()) - 2 * chances[case[position]] + 1)
    hits = [sum(rank < top for rank in ranks) for top in (1, 3, 5)]
    return len(ranks), hits[0], hits[1], hits[2], round(fsum(squares) / len(squares), 3)


def test_cases_that_were_left_out_are_foretold_as_measured() -> None:
    # 28.6, 41.1 and 48.2 %
    assert left_out(None) == (392, 112, 161, 189, 0.901)


def test_plain_frequency_is_far_behind() -> None:
    assert left_out(0) == (392, 33, 76, 105, 0.978)


def test_no_history_is_plain_frequency() -> None:
    # B follows three times, C once; each of the four outcomes has one observation for free.
    usual = {"A": 1 / 8, "B": 4 / 8, "C": 2 / 8, "D": 1 / 8}
    forecaster = Forecaster(SHORT, TACTICS)
    assert forecaster.distribution(()) == usual
    assert forecaster.distribution(("unknown",)) == usual


def test_a_technique_is_followed_by_what_followed_it() -> None:
    forecaster = Forecaster(SHORT, TACTICS)
    after_a = forecaster.distribution(("A",))
    assert sorted(after_a, key=lambda t: -after_a[t])[:2] == ["B", "C"]
    assert after_a["B"] > 0.5
    # D was never seen in a case and says nothing, but it moves A further into the past.
    near, far = (forecaster.distribution(history)["B"] for history in ("AD", "ADD"))
    assert after_a["B"] > near > far > forecaster.distribution("D")["B"]


@given(observed)
def test_a_distribution_is_whole_and_leaves_nothing_out(history: Sequence[str]) -> None:
    chances = BUILTIN.distribution(steps(history, table()))
    assert set(chances) == {*table(), END}
    assert min(chances.values()) > 0
    assert fsum(chances.values()) == pytest.approx(1)


@given(st.randoms(use_true_random=False), observed)
def test_the_order_of_the_cases_changes_not_a_bit(
    chance: random.Random, history: Sequence[str]
) -> None:
    cases = list(atlas().sequences.values())
    tactics = {id_: t.tactics for id_, t in atlas().techniques.items()}
    one = Forecaster(cases, tactics)
    other = Forecaster(chance.sample(cases, len(cases)), tactics)
    assert one.distribution(history) == other.distribution(history)


@given(observed, kinds, st.integers(0, 6))
def test_next_steps_are_feasible_new_and_likelier_than_usual(
    history: Sequence[str], system: set[str], top: int
) -> None:
    found = BUILTIN.next(history, on(system), "24h", top)
    usual = BUILTIN.distribution(())
    chances = [step.probability for step in found]
    assert len(found) <= top
    assert sum(chances) < 1
    assert chances == sorted(chances, reverse=True)
    assert all(on(system)(step.technique) is not None for step in found)
    assert not {step.technique for step in found} & {fold(t) for t in history}
    assert all(step.probability > int(1000 * usual[step.technique]) / 1000 for step in found)


@given(observed, kinds)
def test_a_mask_raises_no_probability(history: Sequence[str], system: set[str]) -> None:
    everything = {s.technique: s.probability for s in BUILTIN.next(history, on(KINDS), "24h", 99)}
    for step in BUILTIN.next(history, on(system), "24h", 99):
        assert step.probability == everything[step.technique]


@given(observed)
def test_sub_techniques_and_repeats_change_nothing(history: Sequence[str]) -> None:
    doubled = [t for technique in history for t in (technique, fold(technique))]
    assert BUILTIN.next(doubled, on(KINDS), "24h") == BUILTIN.next(history, on(KINDS), "24h")


def test_an_injected_agent_with_tools_will_use_them() -> None:
    (first, *_) = BUILTIN.next(["AML.T0051.001"], on({"agent", "tool", "model"}), "within 30m")
    assert first.body() == {
        "technique": "AML.T0053",
        "name": "AI Agent Tool Invocation",
        "probability": 0.301,
        "horizon": "within 30m",
        "precondition": "the model or agent may call tools",
        "blocking_action": "require approval for tool calls of this agent"
        " (AML.M0029 Human In-the-Loop for AI Agent Actions)",
    }


def test_an_injected_model_without_tools_will_not() -> None:
    found = BUILTIN.next(["AML.T0051.001"], on({"agent", "model"}), "30m")
    assert "AML.T0053" not in {step.technique for step in found}


def test_nothing_seen_is_no_forecast() -> None:
    assert BUILTIN.next([], on(KINDS), "24h") == ()
    assert BUILTIN.next(["AML.T0002", "no technique"], on(KINDS), "24h") == ()


def test_closed_alerts_teach() -> None:
    def possible(_: str) -> Feasible:
        return Feasible("it can", "stop it")

    stolen = ["AML.T0055", "AML.T0012", "AML.T0034.001"]
    taught = Forecaster.builtin([stolen] * 8)
    before, after = (f.next(stolen[:2], possible, "1h", 1)[0] for f in (BUILTIN, taught))
    assert (before.technique, after.technique) == ("AML.T0025", "AML.T0034")
    assert after.probability == 0.337
    assert [likely([step]) for step in (before, after)] == [False, True]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], []),
        (["AML.T0051.000", "AML.T0051.001", "AML.T0051"], ["AML.T0051"]),
        (["AML.T0051", "AML.T0002", "AML.T0051"], ["AML.T0051"]),
        (["AML.T0051", "AML.T0053", "AML.T0051"], ["AML.T0051", "AML.T0053", "AML.T0051"]),
    ],
)
def test_steps_are_folded_known_and_told_once_in_a_row(
    seen: list[str], expected: list[str]
) -> None:
    assert steps(seen, table()) == expected
