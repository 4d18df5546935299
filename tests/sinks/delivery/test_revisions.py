"""Revisions: what is counted, what supersedes what, whose origins are named."""

import sqlite3
from typing import Any

from schemas.finding import State
from schemas.rows import Result
from sinks.delivery.revisions import Revisions

NOON = 1_767_268_800_000_000


def finding(id_: str, body: str = "1", state: State = "provisional", **more: object) -> Result:
    times = {
        "first_time": "2026-01-01T10:00:00.000000Z",
        "last_time": "2026-01-01T11:00:00.000000Z",
    }
    group = {"principal": "pipeline"}
    said = {"rule": "burst", "group": group, "body_sha256": body, "evidence": []}
    return Result("finding", id_, NOON, state, said | times | more)


def metas(revisions: Revisions, *results: Result) -> list[dict[str, Any]]:
    stamped = revisions.stamped(results, NOON)
    return [r.body["meta"] for r in stamped if r.kind in ("finding", "alert")]


def test_a_change_of_body_or_state_is_a_revision_and_a_repetition_is_none() -> None:
    found = metas(
        Revisions.in_memory(),
        finding("a"),
        finding("a"),
        finding("a", "2"),
        finding("a", "2", "settled"),
        finding("a", "1", "final"),
        finding("b"),
    )
    assert [meta["revision"] for meta in found] == [1, 1, 2, 3, 4, 1]
    assert found[4] == {"state": "final", "revision": 4, "emitted": "2026-01-01T12:00:00.000000Z"}


def test_the_count_goes_on_after_a_restart() -> None:
    with sqlite3.connect(":memory:") as db:
        metas(Revisions(db), finding("a"))
        assert metas(Revisions(db), finding("a", "2"))[0]["revision"] == 2
    db.close()


def test_an_episode_supersedes_the_withdrawn_one_that_it_overlaps() -> None:
    revisions = Revisions.in_memory()
    _, _, new, again = metas(
        revisions,
        finding("old"),
        finding("old", state="withdrawn"),
        finding("new"),
        finding("new", "2"),
    )
    assert new["supersedes"] == "old"
    assert again["supersedes"] == "old"


def test_a_withdrawn_episode_names_the_one_that_took_its_place() -> None:
    _, _, withdrawn = metas(
        Revisions.in_memory(), finding("old"), finding("new"), finding("old", state="withdrawn")
    )
    assert withdrawn["superseded_by"] == "new"


def test_other_times_groups_and_threads_have_nothing_to_do_with_it() -> None:
    later: dict[str, Any] = {
        "first_time": "2026-01-02T10:00:00.000000Z",
        "last_time": "2026-01-02T10:00:00.000000Z",
    }
    found = metas(
        Revisions.in_memory(),
        finding("old"),
        finding("old", state="withdrawn"),
        finding("later", **later),
        finding("elsewhere", group={"principal": "other"}),
        finding("alert", thread="t"),
    )
    assert [meta for meta in found if "supersedes" in meta or "superseded_by" in meta] == []


def test_origins_are_those_of_the_evidence_that_was_emitted() -> None:
    event = {"uid": "e1", "evidence": {"origin": "file:trail.jsonl#7", "sha256": "0"}}
    evidence = [{"event": "e1", "sha256": "0"}, {"event": "never seen", "sha256": "0"}]
    (meta,) = metas(
        Revisions.in_memory(),
        finding("a", evidence=evidence),
        Result("event", "e1", NOON, "final", event),
    )
    assert meta["origins"] == ["file:trail.jsonl#7"]


def test_the_given_results_stay_as_they_are() -> None:
    given = finding("a")
    Revisions.in_memory().stamped([given], NOON)
    assert "meta" not in given.body


def test_trim_keeps_what_may_still_change() -> None:
    revisions = Revisions.in_memory()
    metas(revisions, finding("a"), finding("b", state="final"))
    revisions.trim()
    assert metas(revisions, finding("a", "2"))[0]["revision"] == 2
