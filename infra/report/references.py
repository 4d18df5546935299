"""The footnote marks of an alert, and the table that they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infra.reading.footnotes import footnotes
from infra.report.html import Html, tag
from schemas.alert import Alert
from schemas.finding import Evidence

MAX_MARKS = 6  # footnote marks behind one claim


class References:
    """Writes the footnotes of one alert; `anchor` is the alert's id on the page."""

    def __init__(self, alert: Alert, anchor: str) -> None:
        self._anchor = anchor
        self._number = footnotes(alert)

    def __len__(self) -> int:
        return len(self._number)

    def marks(self, evidence: Iterable[Evidence]) -> Html | None:
        """The footnote marks of a claim, as links to the rows of `rows`."""
        numbers = sorted({self._number[piece] for piece in evidence})
        if not numbers:
            return None
        links = [self._mark(number) for number in numbers[:MAX_MARKS]]
        more = f"+{len(numbers) - MAX_MARKS}" if len(numbers) > MAX_MARKS else None
        return tag("span", " ", *links, more, class_="marks")

    def rows(self) -> Iterator[Html]:
        """One table row for each piece: number, event uid, sha256 of the raw record."""
        for piece, number in self._number.items():
            yield tag(
                "tr",
                tag("th", number, scope="row"),
                tag("td", tag("code", piece.event)),
                tag("td", tag("code", piece.sha256)),
                id=f"{self._anchor}-e{number}",
            )

    def _mark(self, number: int) -> Html:
        words = f"Evidence {number}"
        return tag("a", number, href=f"#{self._anchor}-e{number}", aria_label=words)
