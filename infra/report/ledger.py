"""Why: the score ledger of an alert as a table whose bars start where the one above ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from infra.report.html import Html, name, tag
from infra.report.references import References
from infra.terminal import shown
from schemas.alert import Term

TIMES = "\N{MULTIPLICATION SIGN}"


def ledger(why: Sequence[Term], priority: int, references: References) -> Html:
    """The table of all terms with their sum; points are thousandths of log-odds."""
    sums = [0, *accumulate(term.points for term in why)]
    low, high = min(sums), max(*sums, min(sums) + 1)

    def bar(start: int, end: int, kind: str) -> Html:
        left, right = sorted((_share(start, low, high), _share(end, low, high)))
        style = f"--zero:{_share(0, low, high):.2f}%;--left:{left:.2f}%;--width:{right - left:.2f}%"
        return tag("td", tag("span", class_=f"bar {kind}"), class_="bars", style=style)

    rows = [
        tag(
            "tr",
            tag("th", *_named(term.term), references.marks(term.evidence), scope="row"),
            tag("td", _product(term), class_="number"),
            bar(*ends, "up" if term.points >= 0 else "down"),
            tag("td", shown.signed(term.points), class_="number"),
        )
        for term, ends in zip(why, pairwise(sums), strict=True)
    ]
    total = tag(
        "tr",
        tag("th", f"Sum: priority {priority}", scope="row"),
        tag("td"),
        bar(0, sums[-1], "sum"),
        tag("td", shown.signed(sums[-1]), class_="number"),
    )
    heads = [
        tag("th", "Term", scope="col"),
        tag("th", f"Value {TIMES} weight", scope="col", class_="number"),
        tag("th", tag("span", "Bar", class_="unseen"), scope="col"),
        tag("th", "Points", scope="col", class_="number"),
    ]
    return tag(
        "table",
        tag("thead", tag("tr", *heads)),
        tag("tbody", *rows),
        tag("tfoot", total),
        class_="ledger",
    )


def _product(term: Term) -> str:
    return f"{shown.number(term.value)} {TIMES} {shown.number(term.weight)}"


def _named(term: str) -> tuple[Html, ...]:
    """`leg/family`, the leg first: what it is beside where it comes from."""
    what, slash, whence = term.partition("/")
    return (name(what), tag("span", " ", name(whence), class_="kind")) if slash else (name(what),)


def _share(points: int, low: int, high: int) -> float:
    return 100 * (points - low) / (high - low)
