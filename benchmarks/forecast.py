"""Measures the forecast on ATLAS: each case study in turn left out, then foretold step by step.

    python benchmarks/forecast.py

Two tables. The first has every step of every case and every technique. The second has what
runs: the techniques that telemetry can show, repeats in a row as one, and "nothing follows" as an
outcome; its ranks are over steps, its Brier score and log loss also over the ends. Below it the
reliability of the three steps that would have been issued (without a mask: a case names no assets).

The settings were chosen on these same 57 cases, but hardly matter: a decay from 0.4 to 0.6, or any
other setting halved or doubled, moves top-1 by less than 3 points. There are few cases: a rate
has a standard error of about 2.3 points in the first table and 3 in the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from typing import NamedTuple

from correlators.atlas import fold
from correlators.feasibility import table
from correlators.forecast import END, Forecaster, steps
from schemas.atlas import atlas

SHOWN = 3


class Trial(NamedTuple):
    """One step that was to be foretold: the distribution, what came, what had been seen."""

    chances: dict[str, float]
    came: str
    seen: frozenset[str]


def trials(
    cases: Sequence[Sequence[str]], tactics: dict[str, tuple[str, ...]], memory: int | None
) -> Iterator[Trial]:
    """Forecast every step from the `memory` steps before it (None: all), its own case unknown."""
    for out, case in enumerate(cases):
        forecaster = Forecaster([*cases[:out], *cases[out + 1 :]], tactics)
        for position in range(1, len(case)):
            start = 0 if memory is None else position - memory
            chances = forecaster.distribution(case[max(start, 0) : position])
            yield Trial(chances, case[position], frozenset(case[:position]))


def ranked(trial: Trial, *, fresh: bool) -> list[str]:
    """The outcomes that are steps, likeliest first; `fresh` leaves out what was seen already."""
    order = sorted(trial.chances, key=lambda t: (-trial.chances[t], t))
    return [t for t in order if t != END and not (fresh and t in trial.seen)]


def row(label: str, found: Sequence[Trial], *, fresh: bool = False) -> None:
    """Print the hit rates over steps, the Brier score and log loss over all outcomes."""
    ranks = [ranked(t, fresh=fresh)[:5] for t in found if t.came != END]
    came = [t.came for t in found if t.came != END]
    tops = (sum(c in r[:n] for c, r in zip(came, ranks, strict=True)) for n in (1, 3, 5))
    rates = "  ".join(f"{100 * hits / len(came):5.1f} %" for hits in tops)
    squares = (sum(p * p for p in t.chances.values()) - 2 * t.chances[t.came] + 1 for t in found)
    loss = sum(-log(t.chances[t.came]) for t in found) / len(found)
    print(f"{label:<38}  {rates}  {sum(squares) / len(found):.3f}  {loss:.3f}")


def reliability(found: Sequence[Trial]) -> None:
    """Print how often what was given some probability came."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for trial in found:
        for technique in ranked(trial, fresh=True)[:SHOWN]:
            chance = trial.chances[technique]
            bins.setdefault(int(chance * 10), []).append((chance, technique == trial.came))
    print(f"\n{'forecast':<12}{'mean':>8}{'came':>8}{'number':>8}")
    for tenth, pairs in sorted(bins.items()):
        mean = 100 * sum(chance for chance, _ in pairs) / len(pairs)
        came = 100 * sum(hit for _, hit in pairs) / len(pairs)
        words = f"{10 * tenth}-{10 * tenth + 10} %"
        print(f"{words:<12}{mean:>6.1f} %{came:>6.1f} %{len(pairs):>8}")


def main() -> None:
    """Print both tables."""
    known = atlas()
    head = "top-1    top-3    top-5  Brier  log loss"
    folded = [[fold(t) for t in case] for case in known.sequences.values()]
    tactics = {id_: t.tactics for id_, t in known.techniques.items() if fold(id_) == id_}
    count = sum(len(case) - 1 for case in folded)
    print(f"{f'ATLAS {known.version}: {len(folded)} cases, {count} steps':<40}{head}")
    row("frequency", list(trials(folded, tactics, 0)))
    row("last technique", list(trials(folded, tactics, 1)))
    row("whole history", list(trials(folded, tactics, None)))

    visible = {id_: tactics[id_] for id_ in table()}
    shown = [steps(case, visible) for case in folded]
    ended = [[*case, END] for case in shown if case]
    count = sum(len(case) - 2 for case in ended)
    print(f"\n{f'visible: {len(ended)} cases, {count} steps, {len(ended)} ends':<40}{head}")
    visible[END] = ()
    row("frequency", list(trials(ended, visible, 0)), fresh=True)
    row("last technique", list(trials(ended, visible, 1)), fresh=True)
    found = list(trials(ended, visible, None))
    row("whole history", found, fresh=True)
    reliability(found)


if __name__ == "__main__":
    main()
