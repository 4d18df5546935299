"""AWS calls: what a call of the control plane says of the things it makes, as edges.

The account `hosts` what was made until it is deleted: a delete names one thing and not what it hung
on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from schemas.entity import Entity, image, principal
from schemas.event import Edge
from streams.names import aws
from streams.records.untrusted import edge, entity, listing, mapping, text
from streams.source import Json

MOST: Final = 64  # inputs, containers, tools of one call that are read
# What stands for a value that a service marks as sensitive: names of guardrails and targets too.
_HIDDEN: Final = frozenset({"***", "HIDDEN_DUE_TO_SECURITY_REASONS", "REDACTED"})


class Call(NamedTuple):
    """One call: what was asked and answered, and where."""

    asked: dict[str, Json]
    answered: dict[str, Json]
    region: Json
    account: Entity | None


Edges = Iterator[Edge]


def hosts(call: Call, thing: Entity | None) -> Edges:
    """The account hosts it: first of what a reader yields, as it is what the call is about."""
    if call.account is not None and thing is not None:
        yield edge(call.account, "hosts", thing, declared=True)


def link(
    source: Entity | None, relation: str, target: Entity | None, *, ended: bool = False
) -> Edges:
    """The relation that a call declares, or ends, where both ends are known."""
    if source is not None and target is not None and source != target:
        yield edge(source, relation, target, declared=True, ended=ended)


def role(thing: Entity | None, arn: Json) -> Edges:
    """As which role it runs."""
    known = text(arn, 512)
    yield from link(thing, "runs_as", principal(known) if known else None)


def stored(thing: Entity | None, relation: str, uri: Json) -> Edges:
    """`s3://bucket/prefix`: the dataset there, which comes out of its bucket."""
    bucket, prefix = located(uri)
    store = entity("datastore", f"s3/{bucket}" if bucket else None)
    if relation != "reads" or not prefix:
        yield from link(thing, relation, store)
        return
    data = entity("dataset", f"s3/{bucket}/{prefix}")
    yield from link(thing, relation, data)
    yield from link(data, "fed_by", store)


def located(uri: Json) -> tuple[str | None, str]:
    """Bucket and prefix of a place in S3, or the bucket of an ARN."""
    known = text(uri, 1024) or ""
    if known.startswith("arn:"):
        return aws.resource(known).partition("/")[0] or None, ""
    scheme, mark, rest = known.partition("://")
    bucket, _, prefix = rest.partition("/")
    return (bucket or None, prefix.strip("/")) if mark and scheme in ("s3", "s3a") else (None, "")


def imaged(name: Json) -> Entity | None:
    """The container image of that reference."""
    known = text(name, 512)
    return image(known) if known else None


def shown(value: Json) -> Json:
    """The value without what AWS hid in it: no name, no id, nothing that was said."""
    if isinstance(value, dict):
        inside = mapping(value).items()
        return {
            key: shown(one) if isinstance(one, dict | list) else one
            for key, one in inside
            if not (isinstance(one, str) and one in _HIDDEN)
        }
    if isinstance(value, list):
        return [
            shown(one) for one in listing(value) if not (isinstance(one, str) and one in _HIDDEN)
        ]
    return value


def at(value: Json, *path: str) -> Json:
    """What lies there, if anything does."""
    for key in path:
        value = mapping(value).get(key)
    return value


def job_of(kind: str, name: Json) -> Entity | None:
    """A job by its name, or the id at the end of its ARN: `sagemaker/tune-7`."""
    known = text(name, 256)
    return entity("job", f"{kind}/{aws.tail(known)}" if known else None)


def tool_of(owner: Entity | None, name: Json, title: Json = None) -> Entity | None:
    """The tool of that name, or id, that an agent or a gateway has."""
    known = text(name, 128)
    return entity("tool", f"{owner.id}/{known}", title or known) if owner and known else None


def gone(kind: Callable[[Call], Edges]) -> Callable[[Call], Edges]:
    """The reader of a delete: what the account no longer hosts."""

    def reader(call: Call) -> Edges:
        for one in list(kind(call))[:1]:
            if one.relation == "hosts":
                yield edge(one.from_, "hosts", one.to, declared=True, ended=True)

    return reader
