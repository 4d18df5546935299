"""Panels: what is seen, with its unit, thresholds and what to do when it is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from infra.boards.parts.source import Json
from infra.boards.parts.target import Answer, Target

# Stages and severities have one colour on every board, the nearest of Grafana's own palette.
COLOURS: Final[Mapping[str, str]] = {
    "calm": "green",
    "outlook": "blue",
    "watch": "orange",
    "warning": "red",
    "informational": "#8e8e8e",
    "low": "blue",
    "medium": "yellow",
    "high": "orange",
    "critical": "dark-red",
    "pass": "green",
    "fail": "red",
    "not_assessed": "#8e8e8e",
    "open": "orange",
    "hit": "green",
    "false_alarm": "red",
    "resolved": "green",
    "verified": "purple",
    "expired": "#8e8e8e",
    "superseded": "#8e8e8e",
}
Steps = Sequence[tuple[float | None, str]]
PLAIN: Final[Steps] = ((None, "text"),)
NONE_IS_GOOD: Final[Steps] = ((None, "green"), (1, "orange"))
PRIORITY: Final[Steps] = ((None, "green"), (30, "orange"), (60, "red"))


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel. `empty`: what it says, and what to do, when there is no data.

    `width` in 24 columns, `height` in units of 30 pixels. `overrides`: properties of a field, by
    its name.
    """

    type: str
    title: str
    description: str
    empty: str
    targets: Sequence[Target]
    width: int
    height: int
    unit: str = "short"
    decimals: int | None = None
    steps: Steps = PLAIN
    minimum: float | None = None
    maximum: float | None = None
    options: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    colour: str = "thresholds"
    mappings: Sequence[Json] = ()
    overrides: Mapping[str, Json] = field(default_factory=dict[str, Json])
    links: Sequence[Json] = ()
    transformations: Sequence[Json] = ()

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel, as number `number` of its board, at column x and line y."""
        defaults: Json = {
            "color": {"mode": self.colour},
            "unit": self.unit,
            "noValue": self.empty,
            "mappings": list(self.mappings),
            "thresholds": thresholds(self.steps),
        }
        stated = {"decimals": self.decimals, "min": self.minimum, "max": self.maximum}
        defaults |= {key: value for key, value in stated.items() if value is not None}
        if self.custom:
            defaults["custom"] = self.custom
        refs = (ref(number, target) for number, target in enumerate(self.targets))
        whole: Json = {
            "id": number,
            "type": self.type,
            "title": self.title,
            "description": self.description,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "datasource": self.targets[0].source.reference(),
            "targets": [t.json(name) for t, name in zip(self.targets, refs, strict=True)],
            "fieldConfig": {
                "defaults": defaults,
                "overrides": [_override(name, of) for name, of in self.overrides.items()],
            },
            "options": self.options,
            "links": list(self.links),
        }
        if self.transformations:
            whole["transformations"] = list(self.transformations)
        return whole


def ref(number: int, target: Target) -> str:
    """What a target is called in its panel: A, B, ...; the halves of a graph by their names."""
    graph = isinstance(target, Answer) and target.root in {"nodes", "edges"}
    return target.root if graph and isinstance(target, Answer) else "ABCDEFGH"[number]


def thresholds(steps: Steps) -> Json:
    """From which value on a field has which colour."""
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": colour} for value, colour in steps],
    }


def coloured(words: Sequence[str]) -> dict[str, Json]:
    """Overrides that give series of these names their colours."""
    return fixed({word: COLOURS[word] for word in words})


def fixed(colours: Mapping[str, str]) -> dict[str, Json]:
    """Overrides that give each series its colour, by its name."""
    return {
        name: {"color": {"mode": "fixed", "fixedColor": colour}} for name, colour in colours.items()
    }


def words(*names: str) -> list[Json]:
    """A mapping that gives these words their colours in a table."""
    options = {name: {"color": COLOURS[name], "index": index} for index, name in enumerate(names)}
    return [{"type": "value", "options": options}]


def _override(name: str, properties: Json) -> Json:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
