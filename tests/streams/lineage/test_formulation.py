import msgspec
import orjson
import pytest

from schemas.entity import Entity
from schemas.event import EventEvidence
from streams.lineage.formulation import job, trains
from streams.reports.bom import Bom
from streams.source import Unreadable

LETTERS = Entity(kind="dataset", id="letters")
REFS = {"letters": LETTERS, "app": Entity(kind="application", id="claims")}
EVIDENCE = EventEvidence(origin="file:x#1", sha256="00")
BOM = Bom((), 1, dated=True, root=REFS["app"], refs=REFS, packages={}, dependencies={})


def uses(ref: str) -> dict[str, object]:
    return {"uid": "w", "inputs": [{"resource": {"ref": ref}}]}


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (uses("letters"), True),
        ({"tasks": [uses("letters")]}, True),
        ({"outputs": [{"resource": {"externalReference": {"url": "s3://letters/1"}}}]}, True),
        (uses("app"), False),
        (uses("gone"), False),
        ({}, False),
    ],
)
def test_which_workflows_are_jobs(said: dict[str, object], known: bool) -> None:  # noqa: FBT001 - a case
    assert trains(msgspec.Raw(orjson.dumps(said)), REFS) is known


def test_a_job_is_known_by_what_it_belongs_to() -> None:
    event = job("cyclonedx", BOM, uses("letters"), EVIDENCE)
    assert [one.key for one in event.entities] == [
        "job:claims/w",
        "dataset:letters",
        "application:claims",
    ]
    assert [(one.from_.id, one.relation, one.to.id) for one in event.edges] == [
        ("claims/w", "reads", "letters")
    ]


def test_a_workflow_without_a_name() -> None:
    with pytest.raises(Unreadable):
        job("cyclonedx", BOM, {}, EVIDENCE)
