"""Evidently: what the metrics and tests of a report say of drift, old (before 0.7) and new."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from streams.records.untrusted import mapping, number, text
from streams.source import Json

_OF_VALUE: Final = re.compile(r"column=([^,)]{1,128})")
_P_VALUE: Final = re.compile(r"p[ _-]?value", re.IGNORECASE)  # small is different; else large is


class Row(NamedTuple):
    """One check: what was looked at, whether it drifted, and by how much."""

    check: str
    title: str
    drifted: bool
    column: str | None = None
    score: float | None = None
    threshold: float | None = None


def metric(said: dict[str, Json]) -> list[Row]:
    """The checks of one metric; none where it says nothing of drift."""
    return _new(said) or _old(said)


def _old(said: dict[str, Json]) -> list[Row]:
    """A metric before 0.7: its own verdict, and those of its columns."""
    name = text(said.get("metric"), 128) or "metric"
    result = mapping(said.get("result"))
    rows = [_column(name, one) for one in mapping(result.get("drift_by_columns")).values()]
    if isinstance(result.get("dataset_drift"), bool):
        share = number(result.get("share_of_drifted_columns"))
        least = number(result.get("drift_share"))
        told = f"{share} of the columns drifted, {least} is the bound"
        rows.append(Row("dataset_drift", told, result["dataset_drift"], None, share, least))
    if "drift_detected" in result:
        rows.append(_column(name, result))
    return rows


def _column(name: str, value: Json) -> Row:
    said = mapping(value)
    column = text(said.get("column_name"), 256)
    how = text(said.get("stattest_name"), 128)
    title = f"{column} by {how}" if how else f"{column}: {name}"
    score = number(said.get("drift_score"))
    least = number(said.get("stattest_threshold"))
    return Row("column_drift", title, said.get("drift_detected") is True, column, score, least)


def _new(said: dict[str, Json]) -> list[Row]:
    """A metric since 0.7: its value, to be judged by what its configuration says."""
    config = mapping(said.get("config"))
    kind = (text(config.get("type"), 128) or "").rpartition(":")[2]
    named = text(said.get("metric_name") or said.get("metric_id"), 512) or ""
    kind = kind or named.partition("(")[0]
    value = said.get("value")
    if kind == "DriftedColumnsCount":
        share = number(mapping(value).get("share"))
        bound = number(config.get("drift_share")) or _within(named, "drift_share") or 0.5
        title = f"{share} of the columns drifted, {bound} is the bound"
        return [Row("dataset_drift", title, (share or 0) >= bound, None, share, bound)]
    score = number(value)
    if kind != "ValueDrift" or score is None:
        return []
    told = _OF_VALUE.search(named)
    column = text(config.get("column"), 256) or (told[1] if told else None)
    how = text(config.get("method"), 128) or named
    least = number(config.get("threshold")) or _within(named, "threshold")
    if least is None:
        return []  # without a bound a distance says nothing: the report's tests judge
    drifted = score < least if _P_VALUE.search(how) else score >= least
    return [Row("column_drift", f"{column} by {how}"[:512], drifted, column, score, least)]


def test(said: dict[str, Json]) -> list[Row]:
    """The check of one test; none where nothing was found out."""
    status = (text(said.get("status"), 64) or "").rpartition(".")[2].upper()
    name = text(said.get("name"), 256) or "test"
    if status not in {"FAIL", "SUCCESS", "WARNING"}:
        return []  # an error, or skipped
    parameters = mapping(said.get("parameters")) or mapping(said.get("metric_config"))
    column = text(parameters.get("column_name") or parameters.get("column"), 256)
    title = text(said.get("description"), 512) or name
    return [Row(f"test:{name}"[:256], title, status != "SUCCESS", column)]


def _within(name: str, of: str) -> float | None:
    found = re.search(rf"{of}=(\d{{1,9}}(?:\.\d{{1,9}})?)", name)
    return float(found[1]) if found else None
