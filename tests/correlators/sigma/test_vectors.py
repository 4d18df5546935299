"""The behaviour vectors of the Sigma language: one statement of the specification each."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from correlators.document import Document
from correlators.ruleset import Ruleset, parse

# Known gaps: vectors that are not met, each with the reason.
UNMET = {
    "cor-35": "value_sum is not supported yet",
    "cor-36": "value_sum is not supported yet",
    "cor-37": "value_avg is not supported yet",
    "cor-38": "value_avg is not supported yet",
    "cor-54": "conditions over rule names are not supported yet",
    "cor-56": "value_percentile is not supported yet",
}

BASE = [
    {
        "title": f"base {name}",
        "name": name,
        "id": f"aaaaaaaa-0000-4000-8000-00000000000{number}",
        "logsource": {"product": "test"},
        "detection": {"s": {"A": number}, "condition": "s"},
    }
    for number, name in enumerate(("ra", "rb", "rc"), 1)
]
FILTERED = {
    "title": "filtered",
    "name": "frule",
    "id": "f0000000-0000-4000-8000-000000000001",
    "logsource": {"product": "test"},
    "detection": {"s": {"A": 1}, "condition": "s"},
}


@pytest.fixture(scope="module")
def vectors(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "vectors" / "sigma_vectors.yaml").read_text("utf-8")
    found: list[dict[str, Any]] = yaml.load(text, yaml.CSafeLoader)
    assert len(found) == 210
    return found


def loaded(*documents: dict[str, Any]) -> Ruleset:
    text = "---\n".join(yaml.safe_dump(d, allow_unicode=True) for d in documents)
    return parse([Document("vector.yml", text)])


def judged(ruleset: Ruleset, vector: dict[str, Any]) -> list[str]:
    """What differs from the vector, for the last rule of the set."""
    problems = [str(problem) for problem in ruleset.problems]
    if vector.get("expect") == "reject":
        return [] if problems else ["is accepted"]
    if problems:
        return problems
    rule = ruleset.rules[-1]
    cases = vector["cases"]
    return [str(case) for case in cases if rule.matches(case["event"]) is not case["match"]]


def met(vectors: list[dict[str, Any]], kind: str, documents: Any) -> dict[str, list[str]]:  # noqa: ANN401 - a function of one
    found = {v["id"]: judged(loaded(*documents(v)), v) for v in vectors if kind in v}
    return {id_: differences for id_, differences in found.items() if differences}


def test_all_vectors_of_detections_are_met(vectors: list[dict[str, Any]]) -> None:
    def documents(vector: dict[str, Any]) -> list[dict[str, Any]]:
        detection = vector["detection"]
        return [{"title": "t", "logsource": {"product": "test"}, "detection": detection}]

    assert sum("detection" in v for v in vectors) == 148
    assert met(vectors, "detection", documents) == {}


def test_all_vectors_of_filters_are_met(vectors: list[dict[str, Any]]) -> None:
    def documents(vector: dict[str, Any]) -> list[dict[str, Any]]:
        about = {"title": "f", "logsource": vector["logsource"], "filter": vector["filter"]}
        return [about, FILTERED]

    assert sum("filter" in v for v in vectors) == 6
    assert met(vectors, "filter", documents) == {}


def test_every_correlation_of_the_vectors_loads_or_is_refused_as_it_must_be(
    vectors: list[dict[str, Any]],
) -> None:
    found: dict[str, bool] = {}
    for vector in vectors:
        if "correlation" in vector:
            about = {"title": "t", "name": "the", "correlation": vector["correlation"]}
            if "generate" in vector:
                about["generate"] = vector["generate"]
            ruleset = loaded(*BASE, *vector.get("extra_rules", ()), about)
            found[vector["id"]] = bool(ruleset.problems) is (vector.get("expect") == "reject")
    assert len(found) == 56
    assert {id_ for id_, fits in found.items() if not fits} == UNMET.keys()


def test_every_disagreement_with_a_peer_is_in_the_docs(vectors: list[dict[str, Any]]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "sigma-semantics.md").read_text("utf-8")
    told = page.partition("## Where others do otherwise")[2]
    rsigma, sqlite = told.split("\n\npySigma ")
    for text, names in (
        (rsigma, ("rsigma", "rsigma_eval_0.26_lib")),
        (sqlite, ("pysigma_sqlite", "pysigma_2.0.1_sqlite_2.1.1")),
    ):
        engines = {v["id"]: v["engines"] for v in vectors}
        expected = {
            id_
            for id_, said in engines.items()
            if {said.get(n, "agree") for n in names} != {"agree"}
        }
        assert set(re.findall(r"\b[a-z]{2,3}-\d\d\b", text)) == expected
