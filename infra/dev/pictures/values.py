"""Values: how Grafana writes a number of a unit, and which colour a threshold gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

Json = dict[str, Any]
# Grafana's palette in its dark theme, as far as our boards use it.
NAMED: Final[Mapping[str, str]] = {
    "green": "#73bf69",
    "yellow": "#fade2a",
    "orange": "#ff9830",
    "red": "#f2495c",
    "dark-red": "#c4162a",
    "blue": "#5794f2",
    "purple": "#b877d9",
    "text": "#ccccdc",
    "transparent": "transparent",
}
CLASSIC: Final = (
    *("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#9b8cff"),
    *("#37872d", "#e0b400", "#1f60c4", "#fa6400", "#c4162a", "#3274d9", "#8f3bb8", "#6c63c7"),
)
_SPANS: Final = ((86_400 * 7, "weeks"), (86_400, "days"), (3600, "hours"), (60, "mins"), (1, "s"))


def colour(name: str) -> str:
    """The colour of a name; a colour itself stays what it is."""
    return NAMED.get(name, name)


def threshold(value: float, steps: Sequence[Json]) -> str:
    """The colour of the highest step that the value reaches."""
    reached = [step for step in steps if step["value"] is None or value >= step["value"]]
    return colour(reached[-1]["color"])


def written(value: float, unit: str, decimals: int | None) -> str:
    """The number as a panel shows it."""
    match unit:
        case "percentunit":
            return f"{_plain(value * 100, 1 if decimals is None else decimals)}%"
        case "s":
            return _span(value)
        case "cps":
            return f"{_short(value, decimals)} c/s"
        case "dateTimeAsIso":
            return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        case "dateTimeFromNow":
            return f"{_span(datetime.now(UTC).timestamp() - value / 1000)} ago"
        case _:
            return _short(value, decimals)


def _short(value: float, decimals: int | None) -> str:
    for size, letter in ((1e9, " Bil"), (1e6, " Mil"), (1e4, " K")):
        if abs(value) >= size:
            return f"{_plain(value / (1e3 if letter == ' K' else size), 1)}{letter}"
    return _plain(value, 2 if decimals is None else decimals)


def _span(seconds: float) -> str:
    for size, name in _SPANS:
        if abs(seconds) >= size:
            return f"{_plain(seconds / size, 1 if size > 1 else 0)} {name}"
    return f"{_plain(seconds, 2)} s"


def _plain(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
