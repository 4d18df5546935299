"""Stage: one partition of a keyed stage with one input, and what it said, sorted out."""

from __future__ import annotations

from typing import Any

from correlators.keyed import Keyed
from correlators.logic import Logic
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import END

ZERO = "0" * 64  # the sha256 of records that nobody looks into


class Stage:
    """Steps a partition and takes over its changes."""

    def __init__(self, logic: Logic) -> None:
        self.keyed = Keyed(logic, "stage/0", 0, ["in"])

    def take(self, *batch: Row | Delete | Tick) -> list[Output]:
        """What a batch gives."""
        changes, outputs = self.keyed.step(batch)
        self.keyed.apply(changes)
        return outputs

    def pass_to(self, watermark: int) -> list[Output]:
        """Time passes."""
        return self.take(Tick("in", 0, watermark, watermark))

    def end(self, until: int) -> list[Output]:
        """The end of a finite input."""
        return self.take(Tick("in", 0, END, until))


def whole(logic: Logic, rows: list[Row], until: int) -> list[Output]:
    """What a stage gives for all rows up to `until`, in one step."""
    stage = Stage(logic)
    return [*stage.take(*rows, Tick("in", 0, END, until))]


def rows_of(outputs: list[Output]) -> list[Row]:
    return [output for output in outputs if isinstance(output, Row)]


def results_of(outputs: list[Output], kind: str, state: str = "final") -> list[Result]:
    """Results of a kind in a state, in the order in which they were said."""
    results = [output for output in outputs if isinstance(output, Result)]
    return [result for result in results if (result.kind, result.state) == (kind, state)]


def bodies(outputs: list[Output], kind: str, state: str = "final") -> list[dict[str, Any]]:
    return [result.body for result in results_of(outputs, kind, state)]
