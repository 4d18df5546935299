"""The fuzzer finds what it looks for: sources that break in each of the ways."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from infra.dev.fuzz import Tally, fuzz, main
from infra.dev.mutation import LARGEST, Mutator
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Event, EventEvidence
from streams.source import Narrow, Parsed, Raw, Unreadable

SEED = b'{"a": 1, "b": {"c": [1, 2, "x"]}}'
COUNT = itertools.count()


class Made:
    """A source that does what it is told with the value of `a`."""

    def __init__(self, does: Callable[[Any], Any]) -> None:
        self.NAME: str = "made"
        self.TITLE: str = "Made"
        self.LATENESS: int = 0
        self.LOGSOURCE = Logsource(product="made")
        self.NARROW: Narrow | None = None
        self._does = does

    def sniff(self, head: bytes) -> bool:
        return head.startswith(b"{")

    def split(self, document: bytes) -> Iterator[Raw]:
        yield Raw(document)

    def event(self, raw: Raw, record: Any, evidence: EventEvidence) -> Parsed:  # noqa: ANN401, ARG002 - as Source has it
        if not isinstance(record, dict):
            raise Unreadable("wrong-shape", "no object")
        told = Event(
            uid="1",
            time=0,
            source="made",
            class_uid=6003,
            class_name="API Activity",
            activity=str(self._does(record.get("a"))),
            entities=(Entity(kind="agent", id="a"),),
            evidence=evidence,
        )
        return Parsed(told, {})


def unreadable(_: object) -> str:
    raise Unreadable("not a reason", "")  # type: ignore[arg-type]  # what no source may say


def endless(value: object) -> str:
    while value != 1:
        pass
    return ""


def kinds(tally: Tally) -> set[str]:
    return {found.kind for found in tally.found.values()}


@pytest.mark.parametrize(
    ("does", "kind"),
    [
        (lambda value: value + 1, "defect"),
        (lambda _: next(COUNT), "differs"),
        (lambda value: "x" * 10**6 if value != 1 else "", "grows"),
        (unreadable, "reject"),
    ],
)
def test_what_is_wrong_is_found(does: Callable[[Any], Any], kind: str) -> None:
    tally = fuzz(Made(does), [SEED], 0.5)
    assert kind in kinds(tally)
    assert all(isinstance(found.document, bytes) for found in tally.found.values())


def test_what_does_not_end_is_found() -> None:
    assert kinds(fuzz(Made(endless), [SEED], 0.3, hangs=0.05)) == {"hang"}


def test_nothing_wrong() -> None:
    tally = fuzz(Made(lambda _: "fine"), [SEED], 0.3)
    assert tally.found == {}
    assert tally.inputs > tally.parsed > 0


def test_the_same_seed_makes_the_same_documents() -> None:
    one, two, other = (Mutator(Random(seed), [SEED]) for seed in (1, 1, 2))
    made = [one.worse(SEED) for _ in range(200)]
    assert made == [two.worse(SEED) for _ in range(200)]
    assert made != [other.worse(SEED) for _ in range(200)]
    assert max(map(len, made)) <= LARGEST
    assert sum(_parses(document) for document in made) > 50


def _parses(document: bytes) -> bool:
    try:
        orjson.loads(document)
    except orjson.JSONDecodeError:
        return False
    return True


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["made", "--seconds", "0.3", "--corpora", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(words, {"made": Made(lambda value: value + 1)}) == 1
    out = capsys.readouterr().out
    assert "made" in out
    assert "defect: " in out
    (saved,) = {path.name.rpartition(".")[0] for path in (tmp_path / "out").iterdir()}
    assert saved == "made.defect"
    assert main(words, {"made": Made(lambda _: "fine")}) == 0
