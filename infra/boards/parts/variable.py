"""Variables: what stands in the row of choices above a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.boards.parts.source import PROMETHEUS, SOURCES, Json, Source
from infra.boards.parts.target import Answer

ALL: Json = {"text": "All", "value": "$__all"}


def sources(uids: Mapping[str, str]) -> list[Json]:
    """One for each kind of data source; `uids`: which one is taken at first, by variable."""
    return [
        {
            "name": source.variable,
            "label": source.label,
            "type": "datasource",
            "query": source.plugin,
            "current": _current(source, uids.get(source.variable, source.uid)),
            "hide": 0,
            "includeAll": False,
            "multi": False,
            "options": [],
            "refresh": 1,
            "regex": "",
        }
        for source in SOURCES
    ]


def _current(source: Source, uid: str) -> Json:
    return {"text": source.name if uid == source.uid else uid, "value": uid}


def choice(name: str, label: str, words: Sequence[str]) -> Json:
    """A choice of words; several may be chosen, and all are."""
    return {
        "name": name,
        "label": label,
        "type": "custom",
        "query": ",".join(words),
        "current": ALL,
        "hide": 0,
        "includeAll": True,
        "multi": True,
        "options": [],
    }


def of_label(name: str, label: str, metric: str) -> Json:
    """The values that a label of a metric has; several may be chosen, and all are."""
    query = f"label_values({metric}, {name})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": PROMETHEUS.reference(),
        "query": {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "current": ALL,
        "hide": 0,
        "includeAll": True,
        "multi": True,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }


def of_answer(name: str, label: str, answer: Answer) -> Json:
    """One of what the API tells; its columns are `__text`, which is seen, and `__value`."""
    query = {"refId": "variable", **answer.query()}
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": answer.source.reference(),
        "query": {"queryType": "infinity", "query": "", "infinityQuery": query},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 0,
    }
