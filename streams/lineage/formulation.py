"""Formulation: workflows of a CycloneDX document that read and make models and data, as jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from schemas.config import Limits
from schemas.entity import Entity
from schemas.event import Event, EventEvidence
from streams.records.untrusted import decode, distinct, edge, entity, listing, mapping, text
from streams.reports.bom import Bom, dataset
from streams.reports.listed import Listing, listed
from streams.source import Json, Unreadable

_KINDS: Final = frozenset({"dataset", "datastore", "model"})
_LIMITS: Final = Limits()


def trains(workflow: msgspec.Raw, refs: Mapping[str, Entity]) -> bool:
    """True of a workflow with a model or data among what goes in or comes out."""
    try:
        said = mapping(decode(bytes(workflow), _LIMITS))
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return True
    return any(_resources(said, side, refs) for side in ("inputs", "outputs"))


def job(source: str, bom: Bom, said: Mapping[str, Json], evidence: EventEvidence) -> Event:
    """The job that a workflow is: `<what the document is about>/<its name>`."""
    name = text(said.get("name"), 256) or text(said.get("uid") or said.get("bom-ref"), 256)
    found = entity("job", f"{bom.root.id}/{name}" if bom.root and name else name, name)
    if found is None:
        raise Unreadable("wrong-shape", "a workflow has a name or a `uid`")
    read, made = (_resources(said, side, bom.refs) for side in ("inputs", "outputs"))
    tasks = (text(one, 64) for step in _steps(said) for one in listing(step.get("taskTypes")))
    ties = [edge(found, "reads", one, declared=True) for one in read]
    ties += [edge(found, "makes", one, declared=True) for one in made]
    ties += [edge(one, "made_by", found, declared=True) for one in made]
    return listed(
        Listing(source, bom.time, bom.identity),
        (found, *read, *made, bom.root),
        evidence,
        f"job {found.id}",
        edges=ties,
        attributes={
            "bom.invalid": list(bom.faults) or None,
            "job.tasks": sorted({one for one in tasks if one}) or None,
        },
    )


def _resources(
    said: Mapping[str, Json], side: str, refs: Mapping[str, Entity]
) -> tuple[Entity, ...]:
    """The models and data on one side of a workflow and of its tasks."""
    held = (mapping(one) for step in _steps(said) for one in listing(step.get(side)))
    found = (_resource(mapping(one.get("resource")), refs) for one in held)
    return distinct(one for one in found if one is not None and one.kind in _KINDS)


def _resource(said: Mapping[str, Json], refs: Mapping[str, Entity]) -> Entity | None:
    url = mapping(said.get("externalReference")).get("url")
    return refs.get(text(said.get("ref")) or "") or dataset({"contents": {"url": url}})


def _steps(said: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    yield said
    yield from map(mapping, listing(said.get("tasks")))
