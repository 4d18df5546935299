"""Which alerts a sink gets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.config import Config
from schemas.rows import Result
from sinks.delivery.routing import AlertSettings, Routed, routed
from sinks.delivery.sink import Delivered, Refused
from tests.sinks.alerts import alert


class Target:
    """Takes so many of a batch and refuses what is called `bad`."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.bodies: list[dict[str, Any]] = []
        self.most = 100
        self.closed = False

    def open(self, bookmark: object) -> None:
        """Nothing to open."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        taken = batch[: self.most]
        self.got += [(one.id, one.body["meta"]["revision"]) for one in taken]
        self.bodies += [one.body for one in taken]
        refused = tuple(Refused(one, "bad") for one in taken if one.id == "bad")
        problem = None if len(taken) == len(batch) else "away"
        return Delivered(len(taken), refused, problem=problem)

    def flush(self) -> Delivered:
        return Delivered(0, problem="away")

    def close(self) -> None:
        self.closed = True


def around(target: Target, folder: Path, config: Config | None = None, **more: Any) -> Routed:  # noqa: ANN401
    settings = AlertSettings.model_validate({"name": "soc", "kind": "webhook"} | more)
    return routed(target, settings, config or Config(), folder)


def test_everything_by_default(tmp_path: Path) -> None:
    target = Target()
    sink = around(target, tmp_path)
    assert sink.write([alert("a"), alert("b", confidence=0.0)]) == Delivered(2)
    assert target.got == [("a", 1), ("b", 1)]


def test_an_alert_that_was_sure_once_is_followed_to_its_end(tmp_path: Path) -> None:
    target = Target()
    sink = around(target, tmp_path, min_confidence=0.5)
    sink.write([alert("a", confidence=0.4), alert("b", confidence=0.6)])
    sink.write([alert("a", 2, confidence=0.5), alert("b", 2, confidence=0.1)])
    sink.close()
    again = around(target, tmp_path, min_confidence=0.5)
    again.write([alert("a", 3, "withdrawn", confidence=0.1), alert("c", confidence=0.1)])
    assert target.got == [("b", 1), ("a", 2), ("b", 2), ("a", 3)]
    assert target.closed


def test_systems_by_name_and_by_owner(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "system": [
                {"name": "Mail Bot", "root": "application:mail", "owner": "messaging"},
                {"name": "support-bot", "root": "application:bot", "owner": "care"},
            ]
        }
    )
    batch = [
        alert("a", system="application:mail"),
        alert("b", system="application:bot"),
        alert("c", system="agent:PROD-search"),
        alert("d", system="principal:arn:aws:iam::111122223333:role/x"),
    ]

    def got(**wanted: list[str]) -> list[str]:
        target = Target()
        around(target, tmp_path, config, **wanted).write(batch)
        return [id_ for id_, _ in target.got]

    assert got(owners=["messaging"]) == ["a"]
    assert got(systems=["prod-*"]) == ["c"]
    assert got(systems=["mail b?t"]) == ["a"]
    assert got(systems=["application:*"]) == ["a", "b"]
    assert got(systems=["arn:aws:iam::111122223333:*"]) == ["d"]
    assert got(systems=["prod-*"], owners=["care"]) == ["b", "c"]
    assert got(systems=["prod"]) == []


def test_what_is_not_taken_comes_again_and_what_is_not_ours_is_taken(tmp_path: Path) -> None:
    target = Target()
    target.most = 2
    sink = around(target, tmp_path, stages=["warning"])
    low: dict[str, Any] = {"stage": "outlook", "peak_stage": "outlook"}
    batch = [alert("x", **low), alert("bad"), alert("y", **low), alert("a"), alert("z", **low)]
    batch += [alert("b"), alert("w", **low)]
    delivered = sink.write(batch)
    assert (delivered.taken, delivered.problem) == (5, "away")
    assert [one.result.id for one in delivered.refused] == ["bad"]
    assert sink.write(batch[delivered.taken :]) == Delivered(2)
    assert target.got == [("bad", 1), ("a", 1), ("b", 1)]


def test_nothing_for_us_is_still_taken(tmp_path: Path) -> None:
    sink = around(Target(), tmp_path, systems=["none"])
    assert sink.write([alert("a"), alert("b")]) == Delivered(2)


def test_what_may_not_leave_does_not(tmp_path: Path) -> None:
    target = Target()
    config = Config.model_validate({"privacy": {"key": "sixteen characters"}})
    sink = around(target, tmp_path, config, redact=["principal"], omit=["why"])
    sink.write([alert("a")])
    (left,) = target.bodies
    assert left["entities"][1]["id"].startswith("principal-")
    assert "why" not in left


def test_what_a_sink_says_of_publishing_is_passed_on(tmp_path: Path) -> None:
    assert around(Target(), tmp_path).flush() == Delivered(0, problem="away")
