"""Forecast: which technique is likely next on a system, from the sequences of published cases.

The model is a skip-gram: each technique seen before votes for what followed it in the cases, with
half the weight for each step that lies between. What a technique says is backed off to its tactics,
these to plain frequency. Votes are sharpened, then mixed with frequency, which calibrates them
(`benchmarks/forecast.py` measures it, one case left out at a time).

Only +, x, / and square root are used, in a fixed order: IEEE 754 rounds these alike on all
machines, so that the distributions are the same bits everywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from math import fsum, sqrt

from correlators.atlas import fold, name
from correlators.feasibility import Feasible, table
from schemas.alert import NextStep
from schemas.atlas import atlas

DECAY = 0.5  # of a vote, for each step between
REACH = 16  # steps: 2^-16 of a vote decides nothing
BACKOFF = 2.0  # weight of a technique's tactics, in observations
TACTIC_BACKOFF = 1.0  # weight of plain frequency behind a tactic, in observations
UNSEEN = 1.0  # observations that every outcome has for free
FREQUENCY = 0.15  # share of plain frequency in the end
LIKELY = 333  # per mille: one in three, from here on a next step counts as likely

END = "end"  # the outcome that nothing follows: part of "something else", never a forecast
ANY = "any"  # what follows whatever came before: plain frequency

Row = tuple[float, ...]  # probabilities in the order of the outcomes


class Forecaster:
    """Transition statistics of `sequences` over the techniques that `tactics` lists.

    What `tactics` does not list is skipped, as if nobody had seen it. Nothing changes afterwards;
    the order of the sequences does not matter.
    """

    def __init__(
        self, sequences: Iterable[Sequence[str]], tactics: Mapping[str, Sequence[str]]
    ) -> None:
        known = [[t for t in sequence if t in tactics] for sequence in sequences]
        outcomes = self._outcomes = tuple(sorted(tactics))
        votes = _votes(known, tactics)
        even = (1 / len(outcomes),) * len(outcomes)
        usual = self._usual = _posterior(votes[ANY], even, UNSEEN * len(outcomes), outcomes)
        by_tactic = {
            tactic: _posterior(votes[tactic], usual, TACTIC_BACKOFF, outcomes)
            for tactic in {tactic for some in tactics.values() for tactic in some}
        }
        self._after = {
            technique: _posterior(votes[technique], prior, BACKOFF, outcomes)
            for technique, some in tactics.items()
            for prior in [_mean([by_tactic[tactic] for tactic in some] or [usual])]
        }

    @classmethod
    def builtin(cls, closed: Iterable[Sequence[str]] = ()) -> Forecaster:
        """The forecaster of the built-in cases and of `closed`, the sequences of closed alerts.

        It knows the techniques of feasibility.yml and END, and forecasts the next one *visible*.
        """
        techniques = atlas().techniques
        tactics: dict[str, Sequence[str]] = {id_: techniques[id_].tactics for id_ in table()}
        visible = (steps(case, tactics) for case in (*atlas().sequences.values(), *closed))
        return cls(([*case, END] for case in visible if case), {**tactics, END: ()})

    def distribution(self, history: Sequence[str]) -> dict[str, float]:
        """The probability of each outcome as the next one after `history`, oldest first.

        The history is taken as it is: folding and repeats are the caller's. Without any known
        technique in it, plain frequency.
        """
        votes = [0.0] * len(self._outcomes)
        weight = 1.0
        for technique in [t for t in reversed(history) if t in self._after][:REACH]:
            votes = [v + weight * p for v, p in zip(votes, self._after[technique], strict=True)]
            weight *= DECAY
        if weight == 1:
            return dict(zip(self._outcomes, self._usual, strict=True))
        # Mixing distributions blurs them; the power 3/2 undoes about as much as was lost.
        sharp = [vote * sqrt(vote) for vote in votes]
        total = fsum(sharp)
        return {
            outcome: (1 - FREQUENCY) * s / total + FREQUENCY * usual
            for outcome, s, usual in zip(self._outcomes, sharp, self._usual, strict=True)
        }

    def next(
        self,
        observed: Sequence[str],
        feasible: Callable[[str], Feasible | None],
        horizon: str,
        top: int = 3,
    ) -> tuple[NextStep, ...]:
        """The likeliest steps after `observed` (technique ids, oldest first), at most `top`.

        A step must be feasible, not seen yet, and likelier than its plain frequency. Probabilities
        are whole per mille, rounded down here and nowhere else. They are not raised when others are
        masked: that mass stays with "something else", like END, since a lineage that does not show
        a thing is no proof that it is not there.
        """
        history = steps(observed, self._after)
        chances = self.distribution(history)
        found: list[NextStep] = []
        for technique, usual in zip(self._outcomes, self._usual, strict=True):
            words = None if technique in (END, *history) else feasible(technique)
            per_mille = int(chances[technique] * 1000)
            if words is not None and per_mille > int(usual * 1000):
                found.append(
                    NextStep(
                        technique=technique,
                        name=name(technique),
                        probability=per_mille / 1000,
                        horizon=horizon,
                        precondition=words.precondition,
                        blocking_action=words.blocking_action,
                    )
                )
        return tuple(
            sorted(found, key=lambda step: (-chances[step.technique], step.technique))[:top]
        )


def likely(found: Iterable[NextStep]) -> bool:
    """True if one of the steps is likely enough to change what is done about an alert."""
    return any(round(step.probability * 1000) >= LIKELY for step in found)


def steps(observed: Iterable[str], known: Iterable[str]) -> list[str]:
    """The observed techniques that are known, sub-techniques folded, repeats in a row as one."""
    wanted = frozenset(known)
    folded = (fold(technique) for technique in observed)
    return [t for t, _ in groupby(t for t in folded if t in wanted)]


def _votes(
    sequences: Iterable[Sequence[str]], tactics: Mapping[str, Sequence[str]]
) -> defaultdict[str, defaultdict[str, float]]:
    """How much followed each technique and each tactic; of ANY only what came directly after."""
    votes: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for sequence in sequences:
        for position, technique in enumerate(sequence):
            # Powers of two: these sums are exact, so the order of the sequences does not matter.
            for gap, later in enumerate(sequence[position + 1 :][:REACH]):
                for leader in (technique, *tactics[technique]):
                    votes[leader][later] += DECAY**gap
            if position:
                votes[ANY][technique] += 1
    return votes


def _posterior(
    votes: Mapping[str, float], prior: Row, strength: float, outcomes: Sequence[str]
) -> Row:
    """The votes with `strength` votes of the prior among them, as probabilities."""
    total = fsum(votes.values()) + strength
    return tuple(
        (votes.get(outcome, 0.0) + strength * p) / total
        for outcome, p in zip(outcomes, prior, strict=True)
    )


def _mean(rows: Sequence[Row]) -> Row:
    return tuple(fsum(column) / len(rows) for column in zip(*rows, strict=True))
